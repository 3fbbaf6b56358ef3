r"""
Values as JSON text: what is sent (fragment) and what is compared and kept (canonical).

Two values are equal for Braze exactly when their canonical texts are equal. A canonical text has
numbers without exponent and trailing zeros (``1.0`` is ``1``), times as
``"2026-09-15T00:00:00.000Z"``, objects with sorted keys and without null members, and text with
only the escapes that JSON demands: the quote, the backslash, and control characters as ``\u001f``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache, partial
from typing import Any, NoReturn

import polars as pl

from exchanger.profiles.frames.filled import filled
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.times import SPELLING, spell_times

EMPTY = "null"
"""The fragment and canonical text of a field without a value."""

STANDARD_TEXT = frozenset(
    {
        "first_name",
        "last_name",
        "email",
        "phone",
        "dob",
        "gender",
        "country",
        "language",
        "home_city",
        "time_zone",
        "email_subscribe",
        "push_subscribe",
        "image_url",
    }
)
"""Standard attributes that are text for Braze, whatever they look like (braze-api.md 2.5)."""

MAX_EXPONENT = 400
"""Numbers of more places than any 64-bit float has are not accepted: they would fill memory."""

_FEW_PLACES = 4
"""So many places are spelt once for all numbers, 10,000 texts at most."""

_TIME_INSIDE = r'\{"\$time":("(?:[^"\\]|\\.)*")\}'
_DAY = '"%Y-%m-%d"'
_MUST_ESCAPE = ['"', "\\", *map(chr, range(32))]
_ESCAPED = ['\\"', "\\\\", *(f"\\u{code:04x}" for code in range(32))]
_ESCAPES = str.maketrans(dict(zip(_MUST_ESCAPE, _ESCAPED, strict=True)))
_SURROGATES = range(0xD800, 0xE000)


def json_string(text: pl.Expr) -> pl.Expr:
    """Render text as a JSON string literal; null stays null."""
    return filled('"{}"', text.str.replace_many(_MUST_ESCAPE, _ESCAPED))


def spell_json(value: Any) -> str:
    """
    Spell one parsed JSON value canonically.

    Args:
        value: Made of dict, list, str, bool, None, int, Decimal and float. A float is spelt by its
            shortest text that reads back the same.

    Raises:
        ValueError: A number is not finite, or has more than 400 places.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _spell_text(value)
    if isinstance(value, int | float | Decimal):
        return _spell_number(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(spell_json(member) for member in value)}]"
    members = sorted((str(key), member) for key, member in value.items() if member is not None)
    return f"{{{','.join(f'{_spell_text(key)}:{spell_json(member)}' for key, member in members)}}}"


def canonical_json(texts: pl.Series) -> pl.Series:
    """
    Spell JSON texts canonically; strings inside keep their text, even if they look like times.

    Returns:
        Canonical texts; null where the text is no JSON (``NaN`` and the like are none).
    """
    # polars cannot sort keys or keep numbers exact, so distinct texts go through Python.
    distinct = texts.unique().drop_nulls()
    spelt = pl.Series([_respell(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, spelt, default=None, return_dtype=pl.String)


def spell_numbers(fragments: pl.Series) -> pl.Series:
    """Spell JSON numbers canonically: ``1.0`` is ``1``, ``1e5`` is ``100000``, ``-0`` is ``0``."""
    frame = pl.DataFrame({"text": fragments})
    text = pl.col("text")
    stripped = text.str.strip_chars_end("0").str.strip_chars_end(".")
    plain = pl.when(text.str.contains(".", literal=True)).then(stripped).otherwise(text)
    spelt = frame.select(pl.when(plain == "-0").then(pl.lit("0")).otherwise(plain)).to_series()
    exponents = fragments.str.contains("[eE]").fill_null(value=False)
    if exponents.any():
        # Rare, and polars has no exact way: distinct texts go through Decimal.
        spelt = spelt.zip_with(~exponents, canonical_json(fragments))
    return spelt.rename(fragments.name)


def spell_inner_times(texts: pl.Series) -> pl.Series:
    """Spell ``{"$time": "2020-05-28"}`` inside of JSON as Braze gives it back: the time alone.

    Args:
        texts: Canonical JSON.
    """
    told = texts.filter(texts.str.contains(_TIME_INSIDE)).unique()
    if told.is_empty():
        return texts
    # polars replaces one match of a text at most by a value of its own.
    split = [re.split(_TIME_INSIDE, text) for text in told]
    spelt = spell_times(pl.Series([time for parts in split for time in parts[1::2]]))
    times = iter(spelt)
    whole = [
        "".join(next(times) if at % 2 else part for at, part in enumerate(parts)) for parts in split
    ]
    return texts.replace(told, pl.Series(whole))


def decimal_text(units: pl.Expr, scale: int) -> pl.Expr:
    """
    Render units (value times ``10 ** scale``, any integer type) as an exact JSON number.

    There are no trailing zeros: 1230 at scale 2 is ``12.3``.
    """
    if 0 < scale <= _FEW_PLACES:
        return _elementwise(units, partial(_with_few_places, scale=scale))
    digits = units.cast(pl.Int128).abs().cast(pl.String)
    if scale:
        padded = digits.str.zfill(scale + 1)
        places = padded.str.tail(scale).str.strip_chars_end("0")
        point = pl.when(places != "").then(pl.lit(".") + places).otherwise(pl.lit(""))
        digits = padded.str.head(-scale) + point
    return pl.when(units < 0).then(pl.lit("-") + digits).otherwise(digits)


def _with_few_places(units: pl.Series, scale: int) -> pl.Series:
    """Render units of which the places are looked up: a third of the work of taking text apart."""
    one, number = 10**scale, pl.col("units")
    size = number.cast(pl.Int128).abs()
    text = pl.concat_str(
        pl.when(number < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        (size // one).cast(pl.String),
        pl.lit(_places(scale)).gather((size % one).cast(pl.UInt32)),
    )
    return units.to_frame("units").select(text).to_series()


@cache
def _places(scale: int) -> pl.Series:
    """List what follows the point, and the point, for all numbers below ``10 ** scale``."""
    texts = (f".{number:0{scale}}".rstrip("0").rstrip(".") for number in range(10**scale))
    return pl.Series(texts, dtype=pl.String)


def fragment(rule: Rule, value: pl.Expr) -> pl.Expr:
    """
    Render the typed values of a field as the JSON text to send.

    Args:
        rule: The field; its type says what *value* holds (see ``docs/architecture.md``, given).
        value: The typed column. Decimals are units, in Int64 or Int128.

    Returns:
        JSON text; null where *value* is null.
    """
    if rule.type == "decimal":
        return decimal_text(value, rule.scale)
    if rule.type == "datetime" and rule.name != "dob":
        return value.dt.strftime(f'"{SPELLING}"')
    return _RENDER[rule.type](value)


def canonical(rule: Rule, sent: pl.Expr) -> pl.Expr:
    """
    Spell fragments of a field as Braze would spell the value back.

    Args:
        rule: The field the fragments were made for.
        sent: What ``fragment`` gave.

    Returns:
        Canonical text; null where *sent* is null.
    """
    if rule.type == "float":
        return _elementwise(sent, _without_exponents)
    if rule.type == "date" and rule.name != "dob":
        return filled('{}T00:00:00.000Z"', sent.str.head(-1))
    if rule.type == "string" and not rule.of_item:  # Catalogs keep text as it is.
        return canonical_string(rule.name, sent)
    return sent


def canonical_string(name: str, literal: pl.Expr) -> pl.Expr:
    """
    Spell the string literals of one attribute as Braze would: a custom one may be read as a time.

    Args:
        name: The Braze attribute.
        literal: JSON texts; other kinds than strings stay as they are.
    """
    if name == "country":
        # ``null`` and escapes must keep their letters; no country has one.
        return (
            pl.when(literal.str.starts_with('"') & ~literal.str.contains("\\", literal=True))
            .then(literal.str.to_uppercase())
            .otherwise(literal)
        )
    if name in STANDARD_TEXT:
        return literal
    return _elementwise(literal, spell_times)


def _elementwise(expr: pl.Expr, function: Callable[[pl.Series], pl.Series]) -> pl.Expr:
    return expr.map_batches(function, return_dtype=pl.String, is_elementwise=True)


def _drop_point_zero(texts: pl.Series) -> pl.Series:
    trimmed = texts.str.strip_suffix(".0")
    return trimmed.replace("-0", "0")


def _without_exponents(fragments: pl.Series) -> pl.Series:
    """Spell the fragments of floats canonically: all are, but for the largest and smallest."""
    if not fragments.str.contains("e", literal=True).any():
        return fragments
    return spell_numbers(fragments)


def _day(value: pl.Expr) -> pl.Expr:
    return _elementwise(value.cast(pl.Date), _spell_days)


def _spell_days(days: pl.Series) -> pl.Series:
    """Spell days; each day between the first and the last is spelt once, as there are few."""
    bounds = days.to_frame("day").select(pl.col("day").to_physical().cast(pl.Int64))
    first, last = bounds["day"].min(), bounds["day"].max()
    if not isinstance(first, int) or not isinstance(last, int) or last - first >= len(days):
        return days.dt.strftime(_DAY)
    every = pl.select(pl.int_range(first, last + 1).cast(pl.Int32).cast(pl.Date)).to_series()
    return every.dt.strftime(_DAY).gather(bounds["day"] - first).rename(days.name)


_RENDER: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "string": json_string,
    "integer": lambda value: value.cast(pl.String),
    "float": lambda value: _elementwise(value.cast(pl.String), _drop_point_zero),
    "boolean": lambda value: value.cast(pl.String),
    "date": _day,
    "datetime": _day,  # Of dob alone: Braze takes YYYY-MM-DD there.
    "list": lambda value: pl.lit("[") + value.list.join(",") + pl.lit("]"),
    "json": lambda value: value,
}


def _spell_text(text: str) -> str:
    escaped = text.translate(_ESCAPES)
    if not escaped.isascii() and any(ord(char) in _SURROGATES for char in escaped):
        # Half a surrogate pair cannot be written as UTF-8; JSON can only name it.
        escaped = "".join(
            f"\\u{ord(char):04x}" if ord(char) in _SURROGATES else char for char in escaped
        )
    return f'"{escaped}"'


def _spell_number(value: float | Decimal) -> str:
    exact = Decimal(str(value))
    if not exact.is_finite() or (exact and not -MAX_EXPONENT < exact.adjusted() < MAX_EXPONENT):
        raise ValueError(f"{value} is no number that Braze could hold")
    if not exact:
        return "0"
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _respell(text: str) -> str | None:
    try:
        parsed = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
        return spell_json(parsed)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
