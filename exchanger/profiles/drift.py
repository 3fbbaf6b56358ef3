"""What others changed in Braze: whether two canonical texts of a field mean the same."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.held_text import UNCERTAIN, members


def differs(one: pl.Expr, other: pl.Expr, *, ordered: bool = False) -> pl.Expr:
    """
    Tell where two canonical texts are different values.

    Args:
        one: Texts; null is unknown.
        other: Texts beside them.
        ordered: Whether two lists of the same members in another order are different, too.

    Returns:
        Boolean, never null: false where a text is unknown or uncertain.
    """
    known = (one != UNCERTAIN) & (other != UNCERTAIN)
    changed = (known & (one != other)).fill_null(value=False)
    if ordered:
        return changed
    lists = changed & one.str.starts_with("[") & other.str.starts_with("[")
    first, second = (_members(pl.when(lists).then(text)) for text in (one, other))
    both = first.list.concat(second).list.unique().list.len()
    same = (both == first.list.len()) & (both == second.list.len())
    return changed & ~same.fill_null(value=False)


def _members(array: pl.Expr) -> pl.Expr:
    return array.map_batches(members, return_dtype=pl.List(pl.String), is_elementwise=True)
