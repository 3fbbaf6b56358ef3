"""What a person was shown of a run that waits, whatever happens to the process that shows it."""

import sys
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

sys.path.insert(0, str(Path(__file__).parent))
from drops import Row
from processes import Fault
from scene import Scene

THIRD = 3
"""The run that waits with the third version of a file."""


@pytest.fixture
def scene():
    """A version waits; what it would add has changed since, as the one before was approved."""
    with capture_logs():
        scene = Scene()
        key = scene.drop("crm", [total(10)])
        scene.start("crm")
        for number in (12, 3):
            scene.replace(key, [total(number)])
            scene.start("crm")
        scene.start("crm", verb="approve", seq=2)
        yield scene
        scene.close()


def total(number):
    """Render the only row of a version."""
    return Row("bob", str(number), "", "", "", "", "")


def told(scene):
    """Read what history says of the run that waits."""
    rows = scene._state().finished.rows()
    reports = [orjson.loads(text) for text in rows["report"]]
    return next(report for report in reports if report["seq"] == THIRD)


def waiting(scene):
    return scene.runs()[THIRD - 1]


@pytest.mark.parametrize(
    ("kind", "nth", "after"),
    [("commit", 0, False), ("commit", 0, True), *(("write", nth, True) for nth in range(3))],
)
def test_totals_count_as_shown_only_once_they_are(scene, kind, nth, after):
    """
    A process that dies while it shows new totals leaves nothing approved that nobody has seen.

    Asked again, it shows them, and history and the run say the same.
    """
    assert {"total": "-7"} == waiting(scene).totals
    scene.start("crm", [Fault(kind, nth, "crash", after=after)], "approve", THIRD)
    shown = waiting(scene).totals["total"]
    assert any(f"total: {shown} would" in note for note in told(scene)["notes"]) or shown == "-7"

    if shown == "-7":
        scene.start("crm", verb="approve", seq=THIRD)
    assert ("held_back", {"total": "-9"}) == (waiting(scene).state, waiting(scene).totals)
    assert waiting(scene).report == told(scene)
    scene.start("crm", verb="approve", seq=THIRD)
    assert 3 == scene.profile("bob")["total"]
    scene.end()
