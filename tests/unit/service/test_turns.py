import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanger.service.turns import Turns


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("ask a", ["start"]),
        ("ask a, ask a", ["start", "coalesced"]),
        ("ask a, ask a, ask a, end a, end a", ["start", "coalesced", "coalesced", "a", ""]),
        ("ask a, ask b, ask c", ["start", "start", "wait"]),
        ("ask a, ask b, ask c, ask c", ["start", "start", "wait", "coalesced"]),
        ("ask a, ask b, ask c, ask d, end a, end b", ["start", "start", "wait", "wait", "c", "d"]),
        # a waits for itself, and does not hold up c, which only waits for a place
        ("ask a, ask b, ask a, ask c, end b", ["start", "start", "coalesced", "wait", "c"]),
        ("ask a, ask a, end a, end a, ask a", ["start", "coalesced", "a", "", "start"]),
        ("ask a, ask a, forget, end a, ask a", ["start", "coalesced", "", "", "start"]),
    ],
)
def test_turns_with_two_places(steps, expected):
    """Asked in this order, the places are given out so."""
    turns = Turns(2)
    answers = []
    for step in steps.split(", "):
        match step.split():
            case ["ask", job]:
                answers.append(turns.ask(job))
            case ["end", job]:
                answers.append(" ".join(turns.end(job)))
            case _:
                turns.keep_only(())
                answers.append("")

    assert expected == answers


@given(st.lists(st.tuples(st.sampled_from(["ask", "end"]), st.sampled_from("abcde"))))
def test_no_job_overlaps_and_none_is_forgotten(steps):
    """Whatever happens: at most three run, never two of a job, and all that was asked for runs."""
    turns = Turns(3)
    running, owed = [], set()

    def begin(job):
        running.append(job)
        owed.discard(job)

    for step, job in steps:
        if step == "ask":
            owed.add(job)
            if turns.ask(job) == "start":
                begin(job)
        elif job in running:
            running.remove(job)
            for following in turns.end(job):
                begin(following)
        assert len(running) == len(set(running)) <= 3
    while running:
        for following in turns.end(running.pop(0)):
            begin(following)

    assert set() == owed
