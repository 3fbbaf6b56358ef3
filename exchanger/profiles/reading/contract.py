"""What the columns of a file look like against what its job names, and what earlier files had."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from exchanger.config.models import ImportJob
from exchanger.errors import FileRejected, SchemaBroken
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.frames.type_names import TypeName
from exchanger.profiles.reading.field_columns import column_of, named_columns

_KEPT_TYPE = "This job says 'schema: {retyped: fail}'; with reject_rows only odd rows are rejected."


@dataclass(frozen=True)
class ColumnChange:
    """
    A change of columns that is noted, and no reason to put the file aside.

    Args:
        kind: What has changed.
        columns: Which ones.
        kept: The type of earlier files, if it is about types.
        found: That of this file.
    """

    kind: Literal["missing", "new", "retyped"]
    columns: tuple[str, ...]
    kept: str = ""
    found: str = ""


def missing_columns(job: ImportJob, raw: RawColumns) -> list[str]:
    """Name the columns that fields of a job are fed by and a file lacks."""
    fed = (column_of(name, field) for name, field in job.cells.items() if field.value is None)
    there = {*raw.names, *raw.unusable}
    return [column for column in dict.fromkeys(fed) if column not in there]


def changed_columns(job: ImportJob, raw: RawColumns, seen: Collection[str]) -> list[ColumnChange]:
    """
    Return what is to be noted of the names of a file's columns.

    Args:
        job: Its fields, and what it says of changes (``source.schema``).
        raw: The file's columns.
        seen: Those of earlier files; none if it is the first one.

    Raises:
        SchemaBroken: The job is to fail.
        FileRejected: ``new_column``; what is missing is found out where it is needed.
    """
    contract = job.source.schema_
    changes = []
    missing = missing_columns(job, raw)
    if missing and contract.missing == "fail":
        raise SchemaBroken(raw.key, _listed("The file lacks the column", missing))
    if missing and contract.missing == "note":
        changes.append(ColumnChange("missing", tuple(missing)))
    new = _new_columns(job, raw, seen) if contract.new else []
    if new and contract.new == "note":
        changes.append(ColumnChange("new", tuple(new)))
    elif new:
        message = _listed("No earlier file had the column", new)
        if contract.new == "fail":
            raise SchemaBroken(raw.key, message)
        message += " If it is meant, write 'source: {schema: {new: note}}', or name it in 'fields'."
        raise FileRejected(raw.key, "new_column", message, column=new[0])
    return changes


def _new_columns(job: ImportJob, raw: RawColumns, seen: Collection[str]) -> list[str]:
    known = {*seen, *named_columns(job)}
    return [name for name in raw.names if name not in known] if seen else []


def retyped(
    job: ImportJob, kept: TypeName, found: TypeName, error: FileRejected
) -> tuple[TypeName, ColumnChange]:
    """
    Return as what a column is read whose type is another one than in earlier files.

    Args:
        job: What it says of changes.
        kept: The type of earlier files.
        found: That of this file, which is no wider one.
        error: Why the file is put aside, unless the job says otherwise.

    Raises:
        SchemaBroken: The job is to fail.
        FileRejected: The file is put aside.
    """
    contract = job.source.schema_.retyped
    if contract == "fail":
        raise SchemaBroken(error.key, f"{error.message} {_KEPT_TYPE}")
    if contract == "quarantine":
        raise error
    change = ColumnChange("retyped", (error.column,), str(kept), str(found))
    return (kept if contract == "reject_rows" else TypeName("string")), change


def _listed(what: str, columns: Sequence[str]) -> str:
    some = len(columns) > 1
    return f"{what}{'s' if some else ''} {', '.join(map(repr, columns))}."
