import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanger.service.scheduling.run_queue import URGENT_IN_A_ROW, Place, RunQueue

RANKS = {"!": 0, "": 1, "~": 2}


def place(word):
    """Read ``main!a``: job a, urgent, in lane main; ``a`` alone has no lane; ``main~a`` is low."""
    for sign in ("!", "~", ":"):
        if sign in word:
            lane, job = word.split(sign)
            return job, Place(lane or None, RANKS.get(sign, 1))
    return word, Place()


def ask(turns, job, where):
    return turns.ask({job: where})[job]


def carry_out(turns, steps):
    """Carry out ``ask``, ``end`` and ``fail JOB``, ``resume``, ``forget``; list the answers."""
    answers = []
    for step in steps.split(", "):
        match step.split():
            case ["ask", word]:
                answers.append(ask(turns, *place(word)))
            case ["end", job]:
                answers.append(" ".join(turns.end(job)))
            case ["fail", job]:
                turns.put_back(job)
                answers.append("")
            case ["resume"]:
                answers.append(" ".join(turns.resume()))
            case _:
                turns.keep_only(())
                answers.append("")
    return answers


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
        # an urgent job overtakes what waits, a low one lets the others go first
        ("ask a, ask b, ask c, ask !d, end a", ["start", "start", "wait", "wait", "d"]),
        ("ask a, ask b, ask ~c, ask d, end a", ["start", "start", "wait", "wait", "d"]),
        # a start that failed is made up for, after those that were waiting
        ("ask a, fail a, ask b, ask c, resume", ["start", "", "wait", "wait", "b c"]),
        ("ask a, fail a, resume, end a", ["start", "", "a", ""]),
        ("ask a, fail a, ask a, resume, end a", ["start", "", "coalesced", "a", ""]),
        ("ask a, ask b, ask c, fail b, end a", ["start", "start", "wait", "", ""]),
        ("ask a, fail a, forget, resume", ["start", "", "", ""]),
    ],
)
def test_turns_with_two_places(steps, expected):
    """Asked in this order, the places are given out so."""
    assert expected == carry_out(RunQueue(2), steps)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("ask eu:a, ask eu:b, end a", ["start", "wait", "b"]),
        ("ask eu:a, ask us:b", ["start", "start"]),
        # jobs without a lane have places of their own
        ("ask eu:a, ask us:b, ask c, ask d, ask e", ["start", "start", "start", "start", "wait"]),
        # no lane waits behind another one's queue
        ("ask eu:a, ask eu:b, ask eu:c, ask us:d", ["start", "wait", "wait", "start"]),
        ("ask eu:a, ask eu:b, ask eu!c, end a", ["start", "wait", "wait", "c"]),
        # a has more to do, and its next turn after all others had theirs
        (
            "ask eu:a, ask eu:b, ask eu:c, ask eu:a, end a, end b, end c",
            ["start", "wait", "wait", "coalesced", "b", "c", "a"],
        ),
        # who was served longest ago is next, whoever asked first
        (
            "ask eu:b, end b, ask eu:a, end a, ask eu:c, ask eu:a, ask eu:b, end c",
            ["start", "", "start", "", "start", "wait", "wait", "b"],
        ),
        # urgent work with more to do keeps its turns
        ("ask eu!a, ask eu:b, ask eu!a, end a", ["start", "wait", "coalesced", "a"]),
        # lanes take turns where places are short
        (
            "ask eu:a, ask us:b, ask uk:c, ask eu!d, end a, end b",
            ["start", "start", "wait", "wait", "c", "d"],
        ),
    ],
)
def test_turns_in_lanes(steps, expected):
    """One run at a time in each lane; two lanes at a time here."""
    assert expected == carry_out(RunQueue(2), steps)


def test_of_jobs_that_are_due_together_the_most_urgent_starts():
    """Asked for in one breath, neither their order nor the alphabet matters."""
    together = {"a": Place("eu", 2), "b": Place("eu", 0), "c": Place("eu", 1)}
    turns = RunQueue(2)

    assert {"a": "wait", "b": "start", "c": "wait"} == turns.ask(together)
    assert ["c"] == turns.end("b")


def test_urgent_work_without_end_lets_others_through():
    """After a few urgent turns in a row the job that has waited longest has one, then the next."""
    turns = RunQueue(4)
    ask(turns, "urgent", Place("eu", 0))
    ask(turns, "low", Place("eu", 2))
    ask(turns, "normal", Place("eu", 1))
    served = []
    for _ in range(2 * (URGENT_IN_A_ROW + 1)):
        running = served[-1] if served else "urgent"
        ask(turns, "urgent", Place("eu", 0))
        served += turns.end(running)

    block = ["urgent"] * URGENT_IN_A_ROW
    assert [*block, "low", *block, "normal"] == served


JOBS = {
    "a": Place("eu", 0),
    "b": Place("eu", 1),
    "c": Place("eu", 1),
    "d": Place("eu", 2),
    "e": Place("us", 1),
    "f": Place("us", 1),
    "g": Place(None, 0),
    "h": Place(None, 1),
    "i": Place(None, 2),
}


@given(st.lists(st.tuples(st.sampled_from(["ask", "end"]), st.sampled_from(sorted(JOBS)))))
def test_no_lane_overlaps_and_none_is_forgotten(steps):
    """Whatever happens: one run in a lane, two of the others, and all that was asked for runs."""
    turns = RunQueue(2)
    running, owed = [], set()

    def begin(job):
        running.append(job)
        owed.discard(job)

    for step, job in steps:
        if step == "ask":
            owed.add(job)
            if ask(turns, job, JOBS[job]) == "start":
                begin(job)
        elif job in running:
            running.remove(job)
            for following in turns.end(job):
                begin(following)
        lanes = [JOBS[job].lane for job in running]
        assert lanes.count("eu") <= 1
        assert lanes.count("us") <= 1
        assert len(running) == len(set(running))
        assert lanes.count(None) <= 2
    while running:
        for following in turns.end(running.pop(0)):
            begin(following)

    assert set() == owed


@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=8),
    st.lists(st.integers(0, 255), min_size=50, max_size=50),
)
def test_nobody_starves(ranks, asking):
    """However often others ask, whoever waits has a turn within a bounded number of turns."""
    turns = RunQueue(1)
    places = [Place("eu", rank) for rank in ranks]
    bound = len(ranks) * (URGENT_IN_A_ROW + 1)
    running, waited = None, {}
    for asked in asking:
        # The bits say who asks; whoever runs has always more to do.
        for number in range(len(ranks)):
            if not asked >> number & 1 and number != running:
                continue
            waited.setdefault(number, 0)
            if ask(turns, str(number), places[number]) == "start":
                running = number
                del waited[number]
        for following in turns.end(str(running)):
            running = int(following)
            del waited[running]
            waited = {number: count + 1 for number, count in waited.items()}
        assert max(waited.values(), default=0) <= bound
