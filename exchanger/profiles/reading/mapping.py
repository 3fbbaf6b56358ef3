"""
Which column of a file feeds which attribute, and as what type.

Settling a file and casting it are two steps: a later file of a run may widen a type, and all files
of a run must be cast by the same rules. Settle every file first, handing on what is kept; then
bring each file's rules to the last kept types with ``widen_rules``, and cast.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import polars as pl

from exchanger.braze.attributes import CONSENT
from exchanger.config.models import FieldType, ImportJob, StrategyName
from exchanger.errors import FileRejected
from exchanger.profiles.casting.plain_text import (
    have_commas,
    is_day_first,
    plain_numbers,
    plain_times,
)
from exchanger.profiles.casting.values import NUMBERS, TIMES
from exchanger.profiles.frames.columns import EMAIL_STATE, FILE, GROUP
from exchanger.profiles.frames.raw_columns import FilledCells, RawColumns
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.frames.type_names import TypeName, own_type, parse_type_name
from exchanger.profiles.reading.contract import ColumnChange, changed_columns, retyped
from exchanger.profiles.reading.field_columns import (
    column_nulls,
    declared_type,
    fed_by,
    is_typed,
    left_out,
    named_fields,
    remaining_fields,
    require_column,
)
from exchanger.profiles.reading.inference import infer_type, infer_types, type_of_json
from exchanger.profiles.reading.stray_words import StrayWords, find_stray_words
from exchanger.profiles.reading.type_widening import keep_type, with_misfit

Answer = TypeVar("Answer")

_DATED: frozenset[FieldType] = TIMES | {"list"}
_NEEDED: dict[StrategyName, frozenset[FieldType]] = {
    "sum": NUMBERS,
    "highest": NUMBERS | TIMES,
    "lowest": NUMBERS | TIMES,
}
"""Types that a strategy can work on; the others take all."""


@dataclass(frozen=True)
class Settled:
    """
    What is decided about one file.

    Args:
        rules: One for each attribute, the named fields first.
        kept: Types by column, of earlier files and this one, ready to be kept for the next.
        left_out: Columns that somebody may think ``remaining_fields`` takes; by why it does not.
        stray: Columns that are text, or of several types, because of a few words, and of which no
            earlier file has decided that.
        commas: Columns of CSV that are text, and numbers if a comma stands before fractions; of
            which no earlier file has decided that.
        changes: What is to be noted of its columns, as against those of earlier files.
    """

    rules: list[Rule]
    kept: dict[str, str]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    stray: list[StrayWords] = field(default_factory=list)
    commas: tuple[str, ...] = ()
    changes: tuple[ColumnChange, ...] = ()


def settle_rules(  # noqa: PLR0913 - what is known of a file, and of those before it
    job: ImportJob,
    raw: RawColumns,
    kept: Mapping[str, str],
    found: Mapping[str, TypeName] | None = None,
    day_first: Collection[str] | None = None,
    *,
    seen: Collection[str] = (),
) -> Settled:
    """
    Decide for one file which column feeds which attribute, and as what type.

    Args:
        job: Its fields, remaining fields, match and order.
        raw: The file's columns; text is looked at in full where a type must be inferred.
        kept: The types that earlier files gave to columns, by column.
        found: The types that ``find_types`` told of columns of this file; asked for if left out.
        day_first: The columns of this file that ``day_first_columns`` names; likewise.
        seen: The columns that earlier files had, if the job says something of new ones.

    Raises:
        FileRejected: ``missing_column``, ``unusable_column``, ``duplicate_attribute``,
            ``type_changed``, ``type_needed`` or ``new_column``.
        SchemaBroken: The columns are not what the job demands, and it is to fail.
    """
    changes = changed_columns(job, raw, seen)
    chosen = _chosen(job, raw)
    columns = _untyped(job, raw, chosen)
    if found is None:
        found = _each(lambda column: _find_type(column, job, raw), columns)
    types = {column: _met(column, found.get(column), raw, kept, job, changes) for column in columns}
    new = [column for column in columns if column not in kept and may_stray(raw, types[column])]
    stray = _each(lambda column: _stray_words(column, types[column], job, raw), new).values()
    rules = [
        rule if typed else _with_type(rule, types[rule.column], raw.key) for rule, typed in chosen
    ]
    if day_first is None:
        texts = [name for name, kind in types.items() if kind and kind.type == "string"]
        day_first = day_first_columns(job, raw, texts)
    rules = [replace(rule, day_first=True) if rule.column in day_first else rule for rule in rules]
    told = {column: str(name) for column, name in types.items() if name is not None}
    rules = [_guarded(rule, job) for rule in rules]
    commas = _each(lambda column: _has_commas(column, job, raw), new)
    return Settled(
        rules, {**kept, **told}, left_out(job, raw), [*stray], tuple(commas), tuple(changes)
    )


def _guarded(rule: Rule, job: ImportJob) -> Rule:
    """Mark a rule that must not subscribe anybody who is unsubscribed."""
    consent = rule.name in CONSENT or rule.name == EMAIL_STATE or rule.name.startswith(GROUP)
    return replace(rule, guarded=True) if consent and not job.may_resubscribe else rule


def untyped_columns(job: ImportJob, raw: RawColumns) -> list[str]:
    """
    Name the columns of a file whose types its cells decide.

    Raises:
        FileRejected: As ``settle_rules``, where that is due to the names of columns alone.
    """
    return _untyped(job, raw, _chosen(job, raw))


def _chosen(job: ImportJob, raw: RawColumns) -> list[tuple[Rule, bool]]:
    """Build the rules of a file; the Booleans tell whether the type is settled."""
    try:
        return _fed(job, raw)
    except FileRejected as error:
        ours = {*job.match_columns, *fed_by(job)} & {*raw.names} - raw.absent
        if ours or error.reason != "missing_column":
            raise
        message = f"{error.message} No column of the job is in it: if it is no data, let 'pattern' "
        message += "in 'source' leave it out."
        raise FileRejected(error.key, error.reason, message, column=error.column) from error


def _fed(job: ImportJob, raw: RawColumns) -> list[tuple[Rule, bool]]:
    order = job.source.order_by
    for match in job.match:
        for column in match.columns:
            require_column(column, raw, f"match: [{{{match.kind}: COLUMN}}]")
    if job.item_id:
        require_column(job.item_id, raw, "id:")
    if job.catalog_column is not None:
        require_column(job.catalog_column, raw, "catalog: {from: COLUMN}")
    if order:
        require_column(order, raw, "source: {order_by: COLUMN}")
    if job.row_name:
        named_by = "row_id:" if job.order is None else "order: {id: COLUMN}"
        require_column(job.row_name, raw, named_by)
    return [*named_fields(job, raw), *remaining_fields(job, raw)]


def day_first_columns(job: ImportJob, raw: RawColumns, texts: Collection[str]) -> list[str]:
    """
    Name the columns in which a date shows that the day comes first: 25/12/1990.

    Args:
        job: Its fields.
        raw: The cells of a file, or of several.
        texts: Of the columns whose types the cells decide, those that are text.
    """
    if job.source.csv.dates and raw.textual:
        return []
    asked = {
        rule.column
        for rule, typed in _chosen(job, raw)
        if (rule.type in _DATED if typed else rule.column in texts) and not rule.config.format
    }
    asked &= {name for name in raw.names if raw.frame[name].dtype == pl.String}
    return [name for name in asked if any(is_day_first(cells).any() for cells in raw.cells(name))]


def _untyped(job: ImportJob, raw: RawColumns, chosen: Sequence[tuple[Rule, bool]]) -> list[str]:
    untyped = {rule.column for rule, typed in chosen if not typed}
    order = job.source.order_by
    if order and declared_type(job, order) is None:
        untyped.add(order)
    return [column for column in raw.names if column in untyped]


def _each(ask: Callable[[str], Answer | None], columns: Sequence[str]) -> dict[str, Answer]:
    """Ask something of columns; the answers that are not None."""
    if not columns:
        return {}
    # polars works on one column at a time here, and lets go of the interpreter while it does.
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        answers = zip(columns, pool.map(ask, columns), strict=True)
        return {column: answer for column, answer in answers if answer is not None}


def widen_rules(rules: list[Rule], kept: Mapping[str, str]) -> list[Rule]:
    """Bring rules whose type was not declared to the types that are kept by now."""
    return [
        _with_type(rule, parse_type_name(kept[rule.column]), "")
        if not is_typed(rule.config) and rule.column in kept
        else rule
        for rule in rules
    ]


def find_types(
    columns: Sequence[str], job: ImportJob, raw: RawColumns
) -> dict[int, dict[str, TypeName]]:
    """
    Name the types of columns as each of many files of the same columns has them.

    Args:
        columns: As ``untyped_columns`` names them.
        job: Its fields and source.
        raw: The cells of all files.

    Returns:
        By file and column, without columns of which every cell is empty there.
    """
    found = _each(lambda column: _find_types(column, job, raw), columns)
    types: dict[int, dict[str, TypeName]] = {}
    for column, by_file in found.items():
        for file, name in by_file.items():
            types.setdefault(file, {})[column] = name
    return types


def _find_types(column: str, job: ImportJob, raw: RawColumns) -> dict[int, TypeName]:
    files = raw.places[FILE]
    if raw.textual:
        [cells] = _filled(raw, column, job)
        return infer_types(files, cells)
    cells = raw.frame[column]
    if nulls := column_nulls(job, column):
        [cells] = _filled(raw, column, job)
    filled = cells.is_not_null()
    if nulls and column in raw.json_columns:
        # What is left once nothing is left of these texts may be of one type.
        return {
            file: type_of_json([cells.filter(filled & (files == file))])
            for file in files.filter(filled).unique()
        }
    own = own_type(raw.frame[column].dtype, is_json=column in raw.json_columns)
    return {} if own is None else dict.fromkeys(files.filter(filled).unique(), own)


def _find_type(column: str, job: ImportJob, raw: RawColumns) -> TypeName | None:
    """Name the type that a column has in a file; None if it is empty there."""
    filled = _filled(raw, column, job)
    if raw.textual:
        return _plain_type(column, raw, job) or infer_type(filled)
    nulls = column_nulls(job, column)
    if all(cells.null_count() == len(cells) for cells in (filled if nulls else raw.cells(column))):
        return None
    if nulls and column in raw.json_columns:
        return type_of_json(filled)
    return own_type(raw.frame[column].dtype, is_json=column in raw.json_columns)


def _plain_type(column: str, raw: RawColumns, job: ImportJob) -> TypeName | None:
    """Name the type of cells that need no look at what is around them; None if they may."""
    csv = job.source.csv
    if column_nulls(job, column) or csv.decimal != "." or csv.dates:
        return None
    found = infer_type([*raw.cells(column)])
    return None if found is None or found.type == "string" else found


def _met(  # noqa: PLR0913, PLR0917 - what a type is settled by
    column: str,
    found: TypeName | None,
    raw: RawColumns,
    kept: Mapping[str, str],
    job: ImportJob,
    changes: list[ColumnChange],
) -> TypeName | None:
    """Settle on the type that is found in a file and the one that is kept."""
    earlier = parse_type_name(kept[column]) if column in kept else None
    try:
        return keep_type(earlier, found, textual=raw.textual, column=column, key=raw.key)
    except FileRejected as error:
        if earlier is None or found is None:
            raise
        named = with_misfit(error, raw, earlier, partial(_filled, column=column, job=job))
        settled, change = retyped(job, earlier, found, named)
        changes.append(change)
        return settled


def _stray_words(
    column: str, name: TypeName | None, job: ImportJob, raw: RawColumns
) -> StrayWords | None:
    is_json = column in raw.json_columns
    mixed = TypeName("string") if raw.textual else TypeName("json") if is_json else None
    if name is None or name != mixed:
        return None
    cells = _filled(raw, column, job)
    return find_stray_words(cells, column, is_json=is_json)


def _has_commas(column: str, job: ImportJob, raw: RawColumns) -> bool | None:
    return (raw.textual and have_commas(_filled(raw, column, job))) or None


def _filled(raw: RawColumns, column: str, job: ImportJob) -> FilledCells:
    """Return the cells of a column as its type is told from them."""
    csv = job.source.csv

    def spelled(cells: pl.Series) -> pl.Series:
        cells = plain_numbers(cells, csv.decimal)
        return plain_times(cells, csv.dates) if csv.dates else cells

    return FilledCells(raw, column, column_nulls(job, column), spelled)


def may_stray(raw: RawColumns, name: TypeName | None) -> bool:
    """Return whether a column of this type may be what it is because of a few words."""
    return name is not None and name.type == ("string" if raw.textual else "json")


def order_type(
    column: str, job: ImportJob, raw: RawColumns, kept: Mapping[str, str]
) -> TypeName | None:
    """
    Name the type that ``order_by`` sorts as: a field's declared one, else as kept of all files.

    Without one that is kept, the cells decide.
    """
    declared = declared_type(job, column)
    if declared is None and column in kept:
        return parse_type_name(kept[column])
    return declared or _find_type(column, job, raw)


def _with_type(rule: Rule, name: TypeName | None, key: str) -> Rule:
    """
    Set the type of a rule by its column.

    Raises:
        FileRejected: ``type_needed``: the strategy cannot work on that type.
    """
    allowed = _NEEDED.get(rule.merge)
    if name is None:
        # An empty column says nothing, as whatever type the strategy can work on.
        return rule if allowed is None else replace(rule, type="integer")
    if allowed is not None and name.type not in allowed:
        message = (
            f"Column {rule.column!r} holds {name}, and 'merge: {rule.merge}' of {rule.name!r} "
            f"needs {' or '.join(sorted(allowed))}. Write 'type:' for this field in the job, "
            f"so that single bad rows are rejected and not the file."
        )
        raise FileRejected(key, "type_needed", message, column=rule.column)
    config = rule.config
    if name.type == "decimal":
        config = config.model_copy(update={"scale": name.scale})
    return replace(rule, type=name.type, config=config)
