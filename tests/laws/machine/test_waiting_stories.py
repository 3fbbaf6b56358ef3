"""What a person is told of a run that waits, and of what became of it."""

import pytest
from structlog.testing import capture_logs
from support.machine.drops import Row
from support.machine.processes import Fault
from support.machine.scene import Scene

from exchanger.app.messages.notes.words import worded

KEY = "inbox/crm/000.csv"
THIRD = 3
"""The run that waits with the third version of the file."""


@pytest.fixture
def scene():
    """A newer version of a file waits, as run 2."""
    with capture_logs():
        scene = Scene()
        scene.drop("crm", [total(10)], KEY)
        scene.start("crm")
        replace(scene, 12)
        yield scene
        scene.close()


def replace(scene, number):
    """Put a newer version into its place, which waits."""
    scene.replace(KEY, [total(number)])
    scene.start("crm")


def total(number):
    """Render the only row of a version."""
    return Row("bob", str(number), "", "", "", "", "")


def told(scene, seq):
    """Read what history says of a run."""
    reports = scene.state().run_index.newest(10_000)
    return worded(next(report for report in reports if report["seq"] == seq), "")


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
    replace(scene, 3)
    scene.start("crm", verb="approve", seq=2)
    assert {"total": "-7"} == waiting(scene).totals
    scene.start("crm", [Fault(kind, nth, "crash", after=after)], "approve", THIRD)
    shown = waiting(scene).totals["total"]
    if shown == "-7":
        scene.start("crm", verb="approve", seq=THIRD)
    else:
        assert any(f"total: {shown} would" in note for note in told(scene, THIRD)["notes"])
    assert ("held_back", {"total": "-9"}) == (waiting(scene).state, waiting(scene).totals)
    assert worded(waiting(scene).report, "") == told(scene, THIRD)
    scene.start("crm", verb="approve", seq=THIRD)
    assert 3 == scene.profile("bob")["total"]
    scene.end()


@pytest.mark.parametrize("landed", [False, True])
def test_a_discarded_approval_released_nothing(scene, landed):
    """The run that waited is told as discarded, with the run that was to apply it."""
    scene.start("crm", [Fault("track", 0, "fail", after=landed)], "approve", 2)
    scene.start("crm", verb="discard", seq=3)
    report = told(scene, 2)
    assert ("discarded", "discarded") == (report["state"], told(scene, 3)["state"])
    assert "Not released: run 3 was to apply it" in report["notes"][-1]
    assert not any(note.startswith("Released") for note in report["notes"])
    assert "discarded" in str(scene.start("crm", verb="approve", seq=2).error)
    scene.end()


def test_an_approved_run_was_released(scene):
    """The run that waited names the run that applied it."""
    scene.start("crm", verb="approve", seq=2)
    assert "released" == told(scene, 2)["state"]
    assert "Released: run 3 applied it." == told(scene, 2)["notes"][-1]
    assert "run 3 applied it" in str(scene.start("crm", verb="approve", seq=2).error)
    scene.end()


def test_a_newer_version_that_waits_is_not_held_back_again(scene):
    """An older version was approved, and the newest one that was met still waits in its run."""
    replace(scene, 3)
    scene.start("crm", verb="approve", seq=2)
    assert "nothing_to_do" == scene.start("crm").result.state
    for _ in range(2):  # It shows first that it would add something else by now.
        scene.start("crm", verb="approve", seq=THIRD)
    assert 3 == scene.profile("bob")["total"]
    scene.end()
