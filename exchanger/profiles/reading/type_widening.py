"""How the type that a column had in earlier files meets the one that it has in this file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import polars as pl

from exchanger.errors import FileRejected
from exchanger.profiles.casting.text import read_json_scalars
from exchanger.profiles.casting.values import CastOptions, cast_values
from exchanger.profiles.frames.columns import ROW
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.frames.type_names import TypeName
from exchanger.profiles.reading.inference import is_spelled_as
from exchanger.profiles.spelling.invisible import show_invisible
from exchanger.profiles.validation.messages import SHOWN


def keep_type(
    kept: TypeName | None, found: TypeName | None, *, textual: bool, column: str, key: str
) -> TypeName | None:
    """
    Settle on one type for a column, this file's and the earlier ones'.

    A kept type may widen from integer to decimal and to more places, and in a typed file from
    integer to float. Text takes everything that is a single value; a kept wider type takes the
    narrower. Any other change could mean another column, so it is not guessed.

    Args:
        kept: The type of the earlier files; None if there is none.
        found: The type in this file; None if the column is empty here.
        textual: The file is text (CSV).
        column: Named in the error.
        key: The file, named in the error.

    Raises:
        FileRejected: ``type_changed``.
    """
    if kept is None or found is None:
        return kept or found
    settled = _widen(kept, found, textual=textual)
    if settled is None:
        message = (
            f"Column {column!r} held {kept} in earlier files and holds {found} in this one. "
            f"If that is a mistake, correct the file; if it is meant, write 'type:' for this "
            f"field in the job, such as {_such_as(found)}."
        )
        raise FileRejected(key, "type_changed", message, column=column)
    return settled


def with_misfit(
    error: FileRejected,
    raw: RawColumns,
    kept: TypeName,
    filled: Callable[[RawColumns], Iterable[pl.Series]],
) -> FileRejected:
    """
    Name in an error the first cell that is not of the kept type, if one shows itself.

    Args:
        error: That the type of a column has changed.
        raw: The file.
        kept: The type of earlier files.
        filled: Gives the cells of the column, as its type is told from them.
    """
    if kept.type in ("list", "json"):
        return error
    # A number in another spelling is told apart by that alone: 007 was an integer, too.
    tests = (_other_spelling, _other_value) if raw.textual else (_other_value,)
    for test in tests:
        for piece in _pieces(raw, error.column):
            (cells,) = filled(replace(raw, frame=piece, pieces=None))
            if error.column in raw.json_columns:
                cells = read_json_scalars(cells).values
            at = test(cells, kept).arg_true().head(1)
            for row, cell in piece[at].select(ROW, error.column).iter_rows():
                return _naming(error, row, cell)
    return error


def _pieces(raw: RawColumns, column: str) -> Iterable[pl.DataFrame]:
    return raw.pieces([column, ROW]) if raw.pieces is not None else [raw.frame]


def _other_spelling(cells: pl.Series, kept: TypeName) -> pl.Series:
    return ~is_spelled_as(cells, kept.type)


def _other_value(cells: pl.Series, kept: TypeName) -> pl.Series:
    return cast_values(cells, CastOptions(kept.type, kept.scale)).faults.is_not_null()


def _naming(error: FileRejected, row: int, cell: object) -> FileRejected:
    shown = show_invisible(pl.Series([str(cell)[:SHOWN]])).item()
    found = f"The first such cell is in row {row}: {shown!r}. If that is a mistake"
    message = error.message.replace("If that is a mistake", found, 1)
    return FileRejected(error.key, error.reason, message, row=row, column=error.column)


def _such_as(found: TypeName) -> str:
    """Write the types that take what this file has: its own, and text if that takes it."""
    scale = f", scale: {found.scale}" if found.type == "decimal" else ""
    own = f"'type: {found.type}{scale}'"
    return f"{own} or 'type: string'" if found.type in _TAKES["string"] else own


def _widen(kept: TypeName, found: TypeName, *, textual: bool) -> TypeName | None:
    """Name the type that holds both; None if the change is not one we make unasked."""
    pair = {kept.type, found.type}
    if pair <= {"integer", "decimal"}:
        return TypeName("decimal", max(kept.scale, found.scale)) if "decimal" in pair else kept
    if kept.type == "integer" and found.type == "float" and not textual:
        return found
    if found.type in _TAKES.get(kept.type, ()):
        return kept
    return kept if kept.type == found.type else None


_TAKES = {
    "float": ("integer", "decimal"),
    "datetime": ("date",),
    "string": ("integer", "float", "decimal", "boolean", "date", "datetime"),
    "json": ("string", "integer", "float", "decimal", "boolean", "date", "datetime", "list"),
}
"""What a kept type takes without changing: narrower types of the same meaning."""
