"""The first objects of a run go alone: the rest follows once, or is owed, whatever happens."""

import pytest
from support.machine.processes import Fault
from support.machine.telling import refuse, row

CAST = ("ada", "bob", "cyd")
SENT = [Fault("track", 0, "odd", variant=3)]
"""What is sent first is taken, if late; effects are counted from there, after all of the plan."""
READ_BACK = [*SENT, Fault("look_up", 0, "odd")]
"""It is read back; nothing odd is shown by then, as the grace is over."""
FATES = ["crash", "pause", "fail"]


def at(before, kind, numbers, by_day=()):
    """Let something happen at effects of a kind, counted from the fault before; some by day."""
    return [
        pytest.param(
            [*before, Fault(kind, nth, fate, after=True)],
            id=f"{kind}-{nth}-{fate}{'-later' if before else ''}",
            marks=[] if nth in by_day and fate == "crash" else [pytest.mark.nightly],
        )
        for nth in numbers
        for fate in FATES
    ]


FAULTS = [
    *at([], "write", range(4, 10), by_day=[7]),
    *at([], "list", range(2, 5)),
    *at([], "read", range(7, 10)),
    *at([], "track", range(3), by_day=[0]),
    *at(SENT, "look_up", [0], by_day=[0]),
    *at(READ_BACK, "write", range(8), by_day=[0, 1]),
    *at(READ_BACK, "list", range(3)),
    *at(READ_BACK, "commit", range(3)),
]
"""Before, at and after the moment at which it is decided what becomes of the rest."""


@pytest.fixture
def scene(scene):
    """All have a row, and one of them is sent first."""
    scene.canary = 1
    scene.drop("crm", [row(name, total="10", tier="gold") for name in CAST])
    return scene


def disagree(scene):
    """Let look-ups show another tier than Braze was sent; returns what lets them tell the truth."""
    braze = scene.workspace
    honest = braze.shown, braze.stale

    def other(profile):
        return profile | {"tier": "lead"} if profile.get("tier") == "gold" else profile

    def agree():
        braze.shown, braze.stale = honest

    braze.shown, braze.stale = (
        lambda told=told: {name: other(profile) for name, profile in told().items()}
        for told in honest
    )
    return agree


def given(scene):
    """Name who has what their row gives them."""
    return [name for name in CAST if scene.profile(name).get("tier") == "gold"]


def go_on(scene):
    """Let another process do what is left, and then those that stood still."""
    scene.start("crm")
    while scene.processes:
        scene.resume(0)


def demand_held(scene):
    """The first object alone was sent, and nothing sends the others by itself."""
    scene.start("crm")
    [run] = scene.runs()
    assert ("settled", True, 1) == (run.state, run.rest_withheld, len(given(scene)))


def give_the_rest(scene):
    """A retry gives the rest at once; another one finds nothing to do."""
    for _ in range(2):
        scene.start("crm", verb="retry", seq=1)
    assert [*CAST] == given(scene)
    assert [15, 10, 10] == [scene.profile(name)["total"] for name in CAST]
    assert 2 == len(scene.runs())


@pytest.mark.parametrize("faults", FAULTS)
def test_the_rest_follows_once_wherever_its_process_dies(scene, faults):
    """Braze has what was sent first, so all is sent, and counts once."""
    scene.start("crm", faults)
    go_on(scene)
    assert [*CAST] == given(scene)
    assert not any(run.rest_withheld for run in scene.runs())
    scene.drop("crm", [row("bob", total="1", tier="iron")])
    scene.end()


@pytest.mark.parametrize("faults", FAULTS)
def test_the_rest_is_owed_wherever_its_process_dies(scene, faults):
    """Braze shows something else, so the rest waits for a retry, which gives it once."""
    agree = disagree(scene)
    scene.start("crm", faults)
    go_on(scene)
    demand_held(scene)
    agree()
    give_the_rest(scene)
    scene.end()


@pytest.mark.parametrize("holds", [True, False])
def test_of_two_processes_that_see_different_things_one_decides(scene, holds):
    """Whoever writes it into the run first: the other one finds out, and sends or keeps nothing."""
    agree = disagree(scene)
    if holds:
        agree()
    scene.start("crm", [*SENT, Fault("look_up", 0, "pause", after=True)])
    if holds:
        agree = disagree(scene)
    else:
        agree()
    go_on(scene)
    if holds:
        demand_held(scene)
        agree()
        give_the_rest(scene)
    assert [*CAST] == given(scene)
    scene.end()


@pytest.mark.parametrize("holds", [True, False])
def test_what_was_decided_stands_whatever_is_shown_later(scene, holds):
    """Whoever goes on with the run does not look again."""
    agree = disagree(scene)
    if not holds:
        agree()
    scene.start("crm", [*READ_BACK, Fault("write", 0, "crash", after=True)])
    if holds:
        agree()
    else:
        agree = disagree(scene)
    go_on(scene)
    if holds:
        demand_held(scene)
        give_the_rest(scene)
    assert [*CAST] == given(scene)
    agree()
    scene.end()


def test_an_object_that_braze_refuses_holds_the_rest(scene):
    """It is owed then, and so is what was not sent, though all else is as it was sent."""
    scene.canary = 2
    scene.start("crm", refuse())
    assert 1 == len(given(scene))
    give_the_rest(scene)
    scene.end()


@pytest.mark.parametrize(
    "faults",
    [[*SENT, Fault("look_up", 0, "crash")], [*READ_BACK, Fault("write", 0, "crash", after=True)]],
)
def test_a_discard_drops_the_rest(scene, faults):
    """Whether or not it was decided that it waits: what was sent stays, and nothing follows."""
    disagree(scene)
    scene.start("crm", faults)
    scene.start("crm", verb="discard", seq=1)
    scene.start("crm")
    assert ["discarded"] == [run.state for run in scene.runs()]
    assert 1 == len(given(scene))
    scene.end()


def test_as_many_objects_as_are_sent_first_wait_for_nothing(scene):
    """A run that has no more is sent as ever."""
    scene.canary = 3
    begun = scene.time.seconds
    scene.start("crm")
    assert [*CAST] == given(scene)
    assert scene.time.seconds - begun < 5
    scene.end()
