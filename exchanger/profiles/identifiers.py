"""The identifier that names the profile of a row."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from exchanger.profiles.casted import RAW, VALUE, Casted, judge, nothing_but
from exchanger.profiles.casting_text import EXACT_FLOATS, print_floats, read_json_scalars

LONGEST_IDENTIFIER = 987
"""Bytes of an ``external_id`` (braze-api.md 2.3)."""


@dataclass(frozen=True)
class Identifiers:
    """
    The identifiers of a file's rows.

    Args:
        casted: Identifiers as text, with what is wrong with the others.
        trimmed: Rows whose identifier had white space around it.
    """

    casted: Casted
    trimmed: int


def read_identifiers(raw: pl.Series, *, is_json: bool = False) -> Identifiers:
    """
    Read the column of identifiers, to trimmed text; leading zeros stay.

    A column of integral floats or decimals prints as integers, which is what a table with missing
    values makes of whole numbers; NaN is such a missing value.

    Args:
        raw: The column, with empty text already null.
        is_json: The cells are JSON texts.

    Faults: ``no_identifier``, ``bad_identifier`` (no text and no whole number),
    ``identifier_too_long`` (over 987 bytes).
    """
    printed = _print_json(raw) if is_json else _print(raw)
    frame = pl.DataFrame({"raw": printed.values, "bad": printed.faults})
    frame = frame.with_columns(value=RAW.str.strip_chars())
    long = VALUE.str.len_bytes() > LONGEST_IDENTIFIER
    missing = RAW.is_null()
    casted = judge(
        frame,
        [
            ("bad_identifier", pl.col("bad").is_not_null()),
            ("no_identifier", missing),
            ("identifier_too_long", long),
        ],
    )
    trimmed = frame.select((RAW != VALUE).sum()).item()
    return Identifiers(casted, int(trimmed))


def all_differ(profiles: pl.Series) -> bool:
    """
    Tell, quickly, whether no identifier is there twice.

    Returns:
        False also, once in a very long while, where two different ones have a hash in common.
    """
    return profiles.hash().n_unique() == len(profiles)


def _print(raw: pl.Series) -> Casted:
    if raw.dtype == pl.String or raw.dtype.is_integer():
        return judge(pl.DataFrame({"raw": raw, "value": raw.cast(pl.String)}), [])
    if raw.dtype.is_float():
        raw = raw.fill_nan(None)
        fits = (RAW.floor() == RAW) & (RAW.abs() <= EXACT_FLOATS)
        if raw.to_frame("raw").select(fits.all()).item():
            return judge(pl.DataFrame({"raw": raw, "value": print_floats(raw)}), [])
    if raw.dtype.is_decimal():
        whole = raw.to_frame("raw").select(RAW.cast(pl.Decimal(38, 0)).alias("value"), "raw")
        if whole.select((RAW == VALUE).all()).item():
            return judge(whole.select("raw", VALUE.cast(pl.String)), [])
    return nothing_but("bad_identifier", raw, pl.String())


def _print_json(raw: pl.Series) -> Casted:
    """Take text and whole numbers out of JSON texts; anything else names nobody."""
    scalars = read_json_scalars(raw)
    plain = RAW.str.contains(r'^\s*(?:"|-?[0-9]+\s*$|null\s*$)')
    frame = pl.DataFrame({"raw": raw, "value": scalars.values})
    return judge(frame, [("bad_identifier", ~plain)])
