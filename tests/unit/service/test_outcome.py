import json

import pytest

from exchanger.service.outcome import level, summarise


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
