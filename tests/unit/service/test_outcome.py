import json

import pytest

from exchanger.service.outcome import files_waiting, in_good_order, level, summarise


def test_a_report_becomes_the_facts_that_say_something():
    """State and run id always, counts that are not zero, and neither files nor notes."""
    report = {"run_id": "r1", "job": "crm", "state": "partial", "rows_read": 9, "rows_refused": 0}
    report |= {"rows_rejected": 2, "files": [{"key": "a.csv"}], "notes": ["x"], "error": None}

    assert summarise(json.dumps(report)) == {
        "run_id": "r1", "state": "partial", "rows_read": 9, "rows_rejected": 2
    }  # fmt: skip


@pytest.mark.parametrize("output", ["", "Traceback", "[]", "3", '{"run_id": "r1", "sta'])
def test_output_that_is_no_report_has_no_state(output):
    """After a crash there is no state, rather than an invented one."""
    assert summarise(output) == {"state": None}


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [
        (0, "info"),
        (4, "warning"),
        (5, "warning"),
        (8, "warning"),
        (1, "error"),
        (3, "error"),
        (6, "error"),
        (7, "error"),
        (-9, "error"),
    ],
)
def test_the_level_says_whether_somebody_must_act(exit_code, expected):
    """Done is info, done in part or not now is a warning, all else is an error."""
    assert expected == level(exit_code)


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
