"""Stories of runs that are taken back, wherever their processes die or stand still."""

import pytest
from support.machine.drops import FRACTION
from support.machine.processes import Fault
from support.machine.telling import refuse, row, some

DECISIVE = [
    *some("write", range(12), by_day=6),
    *some("commit", range(4), by_day=4),
    ("track", 0),
]
"""Effects of an undo that leave something behind."""


def told(scene, name):
    profile = scene.profile(name)
    return profile.get("total"), profile.get("tags"), profile.get("tier")


def changed_twice(scene):
    """Let run 2 change a part of what run 1 has changed; returns the file of run 1."""
    rows = [row("bob", total="10", tags="y", tier="gold"), row("ada", total="1", tier="gold")]
    key = scene.drop("crm", rows)
    scene.start("crm")
    scene.drop("shop", [row("bob", total="100", tags="z"), row("ada", tier="blue")])
    scene.start("shop")
    return key


@pytest.mark.parametrize("fate", ["crash", pytest.param("pause", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), DECISIVE)
def test_an_undo_may_die_or_stand_still_at_any_effect(scene, kind, nth, fate):
    """Asked for again it comes about once, and a new version of the file brings all it gives."""
    key = changed_twice(scene)
    scene.start("crm", [Fault(kind, nth, fate, after=True)], "undo", 1)
    scene.start("crm", verb="undo", seq=1)
    while scene.processes:
        scene.resume(0)
    scene.time.advance(60)
    scene.start("crm", verb="undo", seq=1)
    assert (100, ["z"], "old") == told(scene, "bob")
    assert (5, ["x"], "blue") == told(scene, "ada")
    scene.replace(key, [row("bob", total="4")])
    scene.start("crm")
    [(verb, job, seq), *_] = [one for one in scene.choices() if one[0] == "approve"]
    scene.start(job, verb=verb, seq=seq)
    assert (104, ["z"], "old") == told(scene, "bob")
    scene.end()


def test_what_braze_refused_of_an_undo_is_taken_back_by_the_next(scene):
    """No part of it twice; a request that may have taken effect is not counted on."""
    changed_twice(scene)
    scene.start("crm", refuse(), "undo", 1)
    scene.start("crm", verb="undo", seq=1)
    assert (100, ["z"], "old") == told(scene, "bob")
    scene.end()


@pytest.mark.parametrize("job", ["crm", "shop"])
def test_rows_that_come_late_do_not_undo_an_undo(scene, job):
    """
    It is newer than the run whose rejected row is given again: its sum counts, no value.

    Also where rows have an order: an undo stands in none.
    """
    rows = [
        row("bob", total="10", tier="iron", at="1"),
        row("bob", total=FRACTION, tier="gold", at="2"),
    ]
    scene.drop(job, rows)
    scene.start(job)
    scene.start(job, verb="undo", seq=1)
    assert "old" == scene.profile("bob")["tier"]
    scene.takes_fractions = True
    scene.start(job, verb="retry", seq=1)
    assert (0.5, None, "old") == told(scene, "bob")
    scene.end()


@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (Fault("write", 3, "crash", after=True), 100),
        # Nobody knows whether Braze took it, so it counts as taken back, and is not sent again.
        (Fault("track", 0, "fail"), 110),
    ],
)
def test_an_undo_that_was_dropped_can_be_asked_for_again(scene, fault, left):
    """What was never sent of it comes about then; a new version of the file fits to both."""
    key = changed_twice(scene)
    scene.start("crm", [fault], "undo", 1)
    assert scene.runs()[2].takes_back == 1
    scene.start("crm", verb="discard", seq=3)
    scene.start("crm", verb="undo", seq=1)
    assert left == scene.profile("bob")["total"]
    scene.replace(key, [row("bob", total="4")])
    scene.start("crm")
    [(verb, job, seq), *_] = [one for one in scene.choices() if one[0] == "approve"]
    scene.start(job, verb=verb, seq=seq)
    assert left + 4 == scene.profile("bob")["total"]
    scene.end()
