"""The first objects of a run are sent alone: the rest follows once, or is owed, whatever happens."""

import pytest
from support.machine.processes import Fault
from support.machine.scene import AHEAD
from support.machine.telling import refuse, row, some

CAST = ("ada", "bob", "cyd")
PLANNED = 4
"""The write by which a run is planned."""
FROM_THEN_ON = range(PLANNED, PLANNED + 16)
EFFECTS = [
    *some("write", FROM_THEN_ON, by_day=3),
    *some("list", range(12), by_day=6),
    *some("read", range(0, 24, 3), by_day=4),
    *some("track", range(3)),
    ("look_up", 1),
]
"""Kinds of effect, and which of its kind: before, at and after what was sent first was read back."""


@pytest.fixture
def scene(scene):
    """All have a row, and one of them is sent first."""
    scene.canary = 1
    scene.drop("crm", [row(name, total="10", tier="gold") for name in CAST])
    return scene


def disagree(scene):
    """Let look-ups show another tier than Braze was sent; returns what lets them tell the truth."""
    told = scene.workspace.shown

    def shown():
        return {
            name: has | {"tier": "lead"} if has.get("tier") == "gold" else has
            for name, has in told().items()
        }

    def agree():
        scene.workspace.shown = told

    scene.workspace.shown = shown
    return agree


def given(scene):
    """Name who has what their row gives them."""
    return [name for name in CAST if scene.profile(name).get("tier") == "gold"]


def let_all_end(scene):
    scene.start("crm")
    while scene.processes:
        scene.resume(0)


@pytest.mark.parametrize("fate", ["crash", "pause", pytest.param("fail", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), EFFECTS)
def test_the_rest_follows_once_wherever_its_process_dies(scene, kind, nth, fate):
    """Braze has what was sent first, so all is sent, and counts once."""
    scene.start("crm", [Fault(kind, nth, fate, after=True)])
    let_all_end(scene)
    assert [*CAST] == given(scene)
    assert not any(run.rest_withheld for run in scene.runs())
    scene.drop("crm", [row("bob", total="1", tier="iron")])
    scene.end()


@pytest.mark.parametrize("fate", ["crash", "pause", pytest.param("fail", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), EFFECTS)
def test_the_rest_is_owed_wherever_its_process_dies(scene, kind, nth, fate):
    """Braze shows something else, so the rest waits for a retry, which gives it once."""
    agree = disagree(scene)
    scene.start("crm", [Fault(kind, nth, fate, after=True)])
    let_all_end(scene)
    [run] = scene.runs()
    assert ("settled", True, 1) == (run.state, run.rest_withheld, len(given(scene)))
    agree()
    scene.start("crm", verb="retry", seq=1)
    assert [*CAST] == given(scene)
    scene.start("crm", verb="retry", seq=1)
    assert [15, 10, 10] == [scene.profile(name)["total"] for name in CAST]
    scene.end()
