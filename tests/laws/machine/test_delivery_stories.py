"""Stories that once ended badly, told effect by effect; and one for every effect of a run."""

import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

sys.path.insert(0, str(Path(__file__).parent))
from drops import Row
from processes import Fault
from scene import Scene


@pytest.fixture
def scene():
    with capture_logs():
        scene = Scene()
        yield scene
        scene.close()


def row(profile, *, total="", tags="", tier="", source="", note="", best=""):
    return Row(profile, total, tags, tier, source, note, best)


EFFECTS = [
    *(("list", nth) for nth in range(10)),
    *(("read", nth) for nth in range(0, 20, 3)),
    *(("write", nth) for nth in range(9)),
    *(("commit", nth) for nth in range(4)),
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


def test_a_file_that_another_process_took_meanwhile_is_not_taken_twice(scene):
    """A process that stood still after it listed files does not plan them under a later number."""
    scene.drop("crm", [row("ada", total="1")])
    for nth in range(1, 6):
        scene.start("crm", [Fault("list", nth, "pause", after=True)])
        scene.start("crm")
        scene.resume(0)
        scene.drop("crm", [row("ada", total="10", tier=str(nth))])
    scene.end()


def test_what_was_refused_is_not_held(scene):
    """After a plain refusal the value before is still what is held."""
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "odd", variant=0)])
    scene.drop("crm", [row("bob", total="1")])
    scene.start("crm")
    assert 1 == scene.workspace.profiles["bob"]["total"]
    scene.end()


def test_values_of_one_profile_do_not_overtake_each_other(scene):
    """Braze may apply an object late, so the next one of the same profile waits."""
    scene.drop("crm", [row("bob", tier="gold")])
    scene.start("crm", [Fault("track", 0, "odd", variant=3)])
    scene.drop("crm", [row("bob", tier="iron")])
    scene.start("crm")
    scene.end()
    assert "iron" == scene.workspace.profiles["bob"]["tier"]


def test_a_lost_answer_adds_nothing_twice(scene):
    """Values are absolute, so the object that was applied and sent again changes nothing."""
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "fail", after=True)])
    scene.start("crm")
    assert 10 == scene.workspace.profiles["bob"]["total"]
    scene.end()


def test_what_became_uncertain_is_not_looked_up_before_braze_shows_it(scene):
    """A sum that was refused, though an attempt took effect, is not added to the value before."""
    scene.workspace.slow_to_show = True
    scene.drop("crm", [row("bob", total="10")])
    scene.start("crm", [Fault("track", 0, "odd", after=True, variant=0)])
    scene.drop("crm", [row("bob", total="1")])
    scene.start("crm")
    assert 11 == scene.workspace.profiles["bob"]["total"]
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
    assert "iron" == scene.workspace.profiles["bob"]["tier"]
