"""Stories of what a person decides about a run: to approve, to discard, to retry it."""

import pytest
from support.machine.drops import FRACTION
from support.machine.processes import Fault
from support.machine.telling import refuse, row, some

from exchanger.app.messages.notes.words import in_words


def test_a_version_comes_back_after_another_that_was_approved(scene):
    """A, B, A: what was a copy when it was held back is a new version once B was applied."""
    key = scene.drop("crm", [row("bob", total="10")])
    scene.start("crm")
    scene.replace(key, [row("bob", total="1")])
    scene.start("crm")
    scene.replace(key, [row("bob", total="10")])
    scene.start("crm")
    scene.start("crm", verb="approve", seq=2)
    assert 1 == scene.profile("bob")["total"]
    scene.start("crm", verb="approve", seq=3)
    assert 10 == scene.profile("bob")["total"]
    scene.end()


def test_a_difference_waits_until_it_is_known_what_was_given_before(scene):
    """A sum that may have been applied though it was refused is found out about first."""
    key = scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", refuse(uncertain=True))
    scene.replace(key, [row("bob", total="1")])
    scene.start("crm")
    assert "retry 1" in str(scene.start("crm", verb="approve", seq=2).error)
    scene.start("crm", verb="retry", seq=1)
    scene.start("crm", verb="approve", seq=2)
    if scene.choices():
        scene.start("crm", verb="approve", seq=2)
    assert 1 == scene.profile("bob")["total"]
    scene.end()


def test_no_file_is_left_behind_by_an_approval_of_many_rows(scene):
    """What a person approves is taken as a whole, however many rows an import takes at once."""
    scene.rows_per_run = 1
    for name in ("bob", "cyd"):
        scene.drop("crm", [row(name, total="1")])
    scene.start("crm")
    for name in ("bob", "cyd"):
        scene.drop("shop", [row(name, total="1")])
    scene.start("shop")
    scene.start("shop", verb="approve", seq=3)
    assert (2, 2) == (scene.profile("bob")["total"], scene.profile("cyd")["total"])
    scene.end()


def test_a_version_of_which_nothing_was_taken_comes_back_after_another(scene):
    """A, B, A: that A was rejected once does not make it B, whose place it takes: it waits."""
    key = scene.drop("crm", [row("ada", total=FRACTION)])
    scene.start("crm")
    scene.replace(key, [row("ada")])
    scene.start("crm")
    scene.replace(key, [row("ada", total=FRACTION)])
    scene.start("crm")
    assert [("approve", "crm", 3), ("discard", "crm", 3), ("retry", "crm", 1)] == scene.choices()
    scene.end()


def test_what_braze_refused_is_still_owed_once_a_backfill_of_it_was_dropped(scene):
    """No backfill gives the sum of a file that counts: ``retry`` does, also after a discard."""
    scene.drop("crm", [row("bob", total="1"), row("ada", total=FRACTION)])
    scene.start("crm", refuse())
    scene.drop("crm", [row("ada", best="7")])
    scene.start("crm", [Fault("track", 0, "odd", after=False, variant=5)], "full")
    scene.start("crm", verb="discard", seq=2)
    assert "total" not in scene.profile("bob")
    scene.end()
    scene.start("crm", verb="retry", seq=1)
    assert 1 == scene.profile("bob")["total"]
    scene.end()


def copy_held_back(scene):
    """Apply a file, and have its copy held back as run 2."""
    for _ in range(2):
        scene.drop("crm", [row("bob", total="10"), row("ada", tags="y")])
        scene.start("crm")


def test_a_run_is_not_dropped_while_it_is_being_applied(scene):
    """Of a discard and an approval of one run, only one comes about."""
    copy_held_back(scene)
    scene.start("crm", [Fault("track", 0, "crash")], "approve", 2)
    assert "run 3 applies it" in str(scene.start("crm", verb="discard", seq=2).error)
    scene.end()
    assert 20 == scene.profile("bob")["total"]


@pytest.mark.parametrize("nth", range(12))
def test_an_approval_that_stood_still_applies_nothing_that_was_dropped_meanwhile(scene, nth):
    """A discard does not take a number, so the approval looks again before it sends."""
    copy_held_back(scene)
    scene.start("crm", [Fault("write", nth, "pause", after=True)], "approve", 2)
    dropped = scene.start("crm", verb="discard", seq=2)
    scene.end()
    assert (10 if dropped.error is None else 20) == scene.profile("bob")["total"]


def test_a_discard_waits_for_late_requests_of_a_holder_before_the_last(scene):
    """Whoever took over may have ended in good order; the one before may still be sending."""
    scene.drop("crm", [row("bob", tier="gold")])
    scene.start("crm", [Fault("track", 0, "pause", variant=1)])
    scene.start("crm", [Fault("track", 0, "odd", variant=5)])
    scene.start("crm", verb="discard", seq=1)
    scene.drop("crm", [row("bob", tier="iron")])
    scene.start("crm")
    scene.end()
    assert "iron" == scene.profile("bob")["tier"]


DECISIVE = [
    *some("write", range(15), by_day=6),
    *some("commit", range(4), by_day=3),
    ("track", 0),
]
"""Effects of a decision about a run, likewise: those that leave something behind."""


@pytest.mark.parametrize("fate", ["crash", pytest.param("pause", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), DECISIVE)
@pytest.mark.parametrize("verb", ["approve", "discard", "retry"])
def test_a_decision_may_die_or_stand_still_at_any_effect(scene, verb, kind, nth, fate):
    """Asked for again by somebody else, it comes about once, wherever the first one was."""
    copy_held_back(scene)
    scene.drop("crm", [row("bob", total="10"), row("ada", total="1", tier="gold")])
    scene.start("crm", refuse())
    seq = 3 if verb == "retry" else 2
    scene.start("crm", [Fault(kind, nth, fate, after=True)], verb, seq)
    scene.start("crm", verb=verb, seq=seq)
    scene.end()
    assert {"approve": 20, "discard": 10, "retry": 20}[verb] == scene.profile("bob")["total"]


@pytest.mark.parametrize("fate", ["crash", pytest.param("pause", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), DECISIVE)
def test_a_discard_of_a_run_under_way_may_die_or_stand_still(scene, kind, nth, fate):
    """What was sent stays, the rest is dropped, whoever brings it to its end."""
    scene.drop("crm", [row(name, total="10") for name in ("ada", "bob", "cyd")])
    scene.start("crm", [Fault("track", 1, "fail", after=True)])
    scene.start("crm", [Fault(kind, nth, fate, after=True)], "discard", 1)
    scene.start("crm", verb="discard", seq=1)
    scene.drop("crm", [row(name, total="1") for name in ("ada", "bob", "cyd")])
    scene.end()


@pytest.mark.parametrize(("kind", "nth"), [*some("write", range(6)), *some("commit", range(3))])
@pytest.mark.parametrize("verb", ["run", "force"])
def test_a_discard_that_died_half_way_is_told_and_ended(scene, verb, kind, nth):
    """Once the run says so it is told as discarded, and the next import does what was left."""
    copy_held_back(scene)
    scene.time.advance(60)
    scene.start("crm")  # From here on nothing else is left to do.
    scene.start("crm", [Fault(kind, nth, "crash", after=True)], "discard", 2)
    held = scene.runs()[1]
    told = {run["seq"]: run["state"] for run in scene.start("crm", verb="runs").result}
    assert {2: held.state, 1: "succeeded"} == told
    scene.time.advance(60)
    notes = [in_words(note) for note in scene.start("crm", verb=verb).result.facts]
    if held.state == "discarded":
        assert [] == notes
        assert 10 == scene.profile("bob")["total"]
    elif verb == "run":
        assert "waits in run 2" in notes[0]
    scene.end()
