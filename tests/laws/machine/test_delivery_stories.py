"""Stories that once ended badly, told effect by effect; and one for every effect of a run."""

import pytest
from support.machine.processes import Fault
from support.machine.scene import AHEAD, GRACE
from support.machine.telling import refuse, row, some

from exchanger.jobs.inventory import listing as waiting

EFFECTS = [
    *some("list", range(10), by_day=5),
    *some("read", range(0, 20, 3), by_day=4),
    *some("write", range(9), by_day=3),
    *some("commit", range(4), by_day=3),
    ("track", 0),
    ("look_up", 0),
]
"""Kinds of effect, and which of its kind; past the last one of a run nothing happens."""


@pytest.mark.parametrize("fate", ["pause", "crash", "fail"])
@pytest.mark.parametrize(("kind", "nth"), EFFECTS)
def test_a_process_may_stand_still_or_die_or_fail_at_any_effect(scene, kind, nth, fate):
    """Another process takes over, the first goes on later, and the file is applied once."""
    scene.drop("crm", [row("ada", total="1", tags="y"), row("bob", total="10", tier="gold")])
    scene.start("crm", [Fault(kind, nth, fate, after=True)])
    scene.drop("crm", [row("bob", total="1", tier="iron")])
    scene.end()


@pytest.mark.parametrize("fate", ["pause", "crash", "fail"])
@pytest.mark.parametrize(
    ("kind", "nth"),
    [*some("write", range(3, 10), by_day=3), *some("commit", range(5), by_day=2), ("track", 0)],
)
def test_it_may_so_at_any_effect_after_held_values_were_made_ahead(scene, kind, nth, fate):
    """What was made while sending counts once, or not at all, whoever ends the run."""
    scene.ahead_from = AHEAD
    scene.drop("crm", [row("ada", total="1", tags="y"), row("bob", total="10", tier="gold")])
    scene.start("crm", [Fault(kind, nth, fate, after=True)])
    scene.drop("crm", [row("bob", total="1", tier="iron")])
    scene.end()


@pytest.mark.parametrize("variant", range(7))
@pytest.mark.parametrize("after", [False, True])
def test_held_values_made_ahead_are_what_braze_answered(scene, variant, after):
    """Objects that are refused, doubtful, late or answered twice while rows are made of others."""
    scene.ahead_from = AHEAD
    names = ("ada", "bob", "cyd", "dan")
    scene.drop("crm", [row(name, total="10", tier="gold") for name in names])
    scene.start("crm", [Fault("track", 0, "odd", after=after, variant=variant)])
    scene.drop("crm", [row(name, total="1") for name in names])
    scene.end()


@pytest.mark.parametrize("fresh_for", [0.0, 1e9])
def test_a_file_that_another_process_took_meanwhile_is_not_taken_twice(
    scene, monkeypatch, fresh_for
):
    """
    A process that stood still after it listed files does not plan them under a later number.

    Neither where it lists the folder again, nor where it goes by its first look.
    """
    monkeypatch.setattr(waiting, "LISTED_JUST_NOW", fresh_for)
    scene.drop("crm", [row("ada", total="1")])
    for nth in range(1, 6):
        scene.start("crm", [Fault("list", nth, "pause", after=True)])
        scene.start("crm")
        scene.resume(0)
        scene.drop("crm", [row("ada", total="10", tier=str(nth))])
    scene.end()


def test_a_refused_row_without_an_order_gives_way_to_one_that_has_one(scene):
    """Also where the newer row said what was so already, and changed nothing."""
    scene.drop("shop", [row("ada", note="vip", best="3")])
    scene.start("shop", [Fault("track", 0, "odd", variant=0)])
    scene.drop("shop", [row("ada", at="1")])
    scene.start("shop")
    [(verb, job, seq)] = scene.choices()
    scene.start(job, [], verb, seq)
    scene.end()


def test_what_was_refused_is_not_held(scene):
    """After a plain refusal the value before is still what is held."""
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "odd", variant=0)])
    scene.drop("crm", [row("bob", total="1")])
    scene.start("crm")
    assert 1 == scene.profile("bob")["total"]
    scene.end()


def test_values_of_one_profile_do_not_overtake_each_other(scene):
    """Braze may apply an object late, so the next one of the same profile waits."""
    scene.drop("crm", [row("bob", tier="gold")])
    scene.start("crm", [Fault("track", 0, "odd", variant=3)])
    scene.drop("crm", [row("bob", tier="iron")])
    scene.start("crm")
    scene.end()
    assert "iron" == scene.profile("bob")["tier"]


def test_a_lost_answer_adds_nothing_twice(scene):
    """Values are absolute, so the object that was applied and sent again changes nothing."""
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "fail", after=True)])
    scene.start("crm")
    assert 10 == scene.profile("bob")["total"]
    scene.end()


def test_what_never_arrived_is_sent_again(scene):
    """A request without an answer acknowledges nothing."""
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "fail")])
    scene.end()


def test_what_became_uncertain_is_not_looked_up_before_braze_shows_it(scene):
    """A sum that was refused, though an attempt took effect, is not added to the value before."""
    scene.workspace.slow_to_show = True
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "odd", after=True, variant=0)])
    scene.drop("crm", [row("bob", total="1")])
    scene.start("crm")
    assert 11 == scene.profile("bob")["total"]
    scene.end()


def test_an_observation_does_not_stand_above_a_run_that_braze_did_not_show_yet(scene):
    """Of two runs within the grace, a look-up after them includes neither."""
    scene.workspace.slow_to_show = True
    scene.drop("crm", [row("bob", source="shop")])
    scene.start("crm")
    scene.drop("crm", [row("cyd", tier="gold")])
    scene.start("crm")
    scene.drop("crm", [row("bob", total="1"), row("cyd", source="app")])
    scene.start("crm")
    scene.end()


def test_requests_of_the_holder_before_the_last_are_waited_for_too(scene):
    """A second process that dies while it waits for late requests of the first ends no wait."""
    scene.drop("crm", [row("bob", tier="gold")])
    scene.start("crm", [Fault("track", 0, "pause", variant=1)])
    scene.start("crm", [Fault("write", 4, "crash")])
    scene.drop("crm", [row("bob", tier="iron")])
    scene.start("crm")
    scene.end()
    assert "iron" == scene.profile("bob")["tier"]


def test_a_refused_profile_is_given_again_once(scene):
    """What Braze refused is added by a retry, and by no second one."""
    scene.drop("crm", [row("bob", total="10", tags="y", tier="gold", note="vip")])
    scene.start("crm", refuse())
    scene.start("crm", verb="retry", seq=1)
    scene.start("crm", verb="retry", seq=1)
    assert {"total": 10, "tier": "gold", "note": "vip"}.items() <= scene.profile("bob").items()
    scene.end()


def test_a_rejected_row_says_nothing_that_a_row_after_it_has_said(scene):
    """Rows of one file keep their order, even if the first could only be used later."""
    scene.drop("crm", [row("bob", total="0.5", tier="iron", note="vip"), row("bob", tier="gold")])
    scene.start("crm")
    scene.takes_fractions = True
    scene.start("crm", verb="retry", seq=1)
    assert {"tier": "gold", "total": 0.5, "best": 4} == scene.profile("bob")
    scene.end()


def test_a_rejected_row_says_nothing_that_a_later_file_of_its_run_has_said(scene):
    """Files of one run keep their order, even if a row of the first could only be used later."""
    scene.drop("crm", [row("bob", total="0.5", tier="iron")])
    scene.drop("crm", [row("bob", total="1", tier="gold")])
    scene.start("crm")
    scene.takes_fractions = True
    scene.start("crm", verb="retry", seq=1)
    assert {"tier": "gold", "total": 1.5, "best": 4} == scene.profile("bob")
    scene.end()


def test_a_refused_row_says_nothing_that_a_rejected_row_after_it_says(scene):
    """Given again together, refused and rejected rows are in the order of their file."""
    scene.drop("crm", [row("bob", tier="gold"), row("bob", total="0.5", tier="iron")])
    scene.start("crm", refuse())
    scene.takes_fractions = True
    scene.start("crm", verb="retry", seq=1)
    assert "iron" == scene.profile("bob")["tier"]
    scene.end()


@pytest.mark.parametrize(
    ("first", "second", "tier"),
    [("3", "3", "gold"), ("", "", "gold"), ("2", "3", "gold"), ("3", "", "iron")],
)
def test_a_rejected_row_keeps_its_place_in_the_order(scene, first, second, tier):
    """Rows of equal order stand as in their file, even if the first could only be used later."""
    rejected = row("bob", total="0.5", tier="iron", at=first)
    scene.drop("shop", [rejected, row("bob", tier="gold", at=second)])
    scene.start("shop")
    scene.takes_fractions = True
    scene.start("shop", verb="retry", seq=1)
    assert {"tier": tier, "total": 0.5, "best": 4} == scene.profile("bob")
    scene.end()


def test_a_discarded_retry_does_not_hide_what_the_file_gave(scene):
    """A new version is compared with all that the one before gave, whatever was given again."""
    key = scene.drop("crm", [row("ada", total="10"), row("bob", total="10")])
    scene.start("crm", refuse())
    scene.start("crm", [Fault("track", 0, "fail", after=True)], "retry", 1)
    scene.start("crm", verb="discard", seq=2)
    scene.replace(key, [row("ada", total="1"), row("bob", total="1")])
    scene.start("crm")
    scene.start("crm", verb="approve", seq=3)
    assert (6, 1) == (scene.profile("ada")["total"], scene.profile("bob")["total"])
    scene.end()


def test_what_was_applied_before_a_retry_is_not_owed_by_it(scene):
    """A sum that took effect though it was refused is not added once another field is refused."""
    scene.drop("crm", [row("bob", total="10", tier="gold")])
    scene.start("crm", refuse(uncertain=True))
    scene.drop("shop", [row("bob", total="1")])
    scene.start("shop")
    scene.takes_fractions = True
    scene.start("crm", refuse(), "retry", 1)
    scene.start("crm", verb="retry", seq=3)
    assert 11 == scene.profile("bob")["total"]
    scene.end()


def test_a_retry_that_was_refused_without_certainty_is_compared_with_itself(scene):
    """What later runs planned with tells whether a sum took effect, from its own run on."""
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", refuse())
    scene.drop("crm", [row("bob", total="1")])
    scene.start("crm")
    scene.start("crm", refuse(uncertain=True), "retry", 1)
    scene.start("crm", verb="retry", seq=3)
    assert 11 == scene.profile("bob")["total"]
    scene.end()


PLANNED = 4
"""The write by which a run is planned."""
LOOKS = [*some("write", range(9), by_day=4), *some("read", range(4, 16, 4), by_day=3)]
"""Effects of a process that finds an old plan, likewise."""


@pytest.mark.parametrize("fate", ["crash", pytest.param("pause", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), [*LOOKS, ("look_up", 0)])
def test_what_an_old_plan_withholds_stays_owed_wherever_its_process_dies(scene, kind, nth, fate):
    """What somebody else changed before it was sent is left to a person, and then given once."""
    scene.on_drift = "quarantine"
    scene.drop("crm", [row("ada", tier="iron"), row("bob", tier="iron")])
    scene.start("crm")
    scene.drop("crm", [row("ada", total="1", tier="gold"), row("bob", total="10", tier="gold")])
    scene.start("crm", [Fault("write", PLANNED, "crash", after=True)])
    assert ["settled", "planned"] == [run.state for run in scene.runs()]
    scene.workspace.profiles["bob"]["tier"] = "vip"
    scene.time.advance(GRACE + 1)
    scene.start("crm", [Fault(kind, nth, fate, after=True)])
    scene.start("crm")
    while scene.processes:
        scene.resume(0)
    assert {"tier": "vip", "best": 4} == scene.profile("bob")
    assert ("gold", 6) == (scene.profile("ada")["tier"], scene.profile("ada")["total"])
    scene.on_drift = "overwrite"
    scene.start("crm", verb="retry", seq=2)
    assert {"tier": "gold", "best": 4, "total": 10} == scene.profile("bob")
    scene.end()


def test_what_was_refused_is_given_again_as_what_its_column_has_become(scene):
    """A column that held whole numbers holds others by now; what is narrower comes as before."""
    scene.drop("crm", [row("bob", tier="3"), row("ada", tier="20")])
    scene.start("crm", refuse())
    scene.drop("crm", [row("cyd", tier="2.5")])
    scene.start("crm")
    scene.start("crm", verb="retry", seq=1)
    scene.drop("crm", [row("ada", tier="7")])
    scene.start("crm")
    assert [7, 3, 2.5] == [scene.profile(name)["tier"] for name in ("ada", "bob", "cyd")]
    scene.end()
