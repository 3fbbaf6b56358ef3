"""
Which texts Braze reads as a time, and how it spells a time back.

Braze turns a string attribute in one of these formats into a time, and answers it as
``2026-09-15T00:00:00.000Z`` (braze-api.md 2.6 and 2.7):

- ISO 8601: ``2026-09-15``, or with ``T`` and hours and minutes; seconds, a fraction and a zone
  (``Z``, ``+02``, ``+0200``, ``+02:00``) may follow;
- ``2026-09-15T10:00:00:123+0200``, the fraction behind a colon;
- ``2026-09-15 10:00:00``, without a zone;
- ``09/15/2026``, month first;
- ``Tue 09 15 10:00:00.+02:00 2026``.

No zone means UTC. A day that does not exist or a year above 3000 stays a string. Digits beyond
milliseconds are cut.
"""

from __future__ import annotations

import polars as pl

from exchanger.braze.limits import LAST_YEAR

SPELLING = "%Y-%m-%dT%H:%M:%S%.3fZ"
"""How Braze spells a time."""
SECONDS = "%Y-%m-%dT%H:%M:%S"
"""What it begins with. polars reads fractions in a sixth of the speed of the rest."""
SPELT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]\.[0-9]{3}Z"
"""What such a text looks like."""

_LOOKS_LIKE_TIME = (
    r'^"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}/[0-9]{2}/[0-9]{4}"'
    r"|[MTWFS][a-z]{2} [0-9]{2} [0-9]{2} )"
)
_SPELT = f'^"{SPELT}"$'
_LEAP_YEAR = r"(?:[12][0-9](?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)"
_REAL_DAY = (
    r"(?:[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    rf"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)|{_LEAP_YEAR}-02-29)"
)
"""A day that there is, from 1000 to 2999: told without reading it, in a third of the time."""
_REAL_SECOND = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_USUAL = f'^"{_REAL_DAY}(?:[ T]{_REAL_SECOND}|T{_REAL_SECOND}Z)?"$'
"""Nearly all other times: a day, and perhaps a time of day without a fraction, in UTC."""
_CLOCK = r"(?P<clock>(?:[01][0-9]|2[0-3]):[0-5][0-9])"
_ZONE = r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_ISO = (
    r"^(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    rf"(?:T{_CLOCK}(?::(?P<second>[0-5][0-9])(?:\.(?P<part>[0-9]{{1,9}})|:(?P<milli>[0-9]{{3}}))?)?"
    rf"{_ZONE}?)?$"
)
_SPACED = rf"^(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) {_CLOCK}:(?P<second>[0-5][0-9])$"
_AMERICAN = r"^(?P<month>[0-9]{2})/(?P<date>[0-9]{2})/(?P<year>[0-9]{4})$"
_LONG = (
    r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>[0-9]{2}) (?P<date>[0-9]{2}) "
    rf"{_CLOCK}:(?P<second>[0-5][0-9])\.{_ZONE} (?P<year>[0-9]{{4}})$"
)
_FORMATS = (_ISO, _SPACED, _AMERICAN, _LONG)
_PARTS = ("day", "clock", "second", "part", "milli", "zone", "year", "month", "date")


def read_braze_times(texts: pl.Series) -> pl.Series:
    """
    Read texts as Braze would read a string attribute.

    Args:
        texts: Plain text, not JSON.

    Returns:
        ``Datetime("ms", "UTC")``, null where Braze would keep the string.
    """
    frame = pl.DataFrame({"text": texts.cast(pl.String)})
    patterns = {f"as {number}": pattern for number, pattern in enumerate(_FORMATS)}
    # Each is looked for once; as parts of larger expressions they would be for every part.
    matched = frame.select(
        pl.col("text").str.extract_groups(pattern).alias(name) for name, pattern in patterns.items()
    )
    groups = [_groups(name, pattern) for name, pattern in patterns.items()]
    parts = matched.select(pl.coalesce(*(g[part] for g in groups)).alias(part) for part in _PARTS)
    return parts.select(_instant()).to_series().rename(texts.name)


def read_spelt(texts: pl.Series) -> pl.Series:
    """
    Read texts that are all spelled as Braze spells times, quickly.

    Returns:
        ``Datetime("ms")``, null where there is no such day or hour.
    """
    text = pl.col("text")
    second = text.str.head(19).str.to_datetime(SECONDS, strict=False, time_unit="ms", cache=False)
    part = pl.duration(milliseconds=text.str.slice(20, 3).cast(pl.Int64), time_unit="ms")
    return texts.to_frame("text").select(second + part).to_series().rename(texts.name)


def spell_times(fragments: pl.Series) -> pl.Series:
    """
    Spell string literals that Braze reads as times as it would spell them back.

    Args:
        fragments: JSON texts of any kind.

    Returns:
        The same texts, times as ``"2026-09-15T00:00:00.000Z"`` in quotes.
    """
    candidates = fragments.str.contains(_LOOKS_LIKE_TIME)
    if not candidates.any():
        return fragments
    # What is spelled so already stays so, whether or not there is such a day.
    candidates &= ~fragments.str.contains(_SPELT)
    usual = candidates & fragments.str.contains(_USUAL) if candidates.any() else candidates
    if usual.any():
        fragments = _spell_usual(fragments, usual)
        candidates &= ~usual
    if not candidates.any():
        return fragments
    odd = fragments.filter(candidates)
    old = odd.unique()
    times = read_braze_times(old.str.strip_chars('"'))
    new = '"' + times.dt.strftime(SPELLING) + '"'
    readable = times.is_not_null()
    spelt = odd.replace(old.filter(readable), new.filter(readable))
    return fragments.clone().scatter(candidates.arg_true(), spelt)


def read_offset(zone: pl.Expr) -> pl.Expr:
    """Read ``Z``, ``UTC``, ``+02``, ``+0200`` and ``+02:00`` as a duration; nothing is UTC."""
    parts = zone.str.slice(1, 2), zone.str.slice(3).str.strip_chars_start(":")
    hours, minutes = (part.cast(pl.Int64, strict=False).fill_null(0) for part in parts)
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    return pl.duration(minutes=sign * (hours * 60 + minutes))


def _spell_usual(fragments: pl.Series, usual: pl.Series) -> pl.Series:
    """Spell times of the usual formats, of which there may be many different ones."""
    text = pl.col("text")
    has_clock = text.str.len_bytes() > len('"2026-09-15"')
    clock = pl.when(has_clock).then(text.str.slice(12, 8)).otherwise(pl.lit("00:00:00"))
    spelt = pl.concat_str(text.str.head(11), pl.lit("T"), clock, pl.lit('.000Z"'))
    chosen = spelt if usual.all() else pl.when("usual").then(spelt).otherwise(text)
    frame = pl.DataFrame({"text": fragments, "usual": usual})
    return frame.select(chosen).to_series().rename(fragments.name)


def _groups(name: str, pattern: str) -> dict[str, pl.Expr]:
    matched = pl.col(name)
    return {
        part: matched.struct.field(part) if f"<{part}>" in pattern else pl.lit(None, pl.String)
        for part in _PARTS
    }


def _instant() -> pl.Expr:
    day = pl.coalesce(
        pl.col("day"), pl.concat_str("year", pl.lit("-"), "month", pl.lit("-"), "date")
    )
    milli = pl.coalesce(pl.col("milli"), pl.col("part").str.pad_end(3, "0").str.head(3))
    text = pl.concat_str(
        day,
        pl.lit("T"),
        pl.col("clock").fill_null("00:00"),
        pl.lit(":"),
        pl.col("second").fill_null("00"),
        pl.lit("."),
        milli.fill_null("000"),
    )
    local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.3f", time_unit="ms", strict=False)
    instant = (local - read_offset(pl.col("zone"))).dt.replace_time_zone("UTC")
    return pl.when(day.str.head(4).cast(pl.Int32) <= LAST_YEAR).then(instant)
