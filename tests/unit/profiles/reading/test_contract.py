"""What becomes of a file whose columns are not those of its job, or of earlier files."""

import gzip
import io

import polars as pl
import pytest
from support.field_files import take
from support.jobs import import_model

from exchanger.errors import FileRejected, SchemaBroken
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules

FILE = {"id": ["p"], "visits": ["7"], "vip": ["yes"]}
FIELDS = {"visits": {}, "tier": {}, "level": {"from": "tier", "merge": "clear"}}


def settle(schema, *, cells=None, kept=None, seen=(), fields=None, **job):
    """Settle the rules of a file of text."""
    source = {"prefix": "in/", "schema": schema}
    model = import_model(source=source, fields=fields or {"visits": {}}, **job)
    frame = pl.DataFrame(FILE | (cells or {})).with_row_index("@row", offset=1)
    raw = RawColumns(frame, textual=True, key="in/a.csv")
    return settle_rules(model, raw, kept or {}, seen=seen)


def told(settled):
    return [(change.kind, *change.columns) for change in settled.changes]


def test_a_missing_column_puts_the_file_aside_unless_the_job_says_otherwise():
    """It is put aside, or its fields say nothing and that is noted, or the run fails."""
    for usual in ({}, {"missing": "quarantine"}):
        with pytest.raises(FileRejected) as caught:
            settle(usual, fields=FIELDS)
        assert ("missing_column", "tier") == (caught.value.reason, caught.value.column)
    settled = settle({"missing": "note"}, fields=FIELDS)
    assert [("missing", "tier")] == told(settled)
    assert ["visits"] == [rule.name for rule in settled.rules]
    with pytest.raises(SchemaBroken, match="lacks the column 'tier'"):
        settle({"missing": "fail"}, fields=FIELDS)


LINES = b'{"customer_id": "a", "city": "Rome"}\n{"customer_id": "b", "city": "Bonn"}\n'
SOME = LINES.replace(b'"Bonn"', b'"Bonn", "tier": null')
TABLE = pl.DataFrame({"customer_id": ["a", "b"], "city": ["Rome", "Bonn"]})


def parquet(frame: pl.DataFrame) -> bytes:
    """Return a frame as the bytes of a file."""
    frame.write_parquet(file := io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("a.ndjson", LINES),
        ("a.ndjson.gz", gzip.compress(LINES)),
        ("a.csv", TABLE.write_csv().encode()),
        ("a.parquet", parquet(TABLE)),
    ],
    ids=["lines", "packed", "csv", "parquet"],
)
@pytest.mark.parametrize("merge", ["set", "clear"])
def test_what_no_row_has_is_missing_whatever_the_format(key, body, merge):
    """Nobody can tell a key that is empty in all lines from one that was renamed: none is told."""
    fields = {"city": "set", "tier": {"merge": merge, "nulls": ["-"]}}

    def taken(missing):
        return take(key, body, fields=fields, source={"schema": {"missing": missing}})

    noted = taken("note")
    assert ["city"] == noted.fields
    assert [("missing", ("tier",))] == [(each.kind, each.columns) for each in noted.changes]
    assert "missing_column" == taken("quarantine").why
    assert "no column 'tier'" in taken("quarantine").words
    with pytest.raises(SchemaBroken, match="lacks the column 'tier'"):
        taken("fail")


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("a.ndjson", SOME),
        ("a.csv", b"customer_id,city,tier\na,Rome,\nb,Bonn,\n"),
        ("a.parquet", parquet(TABLE.with_columns(tier=pl.lit(None, pl.String)))),
    ],
    ids=["lines", "csv", "parquet"],
)
@pytest.mark.parametrize("missing", ["note", "quarantine", "fail"])
def test_what_some_row_has_is_there_though_it_is_empty(key, body, missing):
    """A key in one line, or a column without a value, is not missing: it says that it is empty."""
    source = {"schema": {"missing": missing}}
    taken = take(key, body, fields={"city": "set", "tier": "clear"}, source=source)
    assert ["city", "tier"] == taken.fields
    assert [] == taken.changes


def test_who_is_meant_is_never_missing():
    """Without the column of identifiers a file is put aside, whatever is said of missing ones."""
    with pytest.raises(FileRejected) as caught:
        settle({"missing": "note"}, match=[{"external_id": "customer"}])
    assert "missing_column" == caught.value.reason


@pytest.mark.parametrize(
    ("seen", "job", "new"),
    [
        ((), {}, []),
        (("id", "visits"), {}, ["vip"]),
        (("id", "visits", "vip"), {}, []),
        (("id",), {"fields": {"visits": {}, "is_vip": {"from": "vip"}}}, []),
        (("id", "visits"), {"remaining_fields": [{}]}, ["vip"]),
    ],
)
def test_a_column_is_new_if_no_earlier_file_had_it_and_the_job_does_not_name_it(seen, job, new):
    """The first file of a job has no new ones; what remaining_fields takes may be new."""
    assert [("new", *new)] * bool(new) == told(settle({"new": "note"}, seen=seen, **job))
    assert [] == told(settle({}, seen=seen, **job))
    if new:
        with pytest.raises(FileRejected) as caught:
            settle({"new": "quarantine"}, seen=seen, **job)
        assert ("new_column", "vip") == (caught.value.reason, caught.value.column)
        with pytest.raises(SchemaBroken, match="No earlier file had the column 'vip'"):
            settle({"new": "fail"}, seen=seen, **job)


TEXT = {"visits": ["many"]}


@pytest.mark.parametrize(
    ("schema", "cells", "kept", "kind", "changes"),
    [
        ({"retyped": "reject_rows"}, TEXT, "integer", "integer", [("retyped", "visits")]),
        ({"retyped": "note"}, TEXT, "integer", "string", [("retyped", "visits")]),
        ({"retyped": "note"}, {"visits": ["2026-09-15"]}, "integer", "string",
         [("retyped", "visits")]),
        # What a kept type takes anyway is no change.
        ({"retyped": "fail"}, {"visits": ["7.5"]}, "integer", "decimal", []),
        ({"retyped": "fail"}, TEXT, "string", "string", []),
    ],
)  # fmt: skip
def test_a_column_of_another_type_is_read_as_the_job_says(schema, cells, kept, kind, changes):
    """As before, so that odd rows are rejected; or as text, which is kept from then on."""
    settled = settle(schema, cells=cells, kept={"visits": kept})
    assert (kind, changes) == (settled.rules[0].type, told(settled))
    assert kind == settled.kept["visits"].partition("(")[0]


def test_a_column_of_another_type_puts_the_file_aside_or_fails():
    """As ever where the job says nothing of it."""
    with pytest.raises(FileRejected) as caught:
        settle({}, cells=TEXT, kept={"visits": "integer"})
    assert "type_changed" == caught.value.reason
    with pytest.raises(SchemaBroken, match="held integer in earlier files"):
        settle({"retyped": "fail"}, cells=TEXT, kept={"visits": "integer"})
    # Text that the strategy cannot work on puts the file aside all the same.
    fields = {"visits": {"merge": "sum"}}
    with pytest.raises(FileRejected) as caught:
        settle({"retyped": "note"}, cells=TEXT, kept={"visits": "integer"}, fields=fields)
    assert "type_needed" == caught.value.reason
