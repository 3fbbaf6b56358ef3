"""
Which column of a file feeds which attribute, and which ones feed none.

A column that a field names feeds that field alone; ``remaining_fields`` takes others.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from unicodedata import normalize

from exchanger.braze.attributes import CONTROLS, IDENTIFIERS, REFUSED, STANDARD
from exchanger.config.models import (
    FieldConfig,
    FieldType,
    ImportJob,
    ItemField,
    RemainingFields,
    StrategyName,
    kept_by_braze,
)
from exchanger.config.names import name_fault, shown, trimmed
from exchanger.errors import FileRejected
from exchanger.profiles.frames.columns import REJECTED_COLUMNS
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.frames.type_names import TypeName

_IMPLIED: dict[StrategyName, FieldType] = {
    "add": "list",
    "remove": "list",
    "deep": "json",
    "rows": "json",
}
"""Types that a strategy has, and no other."""

_INDEX_NAME = re.compile(r"__index_level_\d+__|__null_dask_index__")
"""What pandas and Dask call an index without a name; also where their metadata was lost."""
_INDEX = (
    "It is the index that pandas keeps of its rows, and seldom data. To take it, name it under "
    "'from' in 'fields'; to write files without it: to_parquet(..., index=False)."
)
_NAMELESS_NAME = re.compile(r"Unnamed: \d+(?:_level_\d+)?(?:\.\d+)?")
"""What pandas calls a column without a name: mostly an index that went through a CSV file."""
_NAMELESS = (
    "pandas calls a column without a name so, which is mostly the number of each row, and seldom "
    "data. To take it, name it under 'from' in 'fields'; to write files without it: "
    "to_csv(..., index=False)."
)

_KEPT_BY_BRAZE = (
    "Braze takes no property of such a name. To send it, feed one of another name from it in "
    "'properties', or give 'remaining_properties' a 'prefix'; what is under 'exclude' is not told "
    "again."
)
_OURS = "It says of a row why it was not accepted, and is no data."


def config_of(job: ImportJob, attribute: str) -> FieldConfig | RemainingFields | None:
    """Find what a job says of an attribute; None if it does not write it."""
    if attribute in job.cells:
        return job.cells[attribute]
    named = named_columns(job)
    for block in job.remaining_cells:
        column = attribute.removeprefix(block.prefix)
        sound = _applies(block, column) and not _why_left_out(block, column)
        if attribute == block.prefix + column and column not in named and sound:
            return block
    return None


def column_nulls(job: ImportJob, column: str) -> tuple[str, ...]:
    """Name the texts that mean that there is nothing in a column, whichever field it feeds."""
    fed: list[FieldConfig | RemainingFields] = [
        config
        for name, config in job.cells.items()
        if config.value is None and (config.from_ or name) == column
    ]
    fed += [block for _, block in _remaining_columns(job, [column])]
    return (*job.source.nulls, *(text for config in fed for text in config.nulls))


def require_column(column: str, raw: RawColumns, named_by: str = "from:") -> None:
    """
    Check that a column is there and can be used.

    Args:
        column: Its name.
        raw: The file's columns.
        named_by: What to write in the job to name another one.

    Raises:
        FileRejected: ``missing_column`` (with a near guess) or ``unusable_column``.
    """
    if column in raw.unusable:
        message = f"Column {column!r} cannot be used: {raw.unusable[column]}"
        raise FileRejected(raw.key, "unusable_column", message, column=column)
    if column not in raw.names:
        names = [name for name in raw.names if name not in raw.absent]
        found = ", ".join(map(shown, names))
        where = _where(column, names, raw.key)
        message = f"The file has no column {column!r}.{where} Its columns are: {found}. "
        message += f"Correct the file, or name the right column in the job with '{named_by}'."
        raise FileRejected(raw.key, "missing_column", message, column=column)


def _where(column: str, names: list[str], key: str) -> str:
    """Write where a column that is missing may be, as a sentence; empty if nobody knows."""
    for part in key.split("/")[:-1]:
        if part.startswith(f"{column}="):
            return f" It is in the name of a folder alone: {part}."
    for name in names:
        if normalize("NFC", name) == normalize("NFC", column):
            return f" It has {name!a}, which looks alike and is written with other signs."
    near = difflib.get_close_matches(column.lower(), {n.lower(): n for n in names}, 1)
    return next((f" Did you mean {n!r}?" for n in names if n.lower() in near), "")


def declared_type(job: ImportJob, column: str) -> TypeName | None:
    """Name the type that the first field fed by a column declares."""
    for name, config in job.cells.items():
        if config.type is not None and config.value is None and column_of(name, config) == column:
            return TypeName(config.type, config.scale or 0)
    return None


def config_of_column(job: ImportJob, column: str) -> FieldConfig:
    """Return what the first field fed by a column, and with a type, says of its cells."""
    for name, config in job.cells.items():
        if config.type is not None and config.value is None and column_of(name, config) == column:
            return FieldConfig(format=config.format)
    return FieldConfig()


def named_fields(job: ImportJob, raw: RawColumns) -> Iterator[tuple[Rule, bool]]:
    """Build the rules of ``fields``; the Boolean tells whether the type is settled."""
    for name, config in job.cells.items():
        if config.value is not None:
            yield Rule(name, "", config.type or type_of_value(config.value), config), True
            continue
        column = column_of(name, config)
        if column not in {*raw.names, *raw.unusable} and job.source.schema_.missing == "note":
            continue  # What is missing says nothing.
        require_column(column, raw)
        yield _rule(name, column, config)


def remaining_fields(job: ImportJob, raw: RawColumns) -> Iterator[tuple[Rule, bool]]:
    """Build the rules of the columns that nothing else names."""
    taken: dict[str, str] = {}
    made = ItemField if job.object == "catalog_items" else FieldConfig
    for column, block in _remaining_columns(job, raw.names):
        name = block.prefix + column
        if _why_left_out(block, column) or _is_index(column, raw) or _is_ours(column, raw):
            continue
        if name in taken:
            message = (
                f"Columns {taken[name]!r} and {column!r} would both become the attribute "
                f"{name!r}. Exclude one of them, or give it another prefix."
            )
            raise FileRejected(raw.key, "duplicate_attribute", message, column=column)
        taken[name] = column
        config = made(
            merge=block.merge,
            type=block.type,
            scale=block.scale,
            nulls=block.nulls,
            on_drift=block.on_drift,
        )
        yield _rule(name, column, config)


def _remaining_columns(job: ImportJob, columns: list[str]) -> Iterator[tuple[str, RemainingFields]]:
    """Yield each column that ``remaining_fields`` is about, and the block that decides on it."""
    named = named_columns(job)
    for column in columns:
        if column in named:
            continue
        applying = [block for block in job.remaining_cells if _applies(block, column)]
        # Where none takes it, the first one says why.
        taking = (block for block in applying if not _why_left_out(block, column))
        block = next(taking, applying[0] if applying else None)
        # An attribute that a field of its own feeds is not fed a second time.
        if block is not None and block.prefix + column not in job.cells:
            yield column, block


def named_columns(job: ImportJob) -> set[str | None]:
    """Name the columns that a job names, for whatever."""
    named = {*job.match_columns, job.source.order_by, job.row_name}
    return named | {column_of(name, config) for name, config in job.cells.items()}


def column_of(name: str, config: FieldConfig) -> str:
    """Name the column that feeds an attribute."""
    return config.from_ or trimmed(name)


def fed_by(job: ImportJob) -> list[str]:
    """Name the columns that feed fields, and nothing else that a row cannot do without."""
    control = {*job.match_columns, job.source.order_by, job.row_name}
    named = (column_of(name, cell) for name, cell in job.cells.items() if cell.value is None)
    return [column for column in dict.fromkeys(named) if column not in control]


def _applies(block: RemainingFields, column: str) -> bool:
    """Return whether a block of remaining fields is about a column, taken or not."""
    if {column, block.prefix + column} & (IDENTIFIERS | CONTROLS):
        return False
    excluded = any(fnmatchcase(column, pattern) for pattern in block.exclude)
    return fnmatchcase(column, block.columns) and not excluded


def _why_left_out(block: RemainingFields, column: str) -> str:
    """Return why a block does not take a column that it applies to; empty if it does."""
    name = block.prefix + column
    if {column, name} & (STANDARD | REFUSED) and not block.standard:
        return (
            "Standard attributes are taken where 'fields' names them, or with 'standard: true'; "
            "what is under 'exclude' is not told again."
        )
    fault = name_fault(name)
    how = "rename it, or feed an attribute of another name from it in 'fields'."
    return f"The name of an attribute {fault}: {how}" if fault else ""


def _is_index(column: str, raw: RawColumns) -> bool:
    """Return whether a column only numbers the rows of a file: nothing in 'fields' names it."""
    return column in raw.indexes or bool(
        _INDEX_NAME.fullmatch(column) or _NAMELESS_NAME.fullmatch(column)
    )


def _is_ours(column: str, raw: RawColumns) -> bool:
    """Return whether a column says why a row was rejected: it stands behind rows that we wrote."""
    return column in REJECTED_COLUMNS and set(REJECTED_COLUMNS) <= {*raw.names}


def left_out(job: ImportJob, raw: RawColumns) -> dict[str, list[str]]:
    """Name the columns that somebody may think ``remaining_fields`` takes, by why it does not."""
    why: dict[str, list[str]] = {}
    for column, block in _remaining_columns(job, [*raw.names, *raw.unusable]):
        reason = raw.unusable.get(column) or _why_left_out(block, column)
        if not reason and _is_index(column, raw):
            reason = _NAMELESS if _NAMELESS_NAME.fullmatch(column) else _INDEX
        if not reason and _is_ours(column, raw):
            reason = _OURS
        if reason:
            why.setdefault(reason, []).append(column)
    if kept := [column for column in raw.names if _is_kept_by_braze(job, column)]:
        why[_KEPT_BY_BRAZE] = kept
    return why


def _is_kept_by_braze(job: ImportJob, column: str) -> bool:
    """Return whether ``remaining_properties`` would take a column, but for its name."""
    spec = job.event or job.purchase
    rest = spec.remaining_properties if spec is not None else None
    if rest is None or column in named_columns(job) or not fnmatchcase(column, rest.columns):
        return False
    excluded = any(fnmatchcase(column, pattern) for pattern in rest.exclude)
    kept = kept_by_braze(rest.prefix, job.object)
    return not excluded and any(fnmatchcase(column, pattern) for pattern in kept)


def _rule(name: str, column: str, config: FieldConfig) -> tuple[Rule, bool]:
    if config.type is not None:
        return Rule(name, column, config.type, config), True
    # Text stands in for the type of a column until it is settled.
    typed = is_typed(config)
    implied = _IMPLIED.get(config.merge, "list")
    return Rule(name, column, implied if typed else "string", config), typed


def is_typed(config: FieldConfig) -> bool:
    """Return whether the job settles the type: by name, by value, or as there can be no other."""
    return (
        config.type is not None
        or config.value is not None
        or config.merge in _IMPLIED
        or config.split is not None
    )


def type_of_value(value: str | float) -> FieldType:
    """Return the type of a static value: the one it has in YAML."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "float" if isinstance(value, float) else "string"
