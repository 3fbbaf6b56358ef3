"""
Resolves the identifiers of every row to the one key that names its profile.

Of several, the first that has a value names the profile of a row. If that value is none, the row is
rejected, rather than taken for somebody else by the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from exchanger.braze.catalogs import LONGEST_ID, NAME
from exchanger.braze.identifiers import LONGEST, IdentifierKind
from exchanger.config.models import ImportJob, Match
from exchanger.profiles.casting.result import VALUE, CastResult, flag_faults
from exchanger.profiles.frames import columns
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.cells import CastColumn
from exchanger.profiles.reading.contacts import canonical_emails, canonical_phones
from exchanger.profiles.reading.identifiers import (
    Identifiers,
    identifiers_of,
    read_identifiers,
)
from exchanger.profiles.spelling.profile_key import item_key, profile_key
from exchanger.profiles.validation.messages import CATALOG, ITEM

_NONE = "no_identifier"
_ODD = ~VALUE.str.contains(NAME) | (VALUE.str.len_chars() > LONGEST_ID)
"""What is neither the id of an item nor the name of a catalog."""


@dataclass(frozen=True)
class Named:
    """
    Who is meant by the rows of a file.

    Args:
        key: The keys, ``@profile``.
        others: Columns of which only the faults count.
        trimmed: By identifier, whether that of a row had white space around it.
        pointed: Likewise, whether it was text like 12345.0, and was read as 12345.
        decomposed: Likewise, whether it had accents apart from their letters.
        beside: Keys of identifiers that have a value beside the one that counts, else null.
    """

    key: CastColumn
    others: tuple[CastColumn, ...] = ()
    trimmed: tuple[pl.Series, ...] = ()
    pointed: tuple[pl.Series, ...] = ()
    decomposed: tuple[pl.Series, ...] = ()
    beside: tuple[pl.Series, ...] = ()


def name_profiles(raw: RawColumns, job: ImportJob) -> Named:
    """Resolve the identifiers of every row, by the job's ``match``, or by the ids of items."""
    if job.item_id:
        return _read_item(raw, job.item_id, job)
    one, *more = [_read(raw, match, job) for match in job.match]
    return _first_of_each([one, *more]) if more else one


def as_keys(keys: pl.Series) -> Named:
    """Take keys that were resolved before as they are."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(keys))
    column = CastColumn(columns.PROFILE, "external_id", keys.name, CastResult(keys, nothing))
    return Named(column)


def canonical_key(kind: IdentifierKind, text: str, label: str = "") -> str | None:
    """
    Build the key of one identifier as a person writes it.

    Args:
        kind: What it is.
        text: The identifier.
        label: Of an alias.

    Returns:
        None if it is no such identifier, or an alias without label.
    """
    if kind == "external_id":
        return text
    if kind == "alias" and not label:
        return None
    read = read_identifiers(pl.Series([text]), placeholders_allowed=True, longest=LONGEST[kind])
    value = _canonical(kind, read.result).values
    key = profile_key(kind, pl.lit(value), pl.lit(label) if kind == "alias" else None)
    found = pl.select(key).item()
    return None if found is None else str(found)


def _read(raw: RawColumns, match: Match, job: ImportJob) -> Named:
    """Read one kind of identifier."""
    read, wrapped = _identifiers(raw, match.column, match.kind, job)
    named = _canonical(match.kind, _without_headers(read.result, match.column))
    labels = _labels(raw, match, job, named)
    value, label = pl.lit(named.values), None
    if match.alias is not None:
        fixed = match.alias.label
        label = pl.lit(fixed) if isinstance(fixed, str) else pl.lit(labels[0].result.values)
    if match.kind != "external_id":
        keys = pl.select(profile_key(match.kind, value, label)).to_series()
        named = replace(named, values=keys)
    key = CastColumn(columns.PROFILE, match.kind, match.column, named, wrapped=wrapped)
    return Named(key, labels, (read.trimmed,), (read.pointed,), (read.decomposed,))


def _read_item(raw: RawColumns, column: str, job: ImportJob) -> Named:
    """Read the ids of catalog items."""
    read, wrapped = _identifiers(raw, column, "external_id", job)
    result = _without_headers(read.result, column)
    judged = flag_faults(result.values.to_frame("value"), [("bad_item_id", _ODD)])
    catalogs = _catalogs(raw, job)
    catalog = pl.lit(catalogs[0].result.values) if catalogs else pl.lit(job.one_catalog)
    keys = judged.values.to_frame("value").select(item_key(catalog, VALUE)).to_series()
    named = replace(result, values=keys).over(judged.faults)
    key = CastColumn(columns.PROFILE, ITEM, column, named, wrapped=wrapped)
    return Named(key, catalogs, (read.trimmed,), (read.pointed,), (read.decomposed,))


def _catalogs(raw: RawColumns, job: ImportJob) -> tuple[CastColumn, ...]:
    """Read the names of catalogs, where a column has them."""
    column = job.catalog_column
    if column is None:
        return ()
    read, wrapped = _identifiers(raw, column, "external_id", job)
    result = _without_headers(read.result, column)
    judged = flag_faults(result.values.to_frame("value"), [("bad_catalog", _ODD)])
    faults = result.faults.replace({_NONE: "no_catalog"})
    named = CastResult(judged.values, judged.faults).over(faults)
    return (CastColumn("", CATALOG, column, named, wrapped=wrapped),)


def _identifiers(
    raw: RawColumns, column: str, kind: IdentifierKind, job: ImportJob
) -> tuple[Identifiers, pl.Series | None]:
    return identifiers_of(
        raw,
        column,
        job.source.nulls,
        placeholders_allowed=job.source.placeholders == "allow",
        longest=LONGEST[kind],
    )


def _canonical(kind: IdentifierKind, identifiers: CastResult) -> CastResult:
    if kind == "email":
        return canonical_emails(identifiers)
    return canonical_phones(identifiers) if kind == "phone" else identifiers


def _without_headers(identifiers: CastResult, column: str) -> CastResult:
    """Find rows at fault whose identifier is the column's own name: a header among the rows."""
    # Of most columns no cell is even as long.
    alike = (identifiers.values.str.len_bytes() == len(column.encode())).fill_null(value=False)
    if not alike.any():
        return identifiers
    again = alike & (identifiers.values.str.to_lowercase() == column.lower())
    again = again.fill_null(value=False)
    if not again.any():
        return identifiers
    word = pl.when(again).then(pl.lit("header_again")).alias("fault")
    return identifiers.over(pl.select(word).to_series())


def _labels(
    raw: RawColumns, match: Match, job: ImportJob, names: CastResult
) -> tuple[CastColumn, ...]:
    """Read the labels of aliases; a name without one is at fault, nothing of a row without name."""
    if match.alias is None or match.alias.label_column is None:
        return ()
    column = match.alias.label_column
    read, wrapped = _identifiers(raw, column, "alias", job)
    missing = pl.when(pl.col("fault") == _NONE).then(pl.lit("no_alias_label"))
    worded = pl.DataFrame({"fault": read.result.faults, "name": names.values}).select(
        pl.when(pl.col("name").is_not_null()).then(missing.otherwise(pl.col("fault")))
    )
    labels = CastResult(read.result.values, worded.to_series())
    return (CastColumn("", match.kind, column, labels, wrapped=wrapped),)


def _first_of_each(every: Sequence[Named]) -> Named:
    """Let the first identifier that has a value name the profile of each row."""
    height = len(every[0].key.result.values)
    still = pl.Series([True]).new_from_index(0, height)
    keys = pl.Series([None], dtype=pl.String).new_from_index(0, height)
    nothing = keys
    found: list[CastColumn] = []
    further: list[pl.Series] = []
    for named in every:
        result = named.key.result
        mine = still & result.faults.ne_missing(_NONE)
        further.append(result.values.zip_with(~still & result.faults.is_null(), nothing))
        keys = result.values.zip_with(mine, keys)
        found += [_only(each, mine) for each in (named.key, *named.others)]
        still &= ~mine
    beside = tuple(named.key.column for named in every[1:])
    nobody = pl.select(pl.when(still).then(pl.lit(_NONE)).alias("fault")).to_series()
    first, *others = found
    result = CastResult(keys, first.result.faults).over(nobody)
    return Named(
        key=replace(first, result=result, beside=beside),
        others=tuple(replace(each, name="") for each in others),
        trimmed=tuple(rows for named in every for rows in named.trimmed),
        pointed=tuple(rows for named in every for rows in named.pointed),
        decomposed=tuple(rows for named in every for rows in named.decomposed),
        beside=tuple(further[1:]),
    )


def _only(column: CastColumn, rows: pl.Series) -> CastColumn:
    """Keep the faults of some rows."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))
    faults = column.result.faults.zip_with(rows, nothing)
    return replace(column, result=replace(column.result, faults=faults))
