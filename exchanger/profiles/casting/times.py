"""
Times as text (braze-api.md 2.7) and as the file's own type, to instants and dates.

What has no zone is read in ``source.timezone``, but for a date alone, which is its midnight in UTC
as everywhere else. Of a local time that happens twice (clocks go back) the earlier is meant; a
local time that never happens (clocks go forward) is at fault.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import polars as pl

from exchanger.braze.limits import LAST_YEAR
from exchanger.profiles.casting.result import RAW, VALUE, CastResult, flag_faults, nothing_but
from exchanger.profiles.spelling.times import SECONDS, SPELLING, SPELT, read_offset, read_spelt

_COMMON = tuple(
    int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for year in (1, LAST_YEAR)
)
INSTANT = pl.Datetime("us", "UTC")
"""What times are while they are read; a field keeps milliseconds of them."""

ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,:][0-9]{1,9})?)?"
    r" ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
_SLASHED = r"^[0-9]{2}/[0-9]{2}/[0-9]{4}$"
_LIKE_SLASHED = r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}(?:$|[ T,])"
_WEEKDAY_FIRST = (
    r"^[A-Za-z]{3} ([0-9]{2}) ([0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})\.?"
    r" ?(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?) ([0-9]{4})$"
)
_UNIFORM = [
    (f"^{SPELT}$", SPELLING),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z$", "%Y-%m-%dT%H:%M:%SZ"),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]$", SECONDS),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]$", "%Y-%m-%d %H:%M:%S"),
    (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "%Y-%m-%d"),
]
_LONGER = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?P<between>[T ])[0-9]{2}:[0-9]{2}:[0-5][0-9]"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
"""Seconds, and a fraction, an offset or both behind them: as databases and programs write times."""
_ZONELESS = (SECONDS, "%Y-%m-%d %H:%M:%S")


def has_unknown_order(text: pl.Expr) -> pl.Expr:
    """
    Test whether text is a date like 05/04/1990, whose day and month cannot be told apart.

    Braze reads it month first, and so people mean it in few countries. It is known only of 09/15
    and of 05/05; 25/12 shows that the column is day first.
    """
    return text.str.contains(_SLASHED) & ~_is_month_first(text)


def is_month_first(text: pl.Expr) -> pl.Expr:
    """Test whether text is a date like 12/25/1990, which can only be month first."""
    return _is_month_first(text) & (text.str.head(2) != text.str.slice(3, 2))


def has_year_last(text: pl.Expr) -> pl.Expr:
    """Test whether text is a date that does not sort as text: 15.09.2026, 09/15/2026."""
    return text.str.contains(r"^\s*[0-9]{1,2}([/.-])[0-9]{1,2}[/.-][0-9]{2,4}(?:$|[ T,])")


def _is_month_first(text: pl.Expr) -> pl.Expr:
    first, second = text.str.head(2), text.str.slice(3, 2)
    known = (first == second) | ((first <= "12") & (second > "12"))
    return text.str.contains(_SLASHED) & known


def cast_datetimes(raw: pl.Series, timezone: str) -> CastResult:
    """
    Read times, to ``Datetime("ms", "UTC")``.

    Faults: ``not_a_time``, ``number_as_time`` (a time as a number could be in any unit),
    ``day_or_month`` (which comes first?), ``no_such_time``, ``year_out_of_range``.
    """
    read = read_instants(raw, timezone)
    return CastResult(read.values.dt.cast_time_unit("ms"), read.faults)


def cast_dates(raw: pl.Series, timezone: str) -> CastResult:
    """Read dates, to ``Date``; a time gives the date it has in UTC. Faults as for times."""
    if raw.dtype == pl.Date:
        return _within_years(pl.DataFrame({"raw": raw, "value": raw}), [])
    read = read_instants(raw, timezone)
    return CastResult(read.values.dt.date(), read.faults)


def read_instants(raw: pl.Series, timezone: str) -> CastResult:
    """Read times to ``Datetime("us", "UTC")``: the finest that order needs. Faults as above."""
    if raw.dtype == pl.String:
        return _from_text(raw, timezone)
    if raw.dtype == pl.Date:
        frame = pl.DataFrame({"raw": raw, "value": raw.cast(pl.Datetime("us"))})
        utc = VALUE.dt.replace_time_zone("UTC").alias("value")
        return _within_years(frame.with_columns(utc), [])
    if isinstance(raw.dtype, pl.Datetime):
        return _from_datetimes(raw, timezone)
    fault = "number_as_time" if raw.dtype.is_numeric() else "not_a_time"
    return nothing_but(fault, raw, INSTANT)


def read_usual_instants(cells: pl.Series, timezone: str) -> pl.Series | None:
    """
    Read text that is all in one of the usual formats of ISO 8601, the quick way.

    Returns:
        Values as of *read_instants*; None if any cell is in another format, or at fault.
    """
    uniform = _read_uniform(cells)
    if uniform is None or uniform.null_count() != cells.null_count():
        return None
    read = _from_datetimes(uniform, timezone)
    return read.values if read.faults.null_count() == len(cells) else None


def has_slashes(texts: pl.Series) -> bool:
    """Return whether any text looks like a date with slashes, as few do."""
    return bool(texts.str.contains(_SLASHED).any())


def _from_datetimes(raw: pl.Series, timezone: str) -> CastResult:
    fine = raw.dt.cast_time_unit("us")
    frame = pl.DataFrame({"raw": raw, "value": fine})
    if fine.dtype.time_zone is None:  # type: ignore[attr-defined]  # is a Datetime
        frame = frame.with_columns(_in_zone(VALUE, timezone))
    frame = frame.with_columns(VALUE.dt.convert_time_zone("UTC"))
    values = frame["value"]
    if values.null_count() == raw.null_count() and _are_common(values):
        return flag_faults(frame, [])
    return _within_years(frame, [("no_such_time", RAW.is_not_null() & VALUE.is_null())])


def _from_text(raw: pl.Series, timezone: str) -> CastResult:
    uniform = _read_uniform(raw)
    if uniform is None:
        return _from_any_text(raw, timezone)
    read = _from_datetimes(uniform, timezone)
    if uniform.null_count() == raw.null_count():
        return read
    # A few that differ must not make all others slow.
    odd = uniform.is_null() & raw.is_not_null()
    others, places = _from_any_text(raw.filter(odd), timezone), odd.arg_true()
    return CastResult(
        read.values.scatter(places, others.values), read.faults.scatter(places, others.faults)
    )


def _from_any_text(raw: pl.Series, timezone: str) -> CastResult:
    frame = _spell_as_iso(raw.to_frame("raw").with_columns(text=RAW.str.strip_chars()))
    frame = frame.with_columns(_local_time(pl.col("text"))).with_columns(
        zone=pl.col("text").str.slice(16).str.extract(r"(Z|UTC|[+-].*)$", 1)
    )
    zoneless = pl.col("zone").is_null() & (pl.col("text").str.len_bytes() > len("2026-09-15"))
    as_utc = (pl.col("local") - read_offset(pl.col("zone"))).dt.replace_time_zone("UTC")
    if timezone == "UTC":
        frame = frame.with_columns(value=as_utc)
    else:
        in_zone = _in_zone(pl.col("local"), timezone).dt.convert_time_zone("UTC")
        frame = frame.with_columns(value=pl.when(zoneless).then(in_zone).otherwise(as_utc))
    lost = RAW.is_not_null() & VALUE.is_null()
    number = pl.col("text").is_null() & RAW.str.contains(r"^\s*[+-]?[0-9]+(\.[0-9]+)?\s*$")
    return _within_years(
        frame,
        [
            ("number_as_time", number),
            ("day_or_month", lost & RAW.str.strip_chars().str.contains(_LIKE_SLASHED)),
            ("not_a_time", lost & pl.col("local").is_null()),
            ("no_such_time", lost),
        ],
    )


def _read_uniform(raw: pl.Series) -> pl.Series | None:
    """
    Read text that is in one of the usual formats, the quick way, as the first cell tells which.

    Returns:
        Null for cells that are no time, or in another format; None if the first one is.
    """
    first = raw.drop_nulls().head(1)
    usual = next((each for each in _UNIFORM if first.str.contains(each[0]).all()), None)
    if usual is None:
        longer = _LONGER.fullmatch(first.item()) if len(first) else None
        return None if longer is None else _read_longer(raw, longer)
    pattern, form = usual
    raw = _alike(raw, pattern)
    if form == SPELLING:
        read = read_spelt(raw).dt.cast_time_unit("us")
    else:
        read = raw.str.to_datetime(form, strict=False, time_unit="us", cache=False)
    return read if form in _ZONELESS else read.dt.replace_time_zone("UTC")


def _alike(raw: pl.Series, pattern: str) -> pl.Series:
    """Leave the cells that are spelled alike."""
    alike = raw.str.contains(pattern)
    if alike.all():
        return raw
    return raw.to_frame("raw").select(pl.when(alike).then(RAW).alias(raw.name)).to_series()


def _read_longer(raw: pl.Series, first: re.Match[str]) -> pl.Series:
    """Read text that is spelled as a first cell, whose parts stand at the same places."""
    between, fraction, zone = first["between"], first["fraction"] or "", first["zone"] or ""
    second = f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{between}[0-9]{{2}}:[0-9]{{2}}:[0-5][0-9]"
    places = rf"\.[0-9]{{{len(fraction)}}}" if fraction else ""
    offsets = re.sub("[0-9]", "[0-9]", re.sub("[+-]", "[+-]", zone))
    raw = _alike(raw, f"^{second}{places}{offsets}$")
    frame = raw.to_frame("raw")
    read = RAW.str.head(19).str.to_datetime(
        SECONDS.replace("T", between), strict=False, time_unit="us", cache=False
    )
    if fraction:
        digits = min(len(fraction), 6)
        micros = RAW.str.slice(20, digits).cast(pl.Int64) * 10 ** (6 - digits)
        read += pl.duration(microseconds=micros)
    if not zone:
        return frame.select(read).to_series()
    zones = frame.select(RAW.str.slice(first.start("zone"))).to_series()
    alone = (zones == zone).all()
    offset = read_offset(pl.lit(zone) if alone else pl.lit(zones))
    return frame.select((read - offset).dt.replace_time_zone("UTC")).to_series()


def _spell_as_iso(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring ``text`` into ISO's order of parts; null where it is in no known format."""
    text = pl.col("text")
    iso = frame.select(text.str.contains(ISO)).to_series()
    if not iso.all():  # The other formats are rare, and cost more to look for.
        spelt = pl.concat_str(
            text.str.tail(4), text.str.head(2), text.str.slice(3, 2), separator="-"
        )
        rest = (
            pl.when(_is_month_first(text))
            .then(spelt)
            .otherwise(text.str.replace(_WEEKDAY_FIRST, "${5}-${1}-${2}T${3}${4}"))
        )
        frame = frame.with_columns(pl.when(iso).then(text).otherwise(rest).alias("text"))
        iso = frame.select(text.str.contains(ISO)).to_series()
    return frame.with_columns(pl.when(iso).then(text).alias("text"))


def _local_time(text: pl.Expr) -> pl.Expr:
    """Read the parts of ISO text by their places; null if there is no such day or hour."""
    day = text.str.head(10).str.to_date("%Y-%m-%d", strict=False)
    hour = _number(text.str.slice(11, 2))
    minute = _number(text.str.slice(14, 2))
    has_second = text.str.slice(16, 1) == ":"
    second = pl.when(has_second).then(_number(text.str.slice(17, 2))).otherwise(0)
    digits = text.str.extract(r"^.{16}:[0-9]{2}[.,:]([0-9]{1,9})", 1)
    micros = _number(digits.str.pad_end(6, "0").str.head(6))
    real = (hour < 24) & (minute < 60) & (second < 60)
    since_midnight = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros
    instant = day.cast(pl.Datetime("us")) + pl.duration(microseconds=since_midnight)
    return pl.when(real).then(instant).alias("local")


def _number(digits: pl.Expr) -> pl.Expr:
    return digits.cast(pl.Int64, strict=False).fill_null(0)


def _in_zone(local: pl.Expr, timezone: str) -> pl.Expr:
    return local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")


def _are_common(instants: pl.Series) -> bool:
    """Return, quickly, whether all instants are in years that are surely taken."""
    first, last = (instants.to_physical().min(), instants.to_physical().max())
    if not isinstance(first, int) or not isinstance(last, int):
        return True
    return first >= _COMMON[0] and last < _COMMON[1]


def _within_years(frame: pl.DataFrame, faults: list[tuple[str, pl.Expr]]) -> CastResult:
    outside = ~VALUE.dt.year().is_between(0, LAST_YEAR)
    return flag_faults(frame, [*faults, ("year_out_of_range", outside)])
