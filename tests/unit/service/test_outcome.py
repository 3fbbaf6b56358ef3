import json

import pytest

from exchanger.service.telling.outcome import (
    files_waiting,
    in_good_order,
    level,
    summarise,
    took_something,
)


def test_a_report_becomes_the_facts_that_say_something():
    """State and run id always, counts that are not zero, files and notes."""
    report = {"run_id": "r1", "job": "crm", "state": "partial", "rows_read": 9, "rows_refused": 0}
    report |= {"rows_rejected": 2, "files": [{"key": "a.csv", "outcome": "applied", "note": ""}]}
    report |= {"notes": ["x"], "error": None, "seq": 4, "quarantine": "q/4.csv"}

    assert summarise(json.dumps(report)) == {
        "run_id": "r1", "state": "partial", "rows_read": 9, "rows_rejected": 2, "notes": ["x"],
        "files": [{"key": "a.csv", "outcome": "applied"}], "seq": 4, "quarantine": "q/4.csv",
        "next": ["exchanger show 4", "exchanger retry 4"],
    }  # fmt: skip


def test_a_run_that_was_held_back_says_all_that_a_person_needs():
    """The file, why it waits, the run, what it would add, and what to type."""
    waiting = {"key": "b.csv", "outcome": "equal_content", "note": "Its content is equal to a.csv."}
    report = {
        "run_id": "r2", "job": "crm", "state": "partial", "seq": 7, "held_back": [8],
        "totals": {"spend": "12.5"}, "notes": ["spend: 12.5 would be added in all."],
        "files": [{"key": "a.csv", "outcome": "applied"}, waiting],
    }  # fmt: skip

    told = summarise(json.dumps(report), of=" --connection shop")

    assert (waiting, [8], {"spend": "12.5"}) == (
        told["files"][0],
        told["held_back"],
        told["totals"],
    )
    assert told["next"] == [
        "exchanger approve 8 --connection shop",
        "exchanger discard 8 --connection shop",
    ]


def test_an_event_is_bounded():
    """A hundred thousand files, with long words about each, make a short event all the same."""
    files = [{"key": f"{n}.csv", "outcome": "rejected", "note": "x" * 9_000} for n in range(2_000)]
    report = {"run_id": "r", "state": "partial", "files": files, "notes": ["y" * 9_000] * 2_000}
    report |= {"error": "z" * 9_000, "totals": {f"f{n}": "1" for n in range(2_000)}}
    report |= {"held_back": list(range(1, 2_000))}

    told = summarise(json.dumps(report))

    assert (1_990, 1_990, 10) == (told["more_files"], told["more_notes"], len(told["totals"]))
    assert len(json.dumps(told)) < 25_000


@pytest.mark.parametrize("output", ["", "Traceback", "[]", "3", '{"run_id": "r1", "sta'])
def test_output_that_is_no_report_has_no_state(output):
    """After a crash there is no state, rather than an invented one."""
    assert summarise(output) == {"state": None}


@pytest.mark.parametrize(
    ("exit_code", "facts", "expected"),
    [
        (0, {}, "info"),
        (4, {}, "warning"),
        (4, {"stopped": True}, "info"),
        (4, {"stopped": True, "rows_rejected": 1}, "warning"),
        (4, {"stopped": True, "held_back": [2]}, "warning"),
        (7, {"stopped": True}, "error"),
        (5, {}, "warning"),
        (8, {}, "warning"),
        (1, {}, "error"),
        (3, {}, "error"),
        (6, {}, "error"),
        (7, {}, "error"),
        (-9, {}, "error"),
    ],
)
def test_the_level_says_whether_somebody_must_act(exit_code, facts, expected):
    """Done or stopped as asked is info, done in part or not now a warning, all else an error."""
    assert expected == level(exit_code, facts)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"files": [{"key": "a", "outcome": "applied"}]}, True),
        ({"files": [{"key": "a", "outcome": "rejected"}, {"outcome": "equal_content"}]}, False),
        ({"manifest": "exports/_manifest.json"}, True),
        ({"files": [], "manifest": None}, False),
        ({}, False),
        ([], False),
    ],
)
def test_what_counts_as_taken(report, expected):
    """A file that was applied, a dataset that was published; not what was rejected or waits."""
    assert expected == took_something(json.dumps(report))


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ('{"files_waiting": 3}', 3),
        ('{"files_waiting": 0}', 0),
        ('{"state": "succeeded"}', None),
        ("[1]", None),
        ("no JSON", None),
        ("", None),
    ],
)
def test_a_run_says_how_many_files_it_left(output, expected):
    """Saying none is another thing than saying nothing."""
    assert expected == files_waiting(output)


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [(0, True), (4, True), (5, True), (1, False), (7, False), (-9, False)],
)
def test_a_failed_run_is_not_followed_by_another_at_once(exit_code, expected):
    """What it left waits until the job is due again."""
    assert expected == in_good_order(exit_code)
