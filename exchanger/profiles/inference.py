"""
Which type the text of a whole column has. Never guessed cell by cell.

A type is inferred only if it gives back the text that was read: 007, +5 and 1_000 stay text, as do
whole numbers beyond 64 bit. 0 and 1 are numbers, not truth.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from exchanger.profiles.casting_numbers import SIGNIFICANT_DIGITS
from exchanger.profiles.casting_times import ISO, ISO_DATE, read_instants
from exchanger.profiles.own_types import TypeName

SAMPLE = 1_000
"""Cells that are looked at first: what they rule out need not be asked of the others."""
DOUBLE_DIGITS = 17
"""Significant digits that a double may need; of more it would lose some."""

_CELL = pl.col("cell")
_DIGITS = r"^-?(?:0|[1-9]\d*)"
_PLAIN = _DIGITS + r"(?:\.\d+)?$"
_NUMBER = _DIGITS + r"(?:\.\d+)?(?:[eE][+-]?\d+)?$"


def infer_type(cells: pl.Series) -> TypeName | None:
    """
    Name the type of a column of text.

    Numbers with a point are decimals with the most places that any of them has, as long as they
    have at most 15 digits; those with exponents are floats. Dates and times are ISO 8601 alone.

    Args:
        cells: All cells of the file, with empty text already null.

    Returns:
        The type; None if every cell is empty.
    """
    cells = cells.drop_nulls().alias("cell")
    if cells.is_empty():
        return None
    sample = cells.head(SAMPLE)
    for infer in _CANDIDATES:
        if infer(sample) is not None:
            found = infer(cells)
            if found is not None:
                return found
    return TypeName("string")


def _holds(cells: pl.Series, test: pl.Expr) -> bool:
    return bool(cells.to_frame().select(test.fill_null(value=False).all()).item())


def _is_own_integer(cell: pl.Expr) -> pl.Expr:
    return cell.cast(pl.Int64, strict=False).cast(pl.String) == cell


def _infer_integer(cells: pl.Series) -> TypeName | None:
    return TypeName("integer") if _holds(cells, _is_own_integer(_CELL)) else None


def _infer_decimal(cells: pl.Series) -> TypeName | None:
    pointed = _CELL.str.contains(".", literal=True)
    if not _holds(cells, _CELL.str.contains(_PLAIN) & (pointed | _is_own_integer(_CELL))):
        return None
    parts = _CELL.str.split_exact(".", 1).struct
    digits = parts.field("field_0").str.strip_chars_start("-").str.len_bytes().max()
    places = parts.field("field_1").str.len_bytes().max().fill_null(0)
    whole, scale = cells.to_frame().select(digits.alias("whole"), places.alias("scale")).row(0)
    if whole + scale > SIGNIFICANT_DIGITS:
        return None
    return TypeName("decimal", int(scale))


def _infer_float(cells: pl.Series) -> TypeName | None:
    written = _CELL.str.contains(r"[.eE]")
    digits = _CELL.str.replace(r"[eE].*$", "").str.replace_many(["-", "."], ["", ""])
    short = digits.str.strip_chars_start("0").str.len_bytes() <= DOUBLE_DIGITS
    finite = _CELL.cast(pl.Float64, strict=False).is_finite()
    fits = _CELL.str.contains(_NUMBER) & finite & ((written & short) | _is_own_integer(_CELL))
    return TypeName("float") if _holds(cells, fits) else None


def _infer_boolean(cells: pl.Series) -> TypeName | None:
    words = _CELL.str.to_lowercase().is_in(["true", "false"])
    return TypeName("boolean") if _holds(cells, words) else None


def _infer_date(cells: pl.Series) -> TypeName | None:
    return TypeName("date") if _all_times(cells, ISO_DATE) else None


def _infer_datetime(cells: pl.Series) -> TypeName | None:
    return TypeName("datetime") if _all_times(cells, ISO) else None


def _all_times(cells: pl.Series, pattern: str) -> bool:
    if not _holds(cells, _CELL.str.contains(pattern)):
        return False
    return read_instants(cells, "UTC").faults.null_count() == len(cells)


_CANDIDATES: tuple[Callable[[pl.Series], TypeName | None], ...] = (
    _infer_integer,
    _infer_decimal,
    _infer_float,
    _infer_boolean,
    _infer_date,
    _infer_datetime,
)
