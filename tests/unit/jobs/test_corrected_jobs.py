"""Whether a job reads files otherwise: then a run that waits for a column is planned anew."""

from __future__ import annotations

import pytest
from support.jobs import import_model

from exchanger.jobs.inventory.corrected_jobs import reads_as

BEFORE = {"fields": {"points": {}}}


@pytest.mark.parametrize(
    ("changes", "corrected"),
    [
        ({}, False),
        ({"baseline": "assume_empty"}, False),
        ({"max_rows_per_run": 10}, False),
        ({"create_missing": False}, False),
        ({"schedule": {"every": "5m"}}, False),
        ({"source": {"prefix": "inbox/", "nulls": ["n/a"]}}, True),
        ({"match": [{"external_id": "customer"}]}, True),
        ({"fields": {"points": {"type": "integer"}}}, True),
        ({"remaining_fields": [{"merge": "set"}]}, True),
    ],
)
def test_a_job_is_corrected_by_what_says_how_files_are_read(changes, corrected):
    """Not by when it runs, what it builds on, or how much it takes at once."""
    before, now = import_model(**BEFORE), import_model(**BEFORE | changes)
    assert corrected is (reads_as(before) != reads_as(now))


@pytest.mark.parametrize(
    "changes",
    [
        {"event": {"name": {"value": "Seen"}, "time": {"from": "when"}}},
        {"row_id": "row"},
        {"source": {"prefix": "inbox/", "order_by": "at"}},
    ],
)
def test_a_job_of_events_is_corrected_by_what_makes_them(changes):
    """By the columns that feed an event, and by the one that names it."""
    events = {"object": "events", "event": {"name": {"value": "Seen"}, "time": {"from": "at"}}}
    assert reads_as(import_model(**events)) != reads_as(import_model(**events | changes))
