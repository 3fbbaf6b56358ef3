"""What others changed in Braze: whether two canonical texts of a field mean the same."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.columns import EXISTS, PROFILE, SEEN, sent_column
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN, members
from exchanger.profiles.spelling.json_values import spell_inner_times


def differs(one: pl.Expr, other: pl.Expr, *, ordered: bool = False) -> pl.Expr:
    """
    Return where two canonical texts are different values.

    Args:
        one: Texts; null is unknown.
        other: Texts beside them.
        ordered: Whether two lists of the same members in another order are different, too.

    Returns:
        Boolean, never null: false where a text is unknown or uncertain. A time inside of JSON is
        the text as which Braze gives it back.
    """
    known = (one != UNCERTAIN) & (other != UNCERTAIN)
    changed = (known & (one != other)).fill_null(value=False)
    texts = pl.struct(changed.alias("changed"), one.alias("one"), other.alias("other"))
    return texts.map_batches(
        lambda cells: _are_different(cells.struct.unnest(), ordered=ordered),
        return_dtype=pl.Boolean,
        is_elementwise=True,
    )


def _are_different(cells: pl.DataFrame, *, ordered: bool) -> pl.Series:
    """Look closely at the few texts that differ."""
    changed = cells["changed"]
    if not changed.any():
        return changed
    few = cells.filter(changed)
    one, other = spell_inner_times(few["one"]), spell_inner_times(few["other"])
    differs = one != other
    if not ordered:
        differs &= ~_have_same_members(one, other)
    return changed.scatter(changed.arg_true(), differs)


def _have_same_members(one: pl.Series, other: pl.Series) -> pl.Series:
    """Test which texts are lists of the same members, in whatever order."""
    lists = one.str.starts_with("[") & other.str.starts_with("[")
    texts = pl.DataFrame({"one": one, "other": other, "lists": lists})
    first, second = (
        members(texts.select(pl.when("lists").then(name)).to_series()) for name in ("one", "other")
    )
    both = first.list.concat(second).list.unique().list.len()
    same = (both == first.list.len()) & (both == second.list.len())
    return same.fill_null(value=False)


def verdict(name: str, base: pl.Expr, *, ordered: bool = False) -> pl.Expr:
    """
    Record what a look at Braze told about one field.

    Args:
        name: The field. ``@seen:NAME`` holds what was seen.
        base: What it is compared with.
        ordered: As for *differs*.

    Returns:
        ``equal``, ``changed``, ``new`` (nothing was known), or null where nothing was seen.
    """
    seen = pl.col(SEEN + name)
    known = (base != UNCERTAIN).fill_null(value=False)
    return (
        pl.when(seen.is_null())
        .then(None)
        .when(~known)
        .then(pl.lit("new"))
        .when(differs(base, seen, ordered=ordered))
        .then(pl.lit("changed"))
        .otherwise(pl.lit("equal"))
    )


def expected(name: str) -> pl.Expr:
    """Take what Braze should have of a field: what was delivered last, else what was seen last."""
    sent = pl.col(sent_column(name))
    return pl.when(sent != UNCERTAIN).then(sent).otherwise(pl.col(name))


def paired(held: pl.DataFrame, seen: pl.DataFrame, fields: list[str]) -> pl.DataFrame:
    """
    Put what was seen beside what is held.

    Args:
        held: The held frame, with whatever else is known of the profiles.
        seen: The held frame of a look at Braze.
        fields: Of both.

    Returns:
        The profiles of *seen*, sorted: the columns of *held*, null for a profile that it lacks,
        then ``@seen:@exists`` and ``@seen:NAME``.
    """
    looks = seen.select(PROFILE, *(pl.col(name).alias(SEEN + name) for name in (EXISTS, *fields)))
    joined = held.join(looks, on=PROFILE, how="right").sort(PROFILE)
    return joined.select(*held.columns, *looks.columns[1:])


def news(pairs: pl.DataFrame, fields: list[str]) -> pl.DataFrame:
    """
    Reduce what was seen to what is not held.

    Args:
        pairs: What *paired* gives.
        fields: Of both.

    Returns:
        Rows of the held frame for the profiles of which there is any news; a field is null where
        there is none.
    """
    there = pl.col(SEEN + EXISTS)
    cells = pairs.select(
        PROFILE,
        there.alias(EXISTS),
        *(
            pl.when(differs(pl.col(name), pl.col(SEEN + name), ordered=True))
            .then(pl.col(SEEN + name))
            .alias(name)
            for name in fields
        ),
        gone=~there & pl.col(EXISTS).fill_null(value=True),
    )
    told = pl.any_horizontal("gone", *(pl.col(name).is_not_null() for name in fields))
    return cells.filter(told).drop("gone")
