from datetime import UTC, datetime, timedelta

import pytest

from exchanger.app.messages.plans import describe_plan
from exchanger.app.messages.reports import (
    describe_listing,
    describe_report,
    describe_rest,
)
from exchanger.app.outcome import worst
from exchanger.jobs.runtime.report import FileReport, RunReport

BEGUN = datetime(2026, 9, 15, 6, tzinfo=UTC)
ENDED = BEGUN + timedelta(seconds=2.5)


def report(**facts):
    return RunReport(
        run_id="r-1",
        job="crm",
        started_at=BEGUN,
        finished_at=BEGUN + timedelta(seconds=2.5),
        **facts,
    ).to_dict()


def test_an_import_is_a_few_lines_that_leave_out_zeros():
    """A report names files with notes, rows, profiles, what was sent, and the quarantine."""
    facts = report(
        state="partial",
        seq=12,
        files=[
            FileReport("in/a.csv", "applied", 3),
            FileReport("in/b.csv", "applied", 2),
            FileReport("in/c.csv", "rejected", 0, "This is no CSV."),
        ],
        rows_read=5,
        rows_applied=4,
        rows_rejected=1,
        profiles_named=4,
        profiles_new=1,
        profiles_updated=3,
        fields_changed=1,
        data_points=1234,
        requests=1,
        quarantine="main/quarantine/crm/000000012.csv",
        notes=["2 more files follow."],
    )
    assert describe_report(facts, "acme") == [
        "crm: done in part in 2.5 s (run 12, r-1)",
        "  files: 2 applied, 1 rejected",
        "    in/c.csv: This is no CSV.",
        "  rows: 5 read; 4 applied, 1 rejected",
        "  profiles: 1 new, 3 updated",
        "  to Braze: 1 changed field, 1,234 data points, 1 request",
        "  rows that were not taken, with the reasons: s3://acme/main/quarantine/crm/000000012.csv",
        "  note: 2 more files follow.",
    ]


def test_an_export_names_what_was_written():
    """The report of an export shows rows, bytes and the manifest that readers look for."""
    facts = report(rows_written=1, bytes_written=2048, manifest="out/1/_manifest.json")
    assert describe_report(facts, "acme") == [
        "crm: done in 2.5 s (r-1)",
        "  written: 1 row, 2,048 bytes",
        "  manifest: s3://acme/out/1/_manifest.json",
    ]


def test_a_failed_run_shows_its_words():
    """The words of an error are shown with the run that it ended."""
    lines = describe_report(
        report(state="failed", error="Braze did not answer.\nTry again."), "acme"
    )
    assert lines == ["crm: failed in 2.5 s (r-1)", "  Braze did not answer.", "  Try again."]


def test_a_plan_shows_each_changed_field_with_examples():
    """Each field that changes is shown with its cost, and with values before and afterwards."""
    content = {
        "report": report(rows_read=3, rows_applied=2, rows_unchanged=1, fields_changed=3,
                         data_points=3, notes=["1 more file follows."]),
        "fields": [
            {"field": "tier", "strategy": "clear", "profiles": 2, "data_points": 2, "new": 1,
             "cleared": 1, "changed": 0, "unchanged": 1200, "cost": "0.80",
             "examples": [("u1", '"gold"', "null"), ("u2", None, '"silver"')]},
            {"field": "points", "strategy": "sum", "profiles": 1, "data_points": 1,
             "examples": [("u1", "?", "12.3")]},
            {"field": "email", "strategy": "set", "profiles": 0, "data_points": 0, "unchanged": 3,
             "examples": []},
        ],
        "lookups": 1,
        "looking_up": {"requests": 1, "seconds": 5400.0},
        "sending": {"requests": 14, "seconds": 90.0},
        "currency": "EUR",
        "columns": {"tier": "string"},
        "layout": {"delimiter": "\t", "encoding": "UTF-16"},
    }  # fmt: skip
    assert describe_plan(content) == [
        "crm: what a run would do; nothing was sent or written",
        "  rows: 3 read; 2 applied, 1 unchanged",
        "  to Braze: 3 changed fields, 3 data points",
        "  sending takes 14 requests, about 2 minutes at the rate limit",
        "  looked up in Braze to tell: 1 profile with 1 request, about 1.5 hours at the rate limit",
        "  columns (UTF-16, cells between tabs): tier string",
        "  tier (clear): 2 profiles, 2 data points, 0.80 EUR; 1 new, 1 cleared, 1,200 unchanged",
        '    u1: "gold" -> empty',
        '    u2: unknown -> "silver"',
        "  points (sum): 1 profile, 1 data point",
        "    u1: unknown -> 12.3",
        "  unchanged in all profiles: email (3)",
        "  note: 1 more file follows.",
    ]


def test_a_plan_tells_that_it_does_not_name_every_row():
    """A row of which two cells are wrong takes two lines, and is one of the rows all the same."""
    faults = [(2, "at"), (7, "at"), (7, "price")]
    rejected = [{"file": "in/a.csv", "row": row, "message": f"{column}."} for row, column in faults]
    content = {"fields": [], "lookups": 0, "rejected": rejected}
    told = describe_plan(content | {"report": report(rows_read=9, rows_rejected=3)})
    assert "  would go to quarantine, the first 2 of them:" in told
    told = describe_plan(content | {"report": report(rows_read=9, rows_rejected=2)})
    assert "  would go to quarantine:" in told


def test_a_plan_without_changes_says_so():
    """Nothing to send is an answer."""
    content = {"report": report(state="nothing_to_do"), "fields": [], "lookups": 0}
    assert describe_plan(content)[-1] == "  Nothing would be sent."


def test_runs_are_listed_in_a_line_each():
    """A listing shows number, time, state, job and size of each run; an unfinished one says so."""
    facts = [
        report(seq=13, rows_read=1200, data_points=1) | {"state": "delivering"},
        report(state="nothing_to_do"),
    ]
    assert describe_listing(facts) == [
        "    13  2026-09-15 06:00:00  unfinished (delivering)  crm  1,200 rows read, 1 data point",
        "     -  2026-09-15 06:00:00  nothing to do  crm",
    ]
    assert describe_listing([]) == ["No runs yet."]


def test_a_listing_promises_no_more_runs_than_it_looks_at():
    """How many are left out is exact, unless a connection has more than are looked at."""
    assert describe_rest(5, None) == "and 5 more; to see them, add --json"
    assert describe_rest(1980, 1000) == (
        "and at least 1,980 more; add --json for the newest 1,000 of each connection"
    )


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 4], 4),
        ([4, 5], 5),
        ([8, 5], 8),
        ([6, 8], 6),
        ([7, 6], 7),
        ([3, 4], 3),
        ([1, 7], 1),
    ],
)
def test_several_jobs_end_with_the_worst_code(codes, expected):
    """A crash is worse than an outage, an outage worse than a rejected row."""
    assert worst(codes) == expected


def test_a_listing_tells_why_a_run_failed_and_what_shows_it():
    """A run without a number is shown by its id; a long reason is cut short."""
    [first, second] = describe_listing(
        [
            report(state="failed", error="Braze does not know this API key.\nLook at it."),
            report(state="failed", seq=3, error="x" * 200),
        ]
    )
    assert first.endswith("crm  Braze does not know this API key. (exchanger show r-1)")
    assert second.endswith(f"crm  {'x' * 97}...")
