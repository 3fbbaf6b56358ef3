"""
From the JSON text of an exported value to a value of its column's type.

An expression made here is null where the text does not fit the type *exactly*; whoever uses it
compares with the text, so that no value is lost in silence.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from exchanger.profiles.casting.text import EXACT_FLOATS
from exchanger.profiles.spelling.times import SPELLING

_STAMP = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.:]([0-9]{1,3})0*)?)?"
    r"(?: ?(?:Z|UTC|([+-][0-9]{2}):?([0-9]{2})))?$"
)
_SPELT = "2026-09-15T00:00:00.000Z"
_AMERICAN = r"^([0-9]{2})/([0-9]{2})/([0-9]{4})$"
_TRUE = ("true", "t", "1", "yes")
_FALSE = ("false", "f", "0", "no")


def to_instant(text: pl.Expr) -> pl.Expr:
    """
    Read plain text as a time, ``Datetime(ms, UTC)``.

    Takes the spellings of braze-api.md 2.7 and 4.5: ISO 8601, ``2020-07-10 15:00:00.000 UTC``, a
    date alone (its midnight) and ``MM/dd/yyyy``. Without a zone it is UTC. Null for anything
    else, and for fractions finer than a millisecond.
    """
    # Nearly all are in Braze's own spelling, which is read ten times faster.
    own = pl.when(text.str.len_bytes() == len(_SPELT)).then(text)
    instant = own.str.to_datetime(SPELLING, time_unit="ms", strict=False).dt.replace_time_zone(
        "UTC"
    )
    return pl.coalesce(instant, _other_instant(pl.when(instant.is_null()).then(text)))


def _other_instant(text: pl.Expr) -> pl.Expr:
    text = text.str.replace(_AMERICAN, "$3-$1-$2")
    part = [text.str.extract(_STAMP, group) for group in range(1, 6)]
    time = part[1].fill_null("00:00:00")
    zone = pl.concat_str(part[3].fill_null("+00"), part[4].fill_null("00"))
    spelt = pl.concat_str(
        part[0], pl.lit("T"), time, pl.lit("."), part[2].fill_null("0"), pl.lit(" "), zone
    )
    return spelt.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f %z", time_unit="ms", strict=False)


def to_text(text: pl.Expr) -> pl.Expr:
    """Read a JSON string as its text; any other value as its JSON text. Never null for a value."""
    quoted = text.str.starts_with('"')
    decoded = pl.when(quoted).then(text).str.json_decode(pl.String)
    return pl.when(quoted).then(decoded).otherwise(text)


def to_integer(text: pl.Expr) -> pl.Expr:
    """Read an integer, an integral float, or a string that is an integer, as Int64."""
    plain = _bare(text).str.replace(r"^(-?[0-9]+)\.0+$", "$1")
    number = pl.when(~text.str.starts_with('"')).then(text).cast(pl.Float64, strict=False)
    integral = (number == number.floor()) & (number.abs() <= EXACT_FLOATS)
    return pl.coalesce(
        plain.cast(pl.Int64, strict=False),
        pl.when(integral).then(number).cast(pl.Int64, strict=False),
    )


def to_float(text: pl.Expr) -> pl.Expr:
    """Read a finite number, or a string that is one, as Float64; null if digits would be lost."""
    written = _bare(text).str.contains(r"^[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?$")
    bare = pl.when(written).then(_bare(text))
    number = bare.cast(pl.Float64, strict=False)
    # A decimal of so few characters is always its float's own value.
    exact = (bare.str.len_bytes() < 16) & ~bare.str.contains("[eE]")
    same = bare.cast(pl.Decimal(38, 18), strict=False) == number.cast(pl.String).cast(
        pl.Decimal(38, 18), strict=False
    )
    spelt = bare == number.cast(pl.String)
    return pl.when(number.is_finite() & (exact | same | spelt)).then(number)


def to_decimal(text: pl.Expr, scale: int) -> pl.Expr:
    """
    Read a number, or a string that is one, as ``Decimal(38, scale)``.

    Numbers are rounded half-even to the scale, as Braze holds them as floats; a string with more
    digits than the scale is null.
    """
    bare = _bare(text)
    long = text.str.starts_with('"') & bare.str.contains(rf"\.[0-9]{{{scale}}}[0-9]*[1-9]")
    return pl.when(~long).then(bare).cast(pl.Decimal(38, scale), strict=False)


def to_boolean(text: pl.Expr) -> pl.Expr:
    """Read true, t, 1, yes and false, f, 0, no, in any case, as Boolean."""
    word = _bare(text).str.to_lowercase()
    return pl.when(word.is_in(_TRUE)).then(True).when(word.is_in(_FALSE)).then(False)


def to_date(text: pl.Expr) -> pl.Expr:
    """Read a date, or a time that is midnight UTC, as Date."""
    instant = to_instant(_bare(text))
    return pl.when(instant == instant.dt.truncate("1d")).then(instant.dt.date())


def to_datetime(text: pl.Expr) -> pl.Expr:
    """Read a time as ``to_instant`` does, from a JSON string."""
    return to_instant(_bare(text))


CASTS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "string": to_text,
    "json": lambda text: text,
    "integer": to_integer,
    "float": to_float,
    "boolean": to_boolean,
    "date": to_date,
    "datetime": to_datetime,
}
"""For each type but ``decimal`` and ``list``, the expression that reads it."""


def _bare(text: pl.Expr) -> pl.Expr:
    # No spelling of a number, a time or a truth value needs an escape.
    return text.str.strip_prefix('"').str.strip_suffix('"')
