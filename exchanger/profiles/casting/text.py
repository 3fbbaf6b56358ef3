"""Text, from text and from the file's own types."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl

from exchanger.braze.limits import LONGEST_TEXT
from exchanger.profiles.casting.result import RAW, VALUE, CastResult, flag_faults, nothing_but
from exchanger.profiles.casting.times import read_instants
from exchanger.profiles.spelling.times import SPELLING

EXACT_FLOATS = 2.0**53
"""Below it, every integer is a double of its own."""
_LAST_WRITTEN = 9999
"""The last year of which a date is text: beyond it is what databases take for infinity."""


def cast_strings(
    raw: pl.Series, timezone: str, *, trim: bool, cut: bool, longest: int = LONGEST_TEXT
) -> CastResult:
    """
    Read text, to String; never trimmed unless *trim*.

    Numbers print without a float's tail: a column of floats that are all integral prints as
    integers. Times print as ``2026-09-15T00:00:00.000Z``.

    Faults: ``not_text`` (a list or an object), ``not_finite``, ``too_long`` (over 255 characters,
    unless *cut*; of another limit, ``item_too_long``), and those of times.
    """
    printed = _print(raw, timezone)
    text = VALUE.str.strip_chars() if trim else VALUE
    frame = pl.DataFrame({"raw": raw, "value": printed.values})
    frame = frame.with_columns(pl.when(text != "").then(text).alias("value"))
    long = VALUE.str.len_chars() > longest
    if cut:
        frame = frame.with_columns(pl.when(long).then(VALUE.str.head(longest)).otherwise(VALUE))
    reason = "too_long" if longest == LONGEST_TEXT else "item_too_long"
    checked = flag_faults(frame, [(reason, long)])
    return checked.over(printed.faults)


def print_floats(raw: pl.Series) -> pl.Series:
    """Print floats: all without a point if all are integral, else the shortest text of each."""
    if _all_integral(raw):
        return raw.cast(pl.Int64).cast(pl.String)
    return raw.cast(pl.String)


def read_json_scalars(raw: pl.Series) -> CastResult:
    """
    Take the value out of JSON texts, as text: ``"a"`` gives a, ``12.0`` gives 12.

    Faults: ``not_a_scalar`` for arrays, objects and what is no JSON.
    """
    # JSON has no vectorised reader that keeps long numbers exact; each distinct text is read once.
    distinct = raw.drop_nulls().unique()
    read = [_read_json_scalar(text) for text in distinct]
    table = pl.DataFrame(
        {"raw": distinct, "value": [r[0] for r in read], "fault": [r[1] for r in read]},
        schema={"raw": pl.String, "value": pl.String, "fault": pl.String},
    )
    frame = raw.to_frame("raw").join(table, on="raw", how="left", maintain_order="left")
    return CastResult(frame["value"], frame["fault"])


def _read_json_scalar(text: str) -> tuple[str | None, str | None]:
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=str)
    except ValueError:
        return None, "not_a_scalar"
    if isinstance(value, bool):
        return ("true" if value else "false"), None
    if isinstance(value, Decimal) and abs(value.adjusted()) < 40:
        whole = value == value.to_integral_value()
        return (format(value.to_integral_value() if whole else value.normalize(), "f"), None)
    if isinstance(value, list | dict):
        return None, ("not_a_scalar" if value else None)
    return (None if value is None or not str(value).strip() else str(value)), None


def _print(raw: pl.Series, timezone: str) -> CastResult:
    if raw.dtype == pl.String:
        return flag_faults(pl.DataFrame({"raw": raw, "value": raw}), [])
    if raw.dtype.is_float():
        finite = raw.to_frame("raw").select(pl.when(RAW.is_finite()).then(RAW)).to_series()
        frame = pl.DataFrame({"raw": raw, "value": print_floats(finite)})
        return flag_faults(frame, [("not_finite", RAW.is_not_null() & VALUE.is_null())])
    if isinstance(raw.dtype, pl.Datetime):
        times = read_instants(raw, timezone)
        return CastResult(times.values.dt.strftime(SPELLING), times.faults)
    if raw.dtype == pl.Date:
        frame = pl.DataFrame({"raw": raw, "value": raw.cast(pl.String)})
        written = RAW.dt.year().is_between(0, _LAST_WRITTEN)
        return flag_faults(frame, [("year_out_of_range", ~written)])
    if raw.dtype.is_nested() or raw.dtype in (pl.Binary, pl.Object, pl.Duration):
        return nothing_but("not_text", raw, pl.String())
    return flag_faults(pl.DataFrame({"raw": raw, "value": raw.cast(pl.String)}), [])


def _all_integral(raw: pl.Series) -> bool:
    fits = (RAW.floor() == RAW) & (RAW.abs() <= EXACT_FLOATS)
    return bool(raw.to_frame("raw").select(fits.all()).item())
