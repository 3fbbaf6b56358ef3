"""A file that comes late does not undo what a newer row has set."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import polars as pl
import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(
    source={"prefix": "inbox/", "order_by": "at"},
    baseline="assume_empty",
    fields={
        "tier": {"from": "tier", "type": "string"},
        "home": {"from": "home", "merge": "clear", "type": "string"},
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tags": {"from": "tags", "merge": "add", "split": "|"},
    },
)
HEADER = "id,at,tier,home,visits,tags\n"


def with_fields(*names, **more):
    """The job with some of its fields, and others."""
    return JOB | {"fields": {name: JOB["fields"][name] for name in names} | more}


def counts(report):
    names = ("rows_applied", "rows_unchanged", "rows_superseded", "rows_rejected", "rows_refused")
    return tuple(report[name] for name in names)


def parquet(frame):
    body = io.BytesIO()
    frame.write_parquet(body)
    return body.getvalue()


def test_a_late_file_does_not_undo_a_newer_one(exchange):
    """What is older stays out, field by field; sums and added members count; a person is told."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/2.csv", HEADER + "a,2026-02-02,gold,,1,x\nb,2026-02-02,gold,Rome,1,x\n")
    exchange.ask("run", "crm")

    late = "a,2026-02-01,blue,Bern,10,y\nb,2026-02-03,,Oslo,10,y\nc,2026-01-01,red,,,\n"
    exchange.drop("inbox/1.csv", HEADER + late)
    plan = exchange.ask("plan", "crm")["report"]
    report = exchange.ask("run", "crm")
    assert ['"gold"', None, "11", '["x","y"]'] == [
        exchange.attribute("a", name) for name in ("tier", "home", "visits", "tags")
    ]
    assert ['"gold"', '"Oslo"', '"red"'] == [
        exchange.attribute(who, name) for who, name in (("b", "tier"), ("b", "home"), ("c", "tier"))
    ]
    assert (3, 0, 0, 0, 0) == counts(report) == counts(plan)
    note = (
        "inbox/1.csv: 1 rows are older by 'at' than rows that were applied before. What they say "
        "of tier, home was left out."
    )
    assert note in report["notes"]
    assert note in plan["notes"]

    exchange.drop("inbox/0.csv", "id,at,tier,home,visits,tags\na,2026-01-01,old,Paris,,\n")
    report = exchange.ask("run", "crm")
    assert (0, 0, 1, 0, 0) == counts(report)
    assert 0 == report["profiles_named"] == report["requests"]


KINDS = {
    "day": ("2026-02-02T00:00:00Z", "2026-02-01", None),
    "whole": ("10", "9", None),
    "broken": ("10.5", "9", None),
    "text": ("v2", "v1", None),
    "none": ("2026-02-02", "", None),
    "moment": (datetime(2026, 2, 2, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), pl.Datetime),
    "large": (2**60 + 1, 2**60, pl.Int64),
    "float": (10.5, 9.0, pl.Float64),
    "null": (7, None, pl.Int64),
}
"""By the name of a job: a newer order, an older one, and their type; None for CSV."""
BY_DAY = {"broken", "none", "large"}
NIGHTLY = pytest.mark.nightly


def file_of(kind, at, tier):
    """A file that says one thing, as CSV or Parquet."""
    dtype = KINDS[kind][2]
    if dtype is None:
        return f"id,at,tier\na,{at},{tier}\n"
    frame = pl.DataFrame({"id": ["a"], "tier": [tier]})
    return parquet(frame.with_columns(pl.Series("at", [at], dtype=dtype)))


@pytest.mark.nightly
@pytest.mark.parametrize("kinds", [BY_DAY, pytest.param(set(KINDS) - BY_DAY, marks=NIGHTLY)])
def test_order_is_kept_as_what_it_means(exchange, kinds):
    """Times, numbers and texts of CSV and Parquet keep their order between runs; none is oldest."""
    jobs = {
        kind: JOB
        | {
            "source": {"prefix": f"{kind}/", "order_by": "at"},
            "fields": {kind: {"from": "tier", "type": "string"}},
        }
        for kind in kinds
    }
    exchange.configure(**jobs)
    for turn, tier in enumerate(("gold", "blue", "grey")):
        for kind in kinds:
            newer, older, _ = KINDS[kind]
            body = file_of(kind, older if turn == 1 else newer, tier)
            suffix = "csv" if isinstance(body, str) else "parquet"
            exchange.drop(f"{kind}/{turn}.{suffix}", body)
        reports = exchange.ask("run", *jobs)
        expected = '"grey"' if tier == "grey" else '"gold"'
        assert dict.fromkeys(kinds, expected) == {
            kind: exchange.attribute("a", kind) for kind in kinds
        }
        assert [int(turn == 1)] * len(kinds) == [each["rows_superseded"] for each in reports]


@pytest.mark.nightly
def test_a_value_that_braze_had_already_keeps_later_ones_out(exchange):
    """A row moves the order when nothing had to be sent, too."""
    exchange.configure(crm=with_fields("tier"))
    for at, tier in ((1, "gold"), (5, "gold"), (3, "blue")):
        exchange.drop(f"inbox/{at}.csv", f"id,at,tier\na,{at},{tier}\n")
        report = exchange.ask("run", "crm")
    assert 1 == report["rows_superseded"]
    assert '"gold"' == exchange.attribute("a", "tier")


@pytest.mark.nightly
def test_what_was_refused_does_not_move_the_order(exchange):
    """A refused newer row keeps nothing out; given again, it goes before what came meanwhile."""
    exchange.configure(crm=with_fields("tier", "visits"))
    exchange.drop("inbox/1.csv", "id,at,tier,visits\na,5,gold,1\nb,5,gold,1\n")
    exchange.braze.faults(TRACK, status=400, body=refusing(0))
    exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/2.csv", "id,at,tier,visits\na,3,blue,1\nb,3,blue,1\n")
    exchange.ask("run", "crm")
    assert ['"blue"', '"gold"'] == [exchange.attribute(who, "tier") for who in "ab"]

    exchange.ask("retry", "1")
    assert ['"gold"', '"gold"'] == [exchange.attribute(who, "tier") for who in "ab"]
    assert ["2", "2"] == [exchange.attribute(who, "visits") for who in "ab"]
    exchange.drop("inbox/3.csv", "id,at,tier,visits\na,4,red,\n")
    assert 1 == exchange.ask("run", "crm")["rows_superseded"]


@pytest.mark.nightly
def test_what_was_discarded_does_not_move_the_order(exchange):
    """A run that could not be delivered and was dropped keeps nothing out."""
    exchange.configure(crm=with_fields("tier"))
    exchange.braze.faults(TRACK, status=401, body={"message": "Invalid API key"})
    exchange.drop("inbox/1.csv", "id,at,tier\na,5,gold\n")
    exchange.ask("run", "crm", code=7)
    exchange.ask("discard", "1")
    exchange.drop("inbox/2.csv", "id,at,tier\na,3,blue\n")
    exchange.ask("run", "crm")
    assert '"blue"' == exchange.attribute("a", "tier")


@pytest.mark.nightly
def test_a_retried_row_gives_way_to_a_newer_one(exchange):
    """A refused row that is older than what came since is left out; its sum is still added."""
    exchange.configure(crm=with_fields("tier", "visits"))
    exchange.drop("inbox/1.csv", "id,at,tier,visits\na,3,blue,1\n")
    exchange.braze.faults(TRACK, status=400, body={"message": "Provided data is invalid"})
    exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/2.csv", "id,at,tier,visits\na,5,gold,10\n")
    exchange.ask("run", "crm")
    exchange.ask("retry", "1")
    assert ['"gold"', "11"] == [exchange.attribute("a", name) for name in ("tier", "visits")]


def refusing(index):
    """An answer that refuses one object of several, and takes none."""
    told = {"type": "not today", "input_array": "attributes", "index": index}
    return {"message": "no", "errors": [told]}


@pytest.mark.nightly
def test_a_backfill_ends_where_the_files_ended(exchange):
    """Taking everything as if new, in the order of arrival, undoes nothing."""
    exchange.configure(crm=with_fields("tier", "visits"))
    for at in (2, 3, 1):
        exchange.drop(f"inbox/{at}.csv", f"id,at,tier,visits\na,{at},tier {at},{at}\n")
        exchange.ask("run", "crm")
    report = exchange.ask("backfill", "crm", "--full")
    assert (0, 1, 2, 0, 0) == counts(report)
    assert ['"tier 3"', "6"] == [exchange.attribute("a", name) for name in ("tier", "visits")]
