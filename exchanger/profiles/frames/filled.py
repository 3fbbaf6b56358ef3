"""Text with values in it."""

from __future__ import annotations

import polars as pl


def filled(template: str, *values: pl.Expr | str) -> pl.Expr:
    """
    Build texts of a template and values, as ``pl.format`` does.

    That one panics on a column with an empty chunk, as polars 2.1 leaves it where a mask takes all
    rows of one.

    Args:
        template: With ``{}`` for each value; there is no other brace that counts.
        values: Expressions, or names of columns.

    Returns:
        Texts; null where a value is.

    Raises:
        ValueError: There are more values than places for them, or fewer.
    """
    first, *texts = template.split("{}")
    pieces: list[pl.Expr | str] = [pl.lit(first)]
    for value, text in zip(values, texts, strict=True):
        pieces += [value, pl.lit(text)]
    return pl.concat_str(pieces)
