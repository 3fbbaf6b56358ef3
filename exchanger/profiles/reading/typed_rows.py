"""From the cells of a file to what it gives: typed values, and rejected rows with reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import polars as pl

from exchanger.braze.limits import LONGEST_IDENTIFIER, LONGEST_TEXT
from exchanger.config.models import FieldType, ImportJob
from exchanger.errors import FileRejected
from exchanger.profiles.casting.lists import cast_lists
from exchanger.profiles.casting.result import VALUE, CastResult, flag_faults
from exchanger.profiles.casting.text import read_json_scalars
from exchanger.profiles.casting.times import (
    has_slashes,
    has_unknown_order,
    has_year_last,
    is_month_first,
    read_instants,
)
from exchanger.profiles.casting.usual import read_usual
from exchanger.profiles.casting.values import CastOptions, cast_options, cast_values, plainly
from exchanger.profiles.frames import columns
from exchanger.profiles.frames.raw_columns import RawColumns, without_empty
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.reading.cells import CastColumn, cells_of
from exchanger.profiles.reading.faults import (
    DROPPED,
    fine_rows,
    found_faults,
    parted,
    without_dropped,
)
from exchanger.profiles.reading.field_columns import config_of_column
from exchanger.profiles.reading.identifiers import identifiers_of
from exchanger.profiles.reading.mapping import order_type
from exchanger.profiles.reading.resolve import Named, name_profiles
from exchanger.profiles.spelling.json_values import STANDARD_TEXT
from exchanger.profiles.spelling.placeholders import find_stand_ins
from exchanger.profiles.spelling.profile_key import kind_of
from exchanger.profiles.validation.items import judge_item_field
from exchanger.profiles.validation.messages import SENTENCES
from exchanger.profiles.validation.nested import judge_nested
from exchanger.profiles.validation.standard import TAKES, judge_standard

NOTED = pl.Schema(
    {columns.FILE: pl.UInt32()}
    | dict.fromkeys(("trimmed", "pointed", "decomposed", "wrapped", "nulls_left_out"), pl.UInt32())
    | {"stand_ins": pl.UInt32()}
)
NAMED_TWICE = pl.Schema(
    {columns.PROFILE: pl.String(), columns.BESIDE: pl.String()}
    | {columns.FILE: pl.UInt32(), columns.ROW: pl.UInt32()}
)
"""Rows with two identifiers: which one counts, and the other, each other in a row of its own."""
_CONTROL = (columns.PROFILE, columns.FILE, columns.ROW, columns.ORDER, columns.ROW_ID)
"""Columns that stand before those of rules."""


@dataclass(frozen=True)
class Given:
    """
    What one file gives, or several files of the same columns.

    Args:
        frame: ``@profile`` (String), ``@file``, ``@row`` (UInt32), ``@order`` (if the job orders;
            Int64, Float64, ``Datetime("us", "UTC")`` or String), ``@row_id`` (String, if the job
            names its rows), one typed column for each rule, and ``@said:NAME`` (Boolean) for each
            ``clear`` rule. Null says nothing.
        rejected: The other rows, as ``messages.REJECTED``; one entry for each field at fault.
        said: The fields that rows speak of, empty or not.
        noted: By ``@file``, as far as there are any: rows whose identifier had white space around
            it (``trimmed``), or was text like 12345.0 and was read as 12345 (``pointed``), or
            has accents apart from their letters (``decomposed``); cells of which an apostrophe or a
            formula around the text was taken off (``wrapped``); null members of JSON objects that
            were left out (``nulls_left_out``); cells of text that say what programs write for want
            of a value, such as NULL (``stand_ins``).
        faulty: The rejected rows in the shape of *frame*, null where they are at fault; of orders
            alone, the other lines of which go with them. None if there is none.
        mentioned: Whom rejected rows name (``@profile``), null where that is nobody; of snapshots
            alone. None if there is none.
        dropped: Values that are left out while the rest of their row is given, as
            ``faults.DROPPED``.
        beside: What else names people in rows, as ``NAMED_TWICE``.
    """

    frame: pl.DataFrame
    rejected: pl.DataFrame
    said: tuple[str, ...] = ()
    noted: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NOTED))
    faulty: pl.DataFrame | None = None
    mentioned: pl.Series | None = None
    dropped: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DROPPED))
    beside: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NAMED_TWICE))


def cast_rows(  # noqa: PLR0913 - what a file, its job and its run say
    raw: RawColumns,
    rules: Sequence[Rule],
    job: ImportJob,
    file_index: int | None = None,
    kept: Mapping[str, str] | None = None,
    *,
    named: Named | None = None,
) -> Given:
    """
    Cast every row of a file, or reject it with all its reasons.

    Several files may be cast at once if they have the same columns and rules.

    Args:
        raw: The file's columns, or those of several files.
        rules: As settled for this file, at the types of the entire run.
        job: Its match, order and source.
        file_index: The file's position in the run; of several files, each row tells.
        kept: Types by column, as ``settle_rules`` gave them for the last file of the run. Only
            the column of ``order_by`` is looked up; without it, this file alone decides its type.
        named: Who is meant by each row, if that is known; else the job's ``match`` tells.

    Raises:
        FileRejected: ``static_value`` (it is not of the declared type) or ``bad_order`` (lists,
            objects and booleans have no order).
    """
    raw = raw.at(file_index)
    named = named or name_profiles(raw, job)
    named_rows = [named.key, *_order(raw, job, kept or {}), *_row_ids(raw, job)]
    read = _cast_rules(raw, [rule for rule in rules if rule.column], job)
    cast = [*named_rows, *read]
    judged = [*cast, *named.others]
    costly = [*named_rows, *(without_dropped(each, job) for each in read), *named.others]
    fine = fine_rows(costly, raw.frame.height)
    static = [_static(rule, job, raw.key) for rule in rules if not rule.column]
    said = tuple(rule.name for rule in rules if rule.merge == "clear")
    spoken = _spoken(read, said)
    values = [c.result.values.alias(c.name) for c in cast]
    frame = pl.DataFrame([*values, *raw.places.get_columns(), *spoken.values()])
    control = [n for n in _CONTROL if n in frame]
    chosen: list[str | pl.Expr] = [
        *control,
        *(c.name for c in cast if c.name not in control),
        *static,
        *(_told(name, spoken) for name in said),
    ]
    faulty = mentioned = None
    if fine is not None:
        mentioned = frame.filter(~fine)[columns.PROFILE] if job.source.is_snapshot else None
        faulty = frame.filter(~fine).select(chosen) if job.order is not None else None
        frame = frame.filter(fine)
    frame = frame.select(chosen)
    if not job.by_external_id:
        frame = _without_own_names(frame, rules)
    found = found_faults(raw, judged, job)
    rejected, dropped = parted(found, raw.places, fine, named.key.result.values)
    noted = _noted(
        raw.places[columns.FILE],
        trimmed=named.trimmed,
        pointed=named.pointed,
        decomposed=named.decomposed,
        wrapped=[c.wrapped for c in judged],
        nulls_left_out=[c.result.dropped for c in cast],
        stand_ins=[
            find_stand_ins(each.result.values)
            for rule, each in zip((r for r in rules if r.column), read, strict=True)
            if rule.type == "string"
        ],
    )
    twice = _named_twice(named, raw.places)
    return Given(frame, rejected, said, noted, faulty, mentioned, dropped, twice)


def _named_twice(named: Named, places: pl.DataFrame) -> pl.DataFrame:
    """List the identifiers beside those that count, as ``NAMED_TWICE``."""
    rows = places.with_columns(named.key.result.values.alias(columns.PROFILE))
    each = (rows.with_columns(keys.alias(columns.BESIDE)) for keys in named.beside)
    found = (frame.drop_nulls(columns.BESIDE).select(*NAMED_TWICE) for frame in each)
    return pl.concat([pl.DataFrame(schema=NAMED_TWICE), *found])


def _told(name: str, spoken: Mapping[str, pl.Series]) -> pl.Expr:
    told = columns.said(name)
    return pl.col(told) if name in spoken else pl.lit(value=True).alias(told)


def _spoken(read: Sequence[CastColumn], said: Sequence[str]) -> dict[str, pl.Series]:
    """Find where rows do not speak of a field as its value is at fault, not empty."""
    return {
        each.name: each.result.faults.is_null().alias(columns.said(each.name))
        for each in read
        if each.name in said and each.result.faults.null_count() < len(each.result.faults)
    }


def _noted(files: pl.Series, **counts: Sequence[pl.Series | None]) -> pl.DataFrame:
    """Add up by file what is counted of its rows, as ``NOTED``."""
    some = {
        name: [each.cast(pl.UInt32) for each in found if each is not None and each.sum()]
        for name, found in counts.items()
    }
    if not any(some.values()):
        return pl.DataFrame(schema=NOTED)
    sums = {name: pl.sum_horizontal(found) if found else 0 for name, found in some.items()}
    rows = files.to_frame().with_columns(**sums)
    by_file = rows.group_by(columns.FILE, maintain_order=True).agg(pl.col(*some).sum())
    return by_file.select(pl.col(name).cast(dtype) for name, dtype in NOTED.items())


def _row_ids(raw: RawColumns, job: ImportJob) -> list[CastColumn]:
    """Read what names each row, as identifiers are read."""
    column = job.row_name
    if not column:
        return []
    name, longest = ("row_id", LONGEST_IDENTIFIER)
    if job.order is not None:
        name, longest = ("order_id", LONGEST_TEXT)
    found, wrapped = identifiers_of(raw, column, job.source.nulls, longest=longest)
    read = found.result
    words = {
        "no_identifier": f"no_{name}",
        "bad_identifier": f"bad_{name}",
        "identifier_too_long": f"{name}_too_long",
    }
    named = CastResult(read.values, read.faults.replace(words), read.dropped)
    field = "row_id" if job.order is None else "id"
    return [CastColumn(columns.ROW_ID, field, column, named, wrapped=wrapped)]


def _without_own_names(frame: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """
    Let rows say nothing of the address or number that names their profile: it is so already.

    Beside a phone number an e-mail address, also none, would be taken for the identifier.
    """
    own = {"email": ("email", "phone"), "phone": ("phone",)}
    kinds = kind_of(pl.col(columns.PROFILE))
    for rule in rules:
        named = kinds.is_in(own.get(rule.name, ()))
        if rule.name in own:
            frame = frame.with_columns(pl.when(~named).then(rule.name).alias(rule.name))
        if rule.name in own and rule.merge == "clear":
            told = columns.said(rule.name)
            frame = frame.with_columns((pl.col(told) & ~named).alias(told))
    return frame


def _cast_rules(raw: RawColumns, rules: Sequence[Rule], job: ImportJob) -> list[CastColumn]:
    # polars works on one column at a time here, and lets go of the interpreter while it does.
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        return list(pool.map(lambda rule: _cast_rule(raw, rule, job), rules))


def _cast_rule(raw: RawColumns, rule: Rule, job: ImportJob) -> CastColumn:
    nulls = (*job.source.nulls, *rule.config.nulls)
    reading = cast_options(rule, job.source, nulls, textual=raw.textual)
    is_json = rule.column in raw.json_columns
    usual = None if is_json else read_usual(raw.frame[rule.column], reading)
    wrapped = None
    if usual is not None:
        result = _judged(rule, usual)
    else:
        cells, wrapped = cells_of(raw, rule.column, nulls)
        result = _cast(cells, rule, reading, is_json=is_json)
    key = rule.config.key or ""
    return CastColumn(rule.name, rule.name, rule.column, result, rule.scale, wrapped, key=key)


def _cast(cells: pl.Series, rule: Rule, reading: CastOptions, *, is_json: bool) -> CastResult:
    """Cast cells to what their rule says, and to what Braze takes."""
    return _judged(rule, _to_type(cells, rule, reading, is_json=is_json))


def _judged(rule: Rule, result: CastResult) -> CastResult:
    """Find the values that Braze does not take."""
    if rule.of_item:
        return judge_item_field(rule, result)
    return judge_nested(rule, judge_standard(rule, result))


def _to_type(cells: pl.Series, rule: Rule, reading: CastOptions, *, is_json: bool) -> CastResult:
    if rule.type == "string" and rule.config.type is None and rule.column:
        result = _read(cells, reading, is_json=is_json)
        if rule.name in STANDARD_TEXT or rule.of_item or not has_slashes(result.values):
            return result
        result = _without(result, "day_or_month", has_unknown_order)
        return _without(result, "day_or_month", is_month_first) if rule.day_first else result
    if rule.type == "list":
        return cast_lists(cells, rule, reading, is_json=is_json)
    return _read(cells, reading, is_json=is_json and rule.type != "json")


def _read(cells: pl.Series, reading: CastOptions, *, is_json: bool) -> CastResult:
    if is_json:
        scalars = read_json_scalars(cells)
        values = without_empty(scalars.values, reading.nulls)
        return cast_values(values, reading).over(scalars.faults)
    return cast_values(cells, reading)


def _without(result: CastResult, reason: str, test: Callable[[pl.Expr], pl.Expr]) -> CastResult:
    """Find the dates that a test is about among text; few texts are any."""
    frame = pl.DataFrame({"raw": result.values, "value": result.values})
    return flag_faults(frame, [(reason, test(VALUE))], result.dropped).over(result.faults)


def _order(raw: RawColumns, job: ImportJob, kept: Mapping[str, str]) -> list[CastColumn]:
    """Cast the column of ``order_by`` to something that sorts as people mean it."""
    column = job.source.order_by
    if column is None:
        return []
    name = order_type(column, job, raw, kept)
    kind = "string" if name is None else name.type
    if kind in ("boolean", "list", "json"):
        message = f"Column {column!r} holds {kind}, which has no order. Set another 'order_by:'."
        raise FileRejected(raw.key, "bad_order", message, column=column)
    cells, _ = cells_of(raw, column, job.source.nulls)
    if column in raw.json_columns:
        cells = read_json_scalars(cells).values
    sortable: FieldType = "float" if kind == "decimal" else kind
    # Long text still sorts, by its beginning.
    rule = Rule(columns.ORDER, column, sortable, config_of_column(job, column))
    reading = replace(cast_options(rule, job.source, (), textual=raw.textual), cut=True)
    if kind in ("date", "datetime"):
        # Finer than a field's milliseconds.
        result = read_instants(plainly(cells, reading), job.source.timezone)
    else:
        result = cast_values(cells, reading)
    if kind == "string":
        result = _without(result, "year_last", has_year_last)
    return [CastColumn(columns.ORDER, column, column, result)]


def _static(rule: Rule, job: ImportJob, key: str) -> pl.Expr:
    """Build the constant column of a static value, cast like a cell that holds it."""
    reading = cast_options(rule, job.source, ())
    cell = without_empty(pl.Series([rule.config.value]), ())
    result = _cast(cell, rule, reading, is_json=False)
    if result.faults.item() is not None:
        reason, value = result.faults.item(), rule.config.value
        message = f"The 'value:' of field {rule.name!r} is no {rule.type}. Correct the job."
        if reason in TAKES:
            message = f"The 'value: {value}' of field {rule.name!r} {SENTENCES[reason]}"
        raise FileRejected(key, "static_value", message)
    return pl.lit(result.values).first().alias(rule.name)
