import pytest

from exchanger.service.looking.due_imports import (
    FEW,
    GATHERED,
    LOOKS_APART,
    TRUSTED,
    DueImports,
    Verdict,
)
from exchanger.service.looking.folder_scanner import ScanResult

MANY = ["a", "b", "c", "d"]


def seen(new="", first=""):
    return ScanResult(frozenset(new.split()), frozenset(first.split()))


def look(arrivals, jobs, showed, now=0.0):
    """Let jobs be due, look, and give the verdict."""
    for job in jobs:
        arrivals.due(job, "schedule", now)
    arrivals.begin_look(now)
    return arrivals.looked(showed, now)


def settled(jobs=MANY):
    """Arrivals that know of these jobs, at time 0, that they have nothing to do."""
    arrivals = DueImports()
    look(arrivals, jobs, seen(first=" ".join(jobs)))
    for job in jobs:
        arrivals.started(job)
        arrivals.ended(job, nothing_left=True, now=0.0)
    arrivals.answered([], 0.0)
    return arrivals


def test_with_nothing_known_a_question_is_asked_for_many_jobs():
    """Jobs of which nobody can tell are not started one by one; the answer decides."""
    arrivals = DueImports()

    asked = look(arrivals, MANY, seen(first="a b c d"))
    answered = arrivals.answered(["c"], 0.0)
    again = look(arrivals, MANY, seen(), now=10.0)

    assert Verdict(doubtful=MANY) == asked
    assert Verdict(turns={"c": "schedule"}, idle=["a", "b", "d"]) == answered
    # c has not run yet, so nobody can tell; it is one of few, and its run tells best.
    assert Verdict(turns={"c": "schedule"}, idle=["a", "b", "d"]) == again


def test_with_nothing_known_a_few_jobs_are_just_started():
    """A run costs as much as a question."""
    few = MANY[:FEW]

    assert Verdict(turns=dict.fromkeys(few, "schedule")) == look(DueImports(), few, seen())


@pytest.mark.parametrize(
    ("showed", "now", "turns"),
    [
        (seen(), 1.0, ""),
        (seen(), TRUSTED - 1, ""),
        (seen(new="a"), 1.0, "a"),
        (seen(new="a d"), 1.0, "a"),  # d was not due
        (seen(first="a b"), 1.0, "a b"),  # the folder is a new one, so nothing is known of it
        (None, 1.0, "a b"),  # the look failed
        (seen(), TRUSTED + 1, "a b"),  # long enough: see for certain
    ],
)
def test_a_settled_job_runs_only_for_a_reason(showed, now, turns):
    """Two jobs with nothing to do are due again; a look showed this at that time."""
    verdict = look(settled(), ["a", "b"], showed, now)

    assert turns.split() == sorted(verdict.turns)
    assert sorted({"a", "b"} - set(turns.split())) == verdict.idle


def test_what_is_new_is_not_forgotten_until_a_run_saw_it():
    """A job that was not due when its file came, or did not get to it, still has its reason."""
    arrivals = settled()
    look(arrivals, ["b"], seen(new="a"), 1.0)
    arrivals.begin_look(7.0)
    arrivals.looked(seen(), 7.0)

    assert ["a"] == list(look(arrivals, ["a"], seen(), 14.0).turns)
    assert ["a"] == list(look(arrivals, ["a"], seen(), 21.0).turns)


def test_what_comes_during_a_run_is_a_reason_for_another():
    """The run may have listed its folder before."""
    arrivals = settled()
    look(arrivals, ["a"], seen(new="a"), 1.0)
    arrivals.started("a")
    during = look(arrivals, ["b"], seen(new="a"), 7.0)
    arrivals.ended("a", nothing_left=True, now=8.0)

    assert Verdict(idle=["b"]) == during
    assert ["a"] == list(look(arrivals, ["a"], seen(), 14.0).turns)


def test_a_first_look_during_a_run_proves_nothing():
    """What was there at the first look may have come after the run listed its folder."""
    arrivals = DueImports()
    look(arrivals, ["a"], None)
    arrivals.started("a")
    look(arrivals, ["a"], seen(first="a"), 7.0)
    arrivals.ended("a", nothing_left=True, now=8.0)

    assert ["a"] == list(look(arrivals, ["a"], seen(), 14.0).turns)


def test_a_run_that_did_not_end_well_is_a_reason_for_another():
    """A failure, a crash, rows that were rejected: the next time the job is due, it runs."""
    arrivals = settled()
    arrivals.started("a")
    arrivals.ended("a", nothing_left=False, now=1.0)

    assert {"a": "schedule"} == look(arrivals, ["a", "b"], seen(), 2.0).turns


def test_a_job_that_runs_is_not_started_again_for_nothing():
    """It was due while it ran, and nothing has come since: its run is the answer."""
    arrivals = settled()
    look(arrivals, ["a"], seen(new="a"))
    arrivals.started("a")

    assert Verdict(idle=["a"]) == look(arrivals, ["a"], seen(), 7.0)


def test_a_failed_question_starts_the_jobs():
    """Whoever cannot be asked about is run, and its report tells what is wrong."""
    arrivals = DueImports()
    look(arrivals, MANY, seen(first="a b c d"))

    assert Verdict(turns=dict.fromkeys(MANY, "schedule")) == arrivals.answered(None, 0.0)


def test_what_comes_while_a_question_is_open_is_a_reason():
    """The answer may be older than the file."""
    arrivals = DueImports()
    look(arrivals, MANY, seen(first="a b c d"))
    arrivals._remember(seen(new="b"))

    assert ["b"] == list(arrivals.answered([], 0.0).turns)


def test_looks_keep_their_distance_and_gather_what_is_due():
    """One look at a time; what falls due meanwhile, or right after, waits for the next one."""
    arrivals = DueImports()
    assert arrivals.seconds_to_look(100.0) is None
    arrivals.due("a", "schedule", 100.0 - GATHERED)
    arrivals.due("c", "schedule", 100.0)
    assert arrivals.seconds_to_look(100.0) == 0

    arrivals.begin_look(100.0)
    arrivals.due("b", "missed", 101.0)
    assert (arrivals.looked_for, arrivals.seconds_to_look(101.0)) == (["a", "c"], None)
    arrivals.looked(seen(first="a b"), 101.0)

    assert LOOKS_APART - 1 == arrivals.seconds_to_look(101.0)
    arrivals.begin_look(100.0 + LOOKS_APART)
    assert arrivals.looked_for == ["b"]


def test_another_configuration_keeps_what_is_due_and_trusts_nothing():
    """Nobody who was due is forgotten, whatever was under way; jobs that are gone are."""
    arrivals = settled()
    arrivals.due("b", "missed", 1.0)
    arrivals.due("d", "missed", 1.0)
    arrivals.begin_look(1.0)
    arrivals.due("a", "schedule", 1.0)

    heir = arrivals.heir({"a", "b", "c"})
    heir.begin_look(8.0)
    verdict = heir.looked(seen(first="a b c"), 8.0)

    assert Verdict(turns={"b": "missed", "a": "schedule"}) == verdict
