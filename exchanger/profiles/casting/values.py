"""How a column of single values becomes one type, whatever the file holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from exchanger.braze.catalogs import LONGEST_VALUE
from exchanger.braze.limits import LONGEST_TEXT
from exchanger.config.models import CsvOptions, FieldType, Source
from exchanger.profiles.casting.json import cast_json
from exchanger.profiles.casting.numbers import (
    cast_booleans,
    cast_decimals,
    cast_floats,
    cast_integers,
    split_off_not_finite,
)
from exchanger.profiles.casting.plain_text import (
    plain_exponents,
    plain_numbers,
    plain_times,
    without_month_first,
)
from exchanger.profiles.casting.result import VALUE, CastResult, flag_faults
from exchanger.profiles.casting.text import cast_strings
from exchanger.profiles.casting.times import cast_dates, cast_datetimes
from exchanger.profiles.frames.rules import Rule

NUMBERS: frozenset[FieldType] = frozenset({"integer", "float", "decimal"})
TIMES: frozenset[FieldType] = frozenset({"date", "datetime"})


@dataclass(frozen=True)
class CastOptions:
    """
    How the cells of one field are read.

    Args:
        type: What they become.
        scale: Places of a decimal.
        trim: Text loses the white space around it.
        cut: Text that is too long is cut rather than at fault.
        longest: Characters of a text.
        nan_is_empty: NaN and infinities say nothing rather than being at fault.
        timezone: The zone of times without one.
        nulls: Texts that mean null.
        form: The format of times; that of ISO 8601 if empty.
        dates: A format of times beside ISO 8601.
        decimal: What stands before the fraction of a number.
        thousands: What separates the thousands of a number.
        true: Words for true, in place of the usual ones.
        false: Words for false, likewise.
        day_first: A cell of the column shows that the day comes first.
    """

    type: FieldType
    scale: int = 0
    trim: bool = False
    cut: bool = False
    longest: int = LONGEST_TEXT
    nan_is_empty: bool = False
    timezone: str = "UTC"
    nulls: tuple[str, ...] = ()
    form: str = ""
    dates: str = ""
    decimal: str = "."
    thousands: str = "none"
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    day_first: bool = False


def cast_options(
    rule: Rule, source: Source, nulls: tuple[str, ...], *, textual: bool = False
) -> CastOptions:
    """Return how the cells of a rule are read, in a file of these nulls, which may be CSV."""
    config = rule.config
    csv = source.csv if textual else CsvOptions()
    return CastOptions(
        type=rule.type,
        scale=rule.scale,
        trim=config.trim,
        cut=config.too_long == "cut",
        longest=LONGEST_VALUE if rule.of_item else LONGEST_TEXT,
        nan_is_empty=config.nan == "empty",
        timezone=source.timezone,
        nulls=nulls,
        form=config.format or "",
        dates=csv.dates or "",
        decimal=csv.decimal,
        thousands=csv.thousands,
        true=config.true_,
        false=config.false_,
        day_first=rule.day_first,
    )


def cast_values(raw: pl.Series, reading: CastOptions) -> CastResult:
    """
    Cast a column of single values (or, to ``json``, of anything).

    Args:
        raw: The cells, with empty text already null.
        reading: What they become; not ``list``.

    Returns:
        Values of the type that ``docs/architecture.md`` gives to *reading's*; the faults are those
        of the function for the type, and ``not_finite``.
    """
    if isinstance(raw.dtype, pl.Binary):
        return _from_bytes(raw, reading)
    result = _cast(plainly(raw, reading), reading)
    words = {"not_a_time": "other_format"} if reading.form else {}
    if reading.true or reading.false:
        words |= {"not_a_boolean": "other_word"}
    return (
        CastResult(result.values, result.faults.replace(words), result.dropped) if words else result
    )


def plainly(raw: pl.Series, reading: CastOptions) -> pl.Series:
    """Spell text that is a number or a time as everything else reads it."""
    if raw.dtype != pl.String:
        return raw
    if reading.type in NUMBERS:
        plain = plain_numbers(raw, reading.decimal, reading.thousands)
        return plain if reading.type == "float" else plain_exponents(plain)
    if reading.type in TIMES and (reading.form or reading.dates):
        return plain_times(raw, reading.form or reading.dates, only=bool(reading.form))
    if reading.type in TIMES and reading.day_first:
        return without_month_first(raw)
    return raw


def _cast(raw: pl.Series, reading: CastOptions) -> CastResult:
    if raw.dtype == pl.Float32:
        raw = raw.cast(pl.String).cast(pl.Float64)  # 0.1 stays 0.1, and not its nearest float.
    if reading.type not in ("integer", "float", "decimal", "string"):
        return _CASTS[reading.type](raw, reading)
    if reading.type == "string" and raw.dtype == pl.String:
        return _CASTS["string"](raw, reading)  # The text "nan" is text.
    finite, found = split_off_not_finite(raw)
    result = _CASTS[reading.type](finite, reading)
    if reading.nan_is_empty or not found.any():
        return result
    frame = pl.DataFrame({"value": result.values, "found": found})
    judged = flag_faults(frame, [("not_finite", pl.col("found"))])
    return result.over(judged.faults)


def _from_bytes(raw: pl.Series, reading: CastOptions) -> CastResult:
    """Cast bytes as the UTF-8 text that they are, for files that do not say so."""
    text = _decode(raw)
    blank = text.to_frame("value").select(pl.when(VALUE.str.strip_chars() != "").then(VALUE))
    result = cast_values(blank.to_series(), reading)
    frame = pl.DataFrame({"raw": raw, "text": text, "value": result.values})
    broken = pl.col("raw").is_not_null() & pl.col("text").is_null()
    judged = flag_faults(frame, [("not_text", broken)])
    return result.over(judged.faults)


def _decode(raw: pl.Series) -> pl.Series:
    """Read bytes as UTF-8; null where they are not."""
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:  # polars does not say which cells are broken.
        texts = [None if cell is None else cell.decode(errors="ignore") for cell in raw]
        read = pl.Series(texts, dtype=pl.String)
        whole = read.cast(pl.Binary) == raw
        return read.to_frame("text").select(pl.when(whole).then(pl.col("text"))).to_series()


_CASTS: dict[FieldType, Callable[[pl.Series, CastOptions], CastResult]] = {
    "string": lambda raw, r: cast_strings(
        raw, r.timezone, trim=r.trim, cut=r.cut, longest=r.longest
    ),
    "integer": lambda raw, _: cast_integers(raw),
    "float": lambda raw, _: cast_floats(raw),
    "decimal": lambda raw, r: cast_decimals(raw, r.scale),
    "boolean": lambda raw, r: cast_booleans(raw, r.true, r.false),
    "date": lambda raw, r: cast_dates(raw, r.timezone),
    "datetime": lambda raw, r: cast_datetimes(raw, r.timezone),
    "json": lambda raw, r: cast_json(raw, r.timezone),
}
