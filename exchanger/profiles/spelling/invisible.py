"""Signs that nobody sees: control and format characters, and what else has no shape."""

from __future__ import annotations

import polars as pl

_INVISIBLE = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]"
_LIKE_SPACE = r"[\x{a0}\x{2007}\x{202f}]"
"""Spaces at which no line is broken, which look like any other."""


LOST = "\N{REPLACEMENT CHARACTER}"
"""What a program wrote where it could not read a letter: nobody knows any more which one."""


def has_invisible(text: pl.Expr) -> pl.Expr:
    """Test whether text has a sign that cannot be seen, or told from a space."""
    return text.str.contains(_INVISIBLE) | text.str.contains(_LIKE_SPACE)


def show_invisible(texts: pl.Series) -> pl.Series:
    """Write signs that cannot be seen by their numbers: ``<U+200B>``."""
    found = texts.str.extract_all(f"{_INVISIBLE}|{_LIKE_SPACE}").explode().drop_nulls().unique()
    if found.is_empty():
        return texts
    return texts.str.replace_many(found.to_list(), [f"<U+{ord(sign):04X}>" for sign in found])
