"""Braze says when it is done with what a run has sent: then nobody waits, and nothing is lost."""

import pytest
from support.machine.processes import Fault
from support.machine.scene import GRACE, SPACING
from support.machine.telling import refuse, row

from exchanger.jobs.history.shown import ASKED_EVERY

SOON = SPACING + 2
"""What two runs take that wait for nothing but the spacing."""
LATE, LOST = ([Fault("track", 0, "odd", after=arrives, variant=6)] for arrives in (True, False))
"""The first attempt arrives late, or never, and of the second the first object is refused."""


def always():
    return True


def never():
    return False


def seconds_of(scene, act):
    """Tell how much time passes while something is done."""
    begun = scene.time.seconds
    act()
    return scene.time.seconds - begun


def look_up_what_became_uncertain(scene, faults):
    """Let a sum be refused without certainty, and tell how long the next run waits to use it."""
    scene.workspace.slow_to_show = True
    scene.drop("crm", [row("bob", total="10", tags="x")])
    scene.start("crm", faults)
    scene.drop("crm", [row("bob", total="1")])
    waited = seconds_of(scene, lambda: scene.start("crm"))
    assert (1 if faults is LOST else 11) == scene.profile("bob")["total"]
    return waited


def test_what_became_uncertain_is_looked_up_at_once_where_braze_is_done(scene):
    """Nobody waits for the grace if Braze has processed every attempt of the run before."""
    scene.workspace.tells = always
    assert look_up_what_became_uncertain(scene, refuse(uncertain=True)) <= SOON
    scene.end()


@pytest.mark.parametrize("tells", [None, never], ids=["forbidden", "nothing is told"])
def test_without_a_word_of_braze_the_grace_is_waited_for_as_ever(scene, tells):
    """Neither less, nor more, however often it was asked in vain."""
    scene.workspace.tells = tells
    waited = look_up_what_became_uncertain(scene, refuse(uncertain=True))
    assert GRACE - 1 <= waited <= GRACE + SOON
    scene.end()


@pytest.mark.parametrize(
    ("faults", "most"), [(LATE, ASKED_EVERY), (LOST, GRACE)], ids=["arrives late", "never arrives"]
)
def test_an_attempt_that_is_still_on_its_way_is_waited_for(scene, faults, most):
    """Braze is done with what it has received, and that is less than was sent."""
    scene.workspace.tells = always
    assert most - 1 <= look_up_what_became_uncertain(scene, faults) <= most + SOON
    scene.end()


def test_what_braze_has_not_processed_yet_is_asked_for_until_it_has(scene):
    """It says "processing" for as long as it takes, and nobody waits much longer than that."""
    scene.workspace.tells = always
    scene.workspace.slow_to_apply = True
    scene.drop("crm", [row(name, total="10") for name in ("ada", "bob", "cyd", "dan")])
    scene.start("crm", refuse(uncertain=True))
    scene.drop("crm", [row(name, total="1") for name in ("ada", "bob")])
    waited = seconds_of(scene, lambda: scene.start("crm"))
    assert ASKED_EVERY <= waited <= ASKED_EVERY + SOON
    scene.time.advance(SPACING)
    assert [16, 11] == [scene.profile(name)["total"] for name in ("ada", "bob")]
    scene.end()


def test_what_was_looked_up_then_stands_above_what_was_sent(scene):
    """It is dated by the run that Braze is done with, so it is not looked up once more."""
    scene.workspace.tells = always
    look_up_what_became_uncertain(scene, refuse(uncertain=True))
    scene.drop("crm", [row("bob", tags="y")])
    # The first look-up reads back what was delivered for the first time.
    scene.start("crm", [Fault("look_up", 1, "crash")])
    assert ["x", "y"] == scene.profile("bob")["tags"]
    scene.end()


@pytest.mark.parametrize("seq", [0, 1])
def test_a_take_over_waits_for_what_has_not_arrived_whatever_braze_says(scene, seq):
    """Of late requests of a predecessor Braze knows nothing yet, so the grace is waited for."""
    scene.workspace.tells = always
    scene.drop("crm", [row("bob", tier="gold")])
    scene.start("crm", [Fault("track", 0, "pause", variant=1)])
    verb = "discard" if seq else "run"
    assert GRACE <= seconds_of(scene, lambda: scene.start("crm", verb=verb, seq=seq))
    scene.drop("crm", [row("bob", tier="iron")])
    scene.start("crm")
    scene.end()
    assert "iron" == scene.profile("bob")["tier"]


def test_a_run_that_several_processes_sent_is_waited_for_whatever_braze_says(scene):
    """What a predecessor sent is in no count: its requests are not known to have arrived."""
    scene.workspace.tells = always
    scene.workspace.slow_to_show = True
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "fail", after=True, variant=1)])
    scene.start("crm", refuse(uncertain=True))
    (run,) = scene.runs()
    assert (True, "", 0) == (run.resumed, run.group, run.taken)
    scene.drop("crm", [row("bob", total="1")])
    assert GRACE - 1 <= seconds_of(scene, lambda: scene.start("crm"))
    assert 11 == scene.profile("bob")["total"]
    scene.end()


def test_braze_is_asked_once_a_day_whether_it_tells(scene):
    """The answer is remembered for all processes, whichever it is."""
    asked = []
    scene.workspace.tells = always
    scene.workspace.done_with = asked.append
    for number in range(3):
        scene.drop("crm", [row("bob", tier=str(number))])
        scene.start("crm")
    assert ["exchanger"] == asked
    scene.workspace.tells = None
    groups = [run.group for run in scene.runs()]
    assert 3 == len({*groups})
    assert all(group.startswith("exchanger-") for group in groups)
    scene.time.advance(86_400)
    scene.drop("crm", [row("bob", tier="none")])
    scene.start("crm")
    scene.workspace.tells = always
    scene.drop("crm", [row("bob", tier="still none")])
    scene.start("crm")
    assert ["", ""] == [run.group for run in scene.runs()[3:]]
