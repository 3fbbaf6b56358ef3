"""
Held values, kept as canonical JSON text, read back as the type that a merge needs.

All functions answer null for what cannot be read so: the caller decides whether that is a fault.
"""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl

from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.json_values import spell_json
from exchanger.profiles.spelling.times import SPELT, read_braze_times, read_spelt

UNCERTAIN = "?"
"""Was known once; must be looked up before it is used."""

TRUSTED_DIGITS = 15
"""A 64-bit float holds so many decimal digits exactly; what lies behind them is a float's tail."""

WIDEST = 37
"""Digits that surely fit into 128 bits."""

_NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$"
_MEMBER = r'"(?:[^"\\]|\\.)*"|[^\[\],]+'


def read_held(rule: Rule, held: pl.Expr) -> pl.Expr:
    """
    Read canonical texts of a field as the type its rule sums or compares in.

    Returns:
        Int128 units for integers and decimals, Float64, ``Datetime("ms", "UTC")`` for dates and
        times, a list of canonical member texts for lists; numbers and dates in quotes count.
    """
    if rule.type == "list":
        return held.map_batches(members, return_dtype=pl.List(pl.String), is_elementwise=True)
    if rule.type in ("integer", "decimal"):
        return held.map_batches(
            lambda texts: units(texts, rule.scale if rule.type == "decimal" else 0),
            return_dtype=pl.Int128,
            is_elementwise=True,
        )
    if rule.type == "float":
        text = held.str.strip_chars('"')
        number = pl.when(text.str.contains(_NUMBER)).then(text).cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    return held.map_batches(instants, return_dtype=pl.Datetime("ms", "UTC"), is_elementwise=True)


def units(texts: pl.Series, scale: int) -> pl.Series:
    """
    Read numbers as units: the value times ``10 ** scale``, Int128.

    A number with more places than *scale* is null, unless the places are a float's tail: 0.1 + 0.2
    was stored as 0.30000000000000004 and means 0.3.
    """
    frame = pl.DataFrame({"text": texts.str.strip_chars('"')})
    text = pl.col("text")
    point = text.str.find(".", literal=True)
    places = pl.when(point.is_null()).then(0).otherwise(text.str.len_bytes() - point - 1)
    factors = {place: 10 ** (scale - place) for place in range(scale + 1)}
    factor = places.replace_strict(factors, default=None, return_dtype=pl.Int128)
    digits = text.str.replace(".", "", literal=True).cast(pl.Int128, strict=False)
    fits = text.str.len_bytes() + scale <= WIDEST
    read = frame.select("text", value=pl.when(fits).then(digits * factor))
    odd = read.filter(pl.col("value").is_null() & text.str.contains(_NUMBER))["text"].unique()
    if odd.is_empty():
        return read["value"].rename(texts.name)
    # Rare spellings; polars has no decimal arithmetic of this width.
    tails = {text: _exact_units(text, scale) for text in odd}
    exact = pl.Series(list(tails.values()), dtype=pl.Int128)
    mended = read["text"].replace_strict(odd, exact, default=None, return_dtype=pl.Int128)
    return read["value"].fill_null(mended).rename(texts.name)


def instants(texts: pl.Series) -> pl.Series:
    """Read times and dates in quotes, in any spelling that Braze reads, as instants."""
    plain = texts.str.strip_chars('"')
    spelt = pl.when(pl.col("text").str.contains(f"^{SPELT}$")).then("text")
    own = plain.to_frame("text").select(spelt).to_series()
    read = read_spelt(own).dt.replace_time_zone("UTC").rename(texts.name)
    other = plain.filter(read.is_null() & texts.str.starts_with('"')).unique()
    if other.is_empty():
        return read
    mended = plain.replace_strict(
        other, read_braze_times(other), default=None, return_dtype=read.dtype
    )
    return read.fill_null(mended)


def members(texts: pl.Series) -> pl.Series:
    """
    Split arrays into the canonical texts of their members; a scalar is a list of one.

    ``null`` has no members; an object is no list, and null. Braze keeps each member once, so a
    second one of the same text is left out.
    """
    frame = pl.DataFrame({"text": texts})
    text = pl.col("text")
    is_array = text.str.starts_with("[")
    inner = text.str.slice(1, text.str.len_chars() - 2)
    # Brackets inside may be nesting or mere text: only a parser knows.
    nested = is_array & inner.str.contains(r"[\[{]")
    split = frame.select(
        pl.when(is_array & ~nested)
        .then(inner.str.extract_all(_MEMBER).list.unique(maintain_order=True))
        .when(text == "null")
        .then(pl.lit([], dtype=pl.List(pl.String)))
        .when(~is_array & ~text.str.starts_with("{"))
        .then(pl.concat_list(text)),
    ).to_series()
    deep = frame.filter(nested)["text"].unique()
    if deep.is_empty():
        return split.rename(texts.name)
    parsed = pl.Series([_parsed_members(array) for array in deep], dtype=pl.List(pl.String))
    looked_up = frame.join(
        pl.DataFrame({"text": deep, "parsed": parsed}), on="text", how="left", maintain_order="left"
    )["parsed"]
    return pl.select(pl.coalesce(split, looked_up)).to_series().rename(texts.name)


def _exact_units(text: str, scale: int) -> int | None:
    exact = Decimal(text)
    if len(exact.as_tuple().digits) > TRUSTED_DIGITS:
        shift = exact.adjusted() - TRUSTED_DIGITS + 1
        exact = exact.quantize(Decimal(1).scaleb(shift), rounding=ROUND_HALF_EVEN)
    shifted = exact.scaleb(scale)
    if shifted != shifted.to_integral_value() or shifted.adjusted() >= WIDEST:
        return None
    return int(shifted)


def _parsed_members(array: str) -> list[str]:
    spelt = (spell_json(member) for member in json.loads(array, parse_float=Decimal))
    return list(dict.fromkeys(spelt))
