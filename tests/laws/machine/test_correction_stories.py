"""Stories of rows that a person has corrected: each counts once, in its place, whatever happens."""

import pytest
from support.machine import drops
from support.machine.processes import Fault
from support.machine.telling import refuse, row, some

from exchanger.config.models import Budget

COLUMNS = ("id", *drops.FIELDS, "at")
DECISIVE = [
    *some("write", range(15), by_day=6),
    *some("commit", range(4), by_day=3),
    ("track", 0),
]


def correct(scene, key, run, rows):
    """Drop rows of a file that a run has rejected, corrected: each with its number."""
    job = key.split("/")[1]
    lines = [
        ",".join([*(getattr(each, name) for name in COLUMNS), str(n)]) for n, each in rows.items()
    ]
    body = "\n".join([",".join([*COLUMNS, "_row"]), *lines, ""])
    scene.store.put(key.replace(f"{job}/", f"{job}_corrected/{run}/"), body.encode())
    scene.time.advance(1)


def total(scene, name="bob"):
    return scene.profile(name).get("total")


@pytest.mark.parametrize("fate", ["crash", pytest.param("pause", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), DECISIVE)
def test_corrected_rows_count_once_wherever_their_run_dies_or_stands_still(scene, kind, nth, fate):
    """Another process takes them on, or takes them up; a second version of them adds nothing."""
    key = scene.drop("crm", [row("bob", total="0.5"), row("eve", total="1"), row("cyd", total="x")])
    scene.start("crm")
    correct(scene, key, 1, {1: row("bob", total="5"), 2: row("eve", total="9")})
    scene.start("crm", [Fault(kind, nth, fate, after=True)])
    scene.start("crm")
    scene.come_to_rest()
    assert (5, 1) == (total(scene), total(scene, "eve"))
    correct(scene, key, 1, {1: row("bob", total="7"), 3: row("cyd", total="3")})
    scene.start("crm")
    scene.come_to_rest()
    assert (5, 1, 3) == tuple(total(scene, name) for name in ("bob", "eve", "cyd"))


def test_what_a_retry_gave_is_not_given_corrected_and_the_other_way_round(scene):
    """Whichever comes first has the row; a retry of the run that took it up gives the rest."""
    key = scene.drop("crm", [row(name, total="0.5") for name in ("eve", "bob", "cyd")])
    scene.start("crm")
    correct(scene, key, 1, {1: row("eve", total="1")})
    scene.start("crm")
    scene.takes_fractions = True
    assert not scene.start("crm", verb="retry", seq=1).result.rows_applied
    assert 2 == scene.start("crm", verb="retry", seq=2).result.rows_applied
    correct(scene, key, 1, {1: row("eve", total="2"), 2: row("bob", total="2")})
    scene.start("crm")
    scene.come_to_rest()
    assert (1, 0.5, 0.5) == tuple(total(scene, name) for name in ("eve", "bob", "cyd"))


def test_what_is_still_wrong_is_read_where_it_was_corrected_last(scene):
    """A retry takes each row from its own place: the file, or what a person made of it."""
    key = scene.drop("crm", [row(name, total="0.5") for name in ("eve", "bob")])
    scene.start("crm")
    correct(scene, key, 1, {2: row("bob", total="1.25")})
    scene.start("crm")
    scene.takes_fractions = True
    scene.start("crm", verb="retry", seq=2)
    scene.come_to_rest()
    assert (0.5, 1.25) == (total(scene, "eve"), total(scene))


def test_a_corrected_row_says_nothing_that_rows_after_it_have_said(scene):
    """Be they of its file as it came, of a run since, or corrected before it."""
    rows = [row("bob", total="x", tier="iron"), row("bob", total="y", tier="gold")]
    key = scene.drop("crm", [*rows, row("eve", total="z", tier="iron"), row("eve", tier="gold")])
    scene.start("crm")
    correct(scene, key, 1, {2: row("bob", total="1", tier="gold")})
    scene.start("crm")
    last = {1: row("bob", total="2", tier="iron"), 3: row("eve", total="4", tier="iron")}
    correct(scene, key, 2, last)
    scene.start("crm")
    assert ("gold", 3) == (scene.profile("bob")["tier"], total(scene))
    assert ("gold", 4) == (scene.profile("eve")["tier"], total(scene, "eve"))


def test_a_new_version_takes_back_what_corrected_rows_gave(scene):
    """They count as rows of their file, and are of no use once a newer version says it all."""
    key = scene.drop("crm", [row("bob", total="x"), row("eve", total="y"), row("cyd", total="1")])
    scene.start("crm")
    correct(scene, key, 1, {1: row("bob", total="5")})
    scene.start("crm")
    scene.replace(key, [row("bob", total="7"), row("cyd", total="1")])
    scene.start("crm")
    scene.start("crm", verb="approve", seq=3)
    correct(scene, key, 1, {2: row("eve", total="9")})
    scene.start("crm")
    scene.come_to_rest()
    assert (7, None, 1) == (total(scene), total(scene, "eve"), total(scene, "cyd"))


def test_what_braze_refused_stays_aside_while_rows_are_corrected(scene):
    """Nobody asked for it: it is given again by a retry of the run that took it up, and once."""
    key = scene.drop("crm", [row("bob", total="5"), row("eve", total="x")])
    scene.start("crm", refuse())
    correct(scene, key, 1, {2: row("eve", total="1")})
    scene.start("crm")
    assert (None, 1) == (total(scene), total(scene, "eve"))
    scene.start("crm", verb="retry", seq=2)
    scene.start("crm", verb="retry", seq=1)
    scene.come_to_rest()
    assert (5, 1) == (total(scene), total(scene, "eve"))


@pytest.mark.parametrize(
    ("first", "second", "tier"),
    [("3", "3", "gold"), ("", "", "gold"), ("2", "3", "gold"), ("3", "", "iron")],
)
def test_a_corrected_row_keeps_its_place_in_the_order(scene, first, second, tier):
    """Rows of equal order stand as in their file; of others, the higher order counts."""
    rejected = row("bob", total="0.5", tier="iron", at=first)
    key = scene.drop("shop", [rejected, row("bob", tier="gold", at=second)])
    scene.start("shop")
    correct(scene, key, 1, {1: row("bob", total="5", tier="iron", at=first)})
    scene.start("shop")
    assert (tier, 5) == (scene.profile("bob")["tier"], total(scene))


@pytest.mark.parametrize("verb", ["approve", pytest.param("run", marks=pytest.mark.nightly)])
@pytest.mark.parametrize(("kind", "nth"), DECISIVE)
def test_corrected_rows_that_wait_count_once_wherever_a_process_dies(scene, verb, kind, nth):
    """Be it the one that holds them back, or the one that gives them once a person has decided."""
    key = scene.drop("crm", [row("bob", total="0.5"), row("eve", total="x"), row("cyd", total="1")])
    scene.start("crm")
    scene.budget = Budget(data_points={"day": 1})
    correct(scene, key, 1, {1: row("bob", total="5")})
    faults = [Fault(kind, nth, "crash", after=True)]
    scene.start("crm", faults if verb == "run" else ())
    scene.come_to_rest()
    assert (None, "held_back") == (total(scene), scene.runs()[1].state)
    scene.start("crm", faults if verb == "approve" else (), verb="approve", seq=2)
    scene.come_to_rest()
    if scene.runs()[1].state == "held_back":
        scene.start("crm", verb="approve", seq=2)
    scene.come_to_rest()
    assert (5, None, 1) == tuple(total(scene, name) for name in ("bob", "eve", "cyd"))
    assert [] == [run.seq for run in scene.runs() if run.state not in ("settled", "discarded")]
    correct(scene, key, 1, {1: row("bob", total="7"), 2: row("eve", total="3")})
    scene.budget = None
    scene.start("crm")
    scene.come_to_rest()
    assert (5, 3) == (total(scene), total(scene, "eve"))
