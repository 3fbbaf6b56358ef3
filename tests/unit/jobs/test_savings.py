"""What was saved: runs are added up by job, month and field."""

from __future__ import annotations

from datetime import UTC, datetime

from exchanger.app.messages.plans import describe_savings
from exchanger.config.models import Budget
from exchanger.jobs.runtime.report import RunReport, combined
from exchanger.jobs.savings import added_up
from exchanger.state.runs.index import FieldCosts

OCTOBER = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 2, tzinfo=UTC)


def points(sent, whole):
    return {"sent": sent, "whole_rows": whole}


RUNS = [
    FieldCosts("crm", NOVEMBER, 3, {"tier": points(3, 100), "city": points(0, 100)}),
    FieldCosts("crm", OCTOBER, 5, {"tier": points(5, 10)}),
    FieldCosts("shop", NOVEMBER, 0, {"tier": points(0, 0)}),
    FieldCosts("crm", NOVEMBER, 1, {"tier": points(1, 100)}),
    FieldCosts("crm", OCTOBER, 7, None),
    FieldCosts("crm", OCTOBER, 0, None),
]


def test_fields_are_added_up_by_job_and_month():
    """Runs that cost points and were not counted are told; fields without any are left out."""
    found = added_up("main", RUNS, None)
    assert {
        ("crm", "2026-10", "tier"): (5, 10),
        ("crm", "2026-11", "city"): (0, 100),
        ("crm", "2026-11", "tier"): (4, 200),
    } == {key: (saving.sent, saving.whole_rows) for key, saving in found.fields.items()}
    assert (9, 310, 301, None) == (
        found.total.sent, found.total.whole_rows, found.total.saved, found.total.worth,
    )  # fmt: skip
    assert (OCTOBER, 1, None) == (found.counted_since, found.runs_uncounted, found.currency)


def test_months_and_money_are_those_of_the_budget():
    """Half an hour before midnight in London it is November in Berlin."""
    budget = Budget(price=0.01, currency="EUR", timezone="Europe/Berlin")
    found = added_up("main", RUNS, budget)
    assert {"2026-11"} == {month for _, month, _ in found.fields}
    assert ("3.01", "EUR") == (found.total.worth, found.currency)


def test_what_was_saved_is_told_by_job_and_month():
    """The field that saves most comes first; a job before the next one."""
    content = added_up("main", RUNS, Budget(price=0.01, currency="EUR")).to_dict()
    assert [
        "crm: 9 data points sent of 310 for whole rows; 301 saved (97.1 %), 3.01 EUR",
        "  2026-10: 5 data points sent of 10 for whole rows; 5 saved (50.0 %), 0.05 EUR",
        "    tier: 5 sent of 10",
        "  2026-11: 4 data points sent of 300 for whole rows; 296 saved (98.7 %), 2.96 EUR",
        "    tier: 4 sent of 200",
        "    city: 0 sent of 100",
        "  Counted since 2026-10-31.",
        "  Not counted: 1 run of an earlier version.",
    ] == describe_savings(content)
    nothing = describe_savings(added_up("main", [], None).to_dict())
    assert ["main: no run has been counted by its fields yet."] == nothing


def test_runs_of_one_call_have_their_fields_together():
    """The report of a call adds up what its runs have cost."""
    runs = [RunReport("a", "crm"), RunReport("b", "crm"), RunReport("c", "crm")]
    runs[0].by_field, runs[1].by_field = {"x": points(1, 2)}, {"x": points(0, 3), "y": points(1, 1)}
    whole = combined(runs, [], nothing=RunReport("d", "crm"))
    assert {"x": points(1, 5), "y": points(1, 1)} == whole.by_field
    assert combined(runs[2:], [], nothing=RunReport("d", "crm")).by_field is None
