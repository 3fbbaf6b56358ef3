"""Which columns feed which attributes, as what type, and what rejects a file."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from support.jobs import import_job, import_model

from exchanger.config.models import ImportJob
from exchanger.errors import FileRejected
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import Settled, settle_rules, widen_rules


def settle(
    frame: pl.DataFrame,
    *,
    kept: dict[str, str] | None = None,
    textual: bool = True,
    unusable: dict[str, str] | None = None,
    json: frozenset[str] = frozenset(),
    order_by: str | None = None,
    **config: object,
) -> Settled:
    job = import_model(source={"prefix": "in/", "order_by": order_by}, **config)
    raw = RawColumns(
        frame.with_row_index("@row", offset=1), textual, json, unusable or {}, "in/a.csv"
    )
    return settle_rules(job, raw, kept or {})


def text(**cells: str | None) -> pl.DataFrame:
    return pl.DataFrame({"id": ["p"]} | {name: [cell] for name, cell in cells.items()})


def spelt(settled: Settled) -> list[str]:
    return [f"{r.column}>{r.name}:{r.type} {r.merge}" for r in settled.rules]


def test_fields_name_their_column_or_have_its_name():
    """A field reads the column of ``from``, else the one of its own name; a value reads none."""
    fields = {
        "a": {},
        "b": {"from": "c", "merge": "clear"},
        "d": {"value": 3},
        "e": {"from": "a", "merge": "add"},
    }

    assert ["a>a:integer set", "c>b:string clear", ">d:integer set", "a>e:list add"] == spelt(
        settle(text(a="1", c="x"), fields=fields)
    )


REMAINING = [
    ([{}], ["a>a", "pref_x>pref_x", "Email>Email"]),
    ([{"prefix": "crm_"}], ["a>crm_a", "pref_x>crm_pref_x", "Email>crm_Email"]),
    ([{"columns": "pref_*", "prefix": "p_"}, {}], ["a>a", "pref_x>p_pref_x", "Email>Email"]),
    ([{"exclude": ["pref_*", "E*"]}], ["a>a"]),
    ([{"columns": "PREF_*"}], []),
    ([{"standard": True}], ["a>a", "email>email", "pref_x>pref_x", "Email>Email"]),
    ([], []),
]


@pytest.mark.parametrize(("blocks", "expected"), REMAINING)
def test_remaining_fields_take_what_nothing_else_names(blocks, expected):
    """
    The first matching block takes a column; those of match, order_by and fields are never taken,
    nor identifiers, nor standard attributes unless asked for.
    """
    frame = text(
        o="1", used="x", a="x", email="x", braze_id="x", pref_x="x", Email="x", _merge_objects="x"
    )
    settled = settle(frame, fields={"f": {"from": "used"}}, remaining_fields=blocks, order_by="o")

    assert expected == [f"{r.column}>{r.name}" for r in settled.rules if r.name != "f"]


def test_a_prefix_cannot_make_a_standard_attribute():
    """A prefix that turns a column into a standard attribute needs ``standard`` as well."""
    frame = text(name="Ada")

    assert [] == spelt(settle(frame, remaining_fields=[{"prefix": "first_"}]))
    assert ["name>first_name:string set"] == spelt(
        settle(frame, remaining_fields=[{"prefix": "first_", "standard": True}])
    )


def test_a_field_of_its_own_wins_over_a_remaining_column():
    """A column whose attribute another column feeds already is left out."""
    settled = settle(
        text(tier="x", level="y"), fields={"tier": {"from": "level"}}, remaining_fields=[{}]
    )

    assert ["level>tier:string set"] == spelt(settled)


@pytest.mark.parametrize("merge", ["sum", "highest", "lowest"])
def test_an_empty_column_has_a_type_that_its_strategy_can_work_on(merge):
    """A file of which a column says nothing is no problem, with rows or without."""
    fields = {"a": {"merge": merge}}

    assert [f"a>a:integer {merge}"] == spelt(settle(text(a=None), fields=fields))
    assert [f"a>a:integer {merge}"] == spelt(settle(text(a=None).clear(), fields=fields))


FAULTS = [
    (
        {"fields": {"a": {"from": "Nmae"}}},
        "missing_column",
        (
            "The file has no column 'Nmae'. Did you mean 'name'? Its columns are: id, name. "
            "Correct the file, or name the right column in the job with 'from:'."
        ),
    ),
    (
        {"order_by": "at"},
        "missing_column",
        (
            "The file has no column 'at'. Its columns are: id, name. Correct the file, or name the "
            "right column in the job with 'source: {order_by: COLUMN}'."
        ),
    ),
    (
        {"match": [{"external_id": "uid"}]},
        "missing_column",
        (
            "The file has no column 'uid'. Did you mean 'id'? Its columns are: id, name. "
            "Correct the file, or name the right column in the job with "
            "'match: [{external_id: COLUMN}]'."
        ),
    ),
    ({"fields": {"bad": {}}}, "unusable_column", "Column 'bad' cannot be used: it is odd."),
    (
        {"fields": {"a": {"from": "name", "merge": "sum"}}},
        "type_needed",
        (
            "Column 'name' holds string, and 'merge: sum' of 'a' needs decimal or float or "
            "integer. Write 'type:' for this field"
        ),
    ),
    (
        {"fields": {"a": {"from": "name", "merge": "highest"}}},
        "type_needed",
        "Write 'type:'",
    ),
    (
        {"remaining_fields": [{"columns": "name", "prefix": "x_"}, {}], "extra": "x_name"},
        "duplicate_attribute",
        "would both become the attribute 'x_name'",
    ),
    (
        {"fields": {"name": {}}, "kept": {"name": "integer"}},
        "type_changed",
        "Column 'name' held integer in earlier files and holds string in this one.",
    ),
]


@pytest.mark.parametrize(("config", "reason", "words"), FAULTS)
def test_a_file_that_does_not_fit_its_job_is_rejected(config, reason, words):
    """What makes a file unusable is named, with the column and what to do."""
    extra = config.get("extra")
    frame = text(name="Ada", **({extra: "x"} if extra else {}))
    rest = {key: value for key, value in config.items() if key != "extra"}
    with pytest.raises(FileRejected) as caught:
        settle(frame, unusable={"bad": "it is odd."}, **rest)

    assert reason == caught.value.reason
    assert "in/a.csv" == caught.value.key
    assert words in caught.value.message


def test_unusable_columns_are_named_if_remaining_fields_would_take_them():
    """A column that cannot be used is no silent loss: it is handed on with the reason."""
    unusable = {"odd": "it is odd.", "left": "it is odd too."}
    settled = settle(text(a="x"), remaining_fields=[{"exclude": ["left"]}], unusable=unusable)

    assert {"it is odd.": ["odd"]} == settled.left_out


def test_columns_that_can_be_no_property_are_named():
    """Braze keeps some names for itself; a column that the job names or excludes is not told."""
    event = {
        "name": {"value": "Seen"},
        "time": {"from": "at"},
        "remaining_properties": {"exclude": ["$left"]},
    }
    cells = dict.fromkeys(["at", "time", "event_name", "plan", "$odd", "$left"], "2026-09-01")
    settled = settle(text(**cells), object="events", event=event)
    ((why, columns),) = settled.left_out.items()
    assert ["time", "event_name", "$odd"] == columns
    assert "no property of such a name" in why
    assert ["plan"] == [rule.column for rule in settled.rules if rule.name.startswith("prop")]


def test_types_are_kept_for_the_columns_that_declare_none():
    """Inferred types are kept by column; declared, static and empty columns keep nothing."""
    settled = settle(
        text(a="1.50", b="1", c=None, o="2026-01-01"),
        fields={"a": {}, "b": {"type": "integer"}, "c": {}, "d": {"value": 1}},
        kept={"earlier": "date"},
        order_by="o",
    )

    assert {"a": "decimal(2)", "o": "date", "earlier": "date"} == settled.kept
    assert 2 == settled.rules[0].scale


def test_an_empty_column_has_the_kept_type():
    """A column that is empty in this file goes on as the type of the earlier files."""
    settled = settle(text(a=None), fields={"a": {}}, kept={"a": "decimal(2)"})

    assert ["a>a:decimal set"] == spelt(settled)
    assert {"a": "decimal(2)"} == settled.kept


def test_rules_widen_to_what_later_files_of_the_run_need():
    """Rules of an earlier file take the last kept type; declared types stay."""
    settled = settle(text(a="1", b="1"), fields={"a": {}, "b": {"type": "integer"}})
    widened = widen_rules(settled.rules, {"a": "decimal(3)", "b": "string"})

    assert [("decimal", 3), ("integer", 0)] == [(r.type, r.scale) for r in widened]


def test_a_typed_file_brings_its_own_types():
    """Parquet and NDJSON columns are what they are; text in them is not looked into."""
    frame = pl.DataFrame(
        {"id": ["p"], "n": [1], "d": [Decimal("1.50")], "s": ["7"], "l": [["a"]], "j": ["{}"]}
    )
    settled = settle(frame, textual=False, json=frozenset({"j"}), remaining_fields=[{}])

    assert [
        "n>n:integer set",
        "d>d:decimal set",
        "s>s:string set",
        "l>l:list set",
        "j>j:json set",
    ] == spelt(settled)


def test_an_index_of_pandas_is_left_out_where_nothing_names_it():
    """It is no data unless a field, the match or the order is fed by it; told with the reason."""
    unnamed = {"Unnamed: 0": "3", "Unnamed: 0.1": "4", "Unnamed: 12": "5"}
    frame = text(number="3", city="Lyon", __index_level_0__="7", __null_dask_index__="8", **unnamed)
    config = import_job(source={"prefix": "in/"}, remaining_fields=[{"prefix": "crm_"}])
    raw = RawColumns(frame.with_row_index("@row"), True, indexes=frozenset({"id", "number"}))

    settled = settle_rules(ImportJob.model_validate(config), raw, {})
    assert ["city>crm_city:string set"] == spelt(settled)
    (why, columns), (nameless, others) = settled.left_out.items()
    assert "index" in why
    assert ["number", "__index_level_0__", "__null_dask_index__"] == columns
    assert "without a name" in nameless
    assert [*unnamed] == others

    fields = {"number": {}, "x": {"from": "Unnamed: 12"}}
    named = spelt(settle_rules(ImportJob.model_validate({**config, "fields": fields}), raw, {}))
    assert {"number>number:integer set", "Unnamed: 12>x:integer set"} < {*named}


def test_a_missing_column_is_told_with_what_nobody_sees():
    """A name that differs in an invisible sign alone is shown with that sign spelled."""
    frame = pl.DataFrame({"id": ["p"], "lo\u200byalty": ["gold"], "first\u00a0name": ["Ada"]})
    with pytest.raises(FileRejected) as refused:
        settle(frame, fields={"loyalty": {}})
    assert r"Did you mean 'lo\u200byalty'?" in refused.value.message
    assert r"id, 'lo\u200byalty', 'first\xa0name'" in refused.value.message
