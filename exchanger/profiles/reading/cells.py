"""The cells of a column without what is around their text, and a column after casting."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from exchanger.profiles.casting.result import CastResult
from exchanger.profiles.frames.raw_columns import RawColumns, nulls_of, without_empty
from exchanger.profiles.frames.wrapped_text import without_formula, without_guard


@dataclass(frozen=True)
class CastColumn:
    """
    One column of the given frame, and what its messages name.

    Args:
        name: In the frame; empty if only its faults count.
        field: The attribute or identifier that it is for.
        column: Where its cells are in the file.
        result: Its values and faults.
        scale: Decimal places.
        wrapped: Whether something around the text of a cell was taken off; None if of no cell.
        beside: The other columns that might have had a value in its place.
        key: What tells the objects of an array apart, under ``rows``.
    """

    name: str
    field: str
    column: str
    result: CastResult
    scale: int = 0
    wrapped: pl.Series | None = None
    beside: tuple[str, ...] = ()
    key: str = ""


def cells_of(
    raw: RawColumns, column: str, null: tuple[str, ...], *, digits: bool = False
) -> tuple[pl.Series, pl.Series | None]:
    """
    Return the cells of a column, without what is around their text, and where that was.

    Args:
        raw: The columns of a file.
        column: The name of one.
        null: Texts that mean null there.
        digits: Also an apostrophe before digits alone, which makes text of them, is around them.
    """
    nulls = nulls_of(raw, column, null)
    is_json = column in raw.json_columns
    cells = without_empty(raw.frame[column], nulls)
    if cells.dtype != pl.String:
        return cells, None
    guarded = without_guard(cells, digits=digits) if raw.textual else cells
    bare = without_formula(guarded, is_json=is_json)
    if bare is cells:
        return cells, None
    return without_empty(bare, nulls), bare != cells
