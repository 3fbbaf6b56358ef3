"""The work of one part of a run can be done by any process."""

import json
import pickle
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.planning.part import PartInput, PlanOptions, Tally, plan_part
from exchanger.profiles.planning.spoken import Spoken

RULES = [Rule("total", "total", "integer", FieldConfig(merge="sum", type="integer"))]
TERMS = PlanOptions(RULES, assume_empty=False, create_missing=True)
GIVEN = pl.DataFrame(
    {"@profile": ["ada", "bob", "ada"], "@file": [0, 0, 0], "@row": [1, 2, 3], "total": [1, 0, 2]},
    schema_overrides={"@file": pl.UInt32, "@row": pl.UInt32},
)
HELD = pl.DataFrame({"@profile": ["ada", "bob"], "@exists": [True, True], "total": ["5", "7"]})
NO_CORRECTIONS = pl.DataFrame(schema={"@profile": pl.String, "@file": pl.UInt32})
PART = PartInput(GIVEN, NO_CORRECTIONS, fold(GIVEN, RULES), HELD, HELD)


def test_a_part_is_planned_alone():
    """From frames alone come objects, contributions and counts."""
    plan = plan_part(PART, TERMS)

    assert ['{"external_id":"ada","total":8}'] == plan.outbox["@object"].to_list()
    assert [2] == plan.outbox["@rows"].to_list()
    assert {"ada": "3", "bob": "0"} == dict(
        plan.contributions.select("@profile", "given").iter_rows()
    )
    told = Spoken(profiles=Counter(total=2), points=Counter(total=3))
    counts = Tally(profiles_named=2, profiles_unchanged=1, rows_unchanged=1, spoken=told)
    assert counts == plan.tally


def test_the_record_of_a_rejected_row_can_be_given_again():
    """What cannot be added is shown as it was given: decimals in full, not in hundredths."""
    rules = [
        *RULES,
        Rule("spent", "amount", "decimal", FieldConfig(merge="sum", type="decimal", scale=2)),
        Rule("since", "since", "date", FieldConfig(merge="set", type="date")),
        Rule("seen", "seen", "datetime", FieldConfig(merge="set", type="datetime")),
        Rule("from", "", "string", FieldConfig(merge="set", value="crm")),
    ]
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    given = GIVEN.head(1).with_columns(
        total=pl.lit(2**63 - 1),
        spent=pl.lit(1230, pl.Int64),
        since=pl.lit(when).cast(pl.Datetime("ms", "UTC")),
        seen=pl.lit(when).cast(pl.Datetime("ms", "UTC")),
        **{"from": pl.lit("crm")},
    )
    held = HELD.head(1).with_columns(
        spent=pl.lit("1"), since=pl.lit(None, pl.String), seen=pl.lit(None, pl.String),
        **{"from": pl.lit(None, pl.String)},
    )  # fmt: skip
    part = PartInput(given, NO_CORRECTIONS, fold(given, rules), held, held)

    rejected = plan_part(part, replace(TERMS, rules=rules)).rejected

    assert ["overflow"] == rejected["reason"].to_list()
    assert {
        "external_id": "ada",
        "total": str(2**63 - 1),
        "amount": "12.3",
        "since": "2026-01-02",
        "seen": "2026-01-02T03:04:05.000Z",
    } == json.loads(rejected["record"][0])


def test_the_work_of_a_part_travels():
    """What is done, what it is done to and what comes of it can be sent to another process."""
    function, part, terms = pickle.loads(pickle.dumps((plan_part, PART, TERMS)))
    plan = pickle.loads(pickle.dumps(function(part, terms)))

    assert plan.outbox.equals(plan_part(PART, TERMS).outbox)


def test_counts_add_up():
    """The counts of a run are the sums of those of its parts."""
    one, other = Tally(profiles_named=2, rows_skipped=3), Tally(profiles_named=5, rows_rejected=1)

    assert Tally(profiles_named=7, rows_skipped=3, rows_rejected=1) == one + other


def test_rows_count_where_only_some_profiles_have_several():
    """A row that a later one of its profile overrode is superseded, beside profiles of one row."""
    rules = [Rule("tier", "tier", "string", FieldConfig(merge="set", type="string"))]
    given = pl.DataFrame(
        {
            "@profile": ["ada", "bob", "ada", "cid"],
            "@file": [0, 0, 0, 0],
            "@row": [1, 2, 3, 4],
            "tier": ["low", "same", "high", "new"],
        },
        schema_overrides={"@file": pl.UInt32, "@row": pl.UInt32},
    )
    held = pl.DataFrame({"@profile": ["bob"], "@exists": [True], "tier": ['"same"']})
    part = PartInput(given, NO_CORRECTIONS, fold(given, rules), held, held)
    plan = plan_part(part, PlanOptions(rules, assume_empty=False, create_missing=True))

    assert {"cid": 1, "ada": 1} == dict(plan.outbox.select("@profile", "@rows").iter_rows())
    counts = Tally(profiles_named=3, profiles_unchanged=1, rows_superseded=1, rows_unchanged=1)
    assert counts == replace(plan.tally, spoken=Spoken())
