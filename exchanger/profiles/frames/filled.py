"""Text with values in it."""

from __future__ import annotations

from itertools import zip_longest

import polars as pl


def filled(template: str, *values: pl.Expr | str) -> pl.Expr:
    """
    Build texts of a template and values, as ``pl.format`` does.

    That one panics on a column with an empty chunk, as polars 2.1 leaves it where a mask takes all
    rows of one.

    Args:
        template: With ``{}`` for each value.
        values: Expressions, or names of columns.

    Returns:
        Texts; null where a value is.
    """
    pieces: list[pl.Expr | str] = []
    for text, value in zip_longest(template.split("{}"), values):
        pieces += [pl.lit(text)] if text else []
        pieces += [] if value is None else [value]
    return pl.concat_str(pieces)
