"""One column of identifiers: text that may name profiles, and what is wrong with the rest."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from exchanger.braze.limits import LONGEST_IDENTIFIER
from exchanger.profiles.casting.result import RAW, VALUE, CastResult, flag_faults, nothing_but
from exchanger.profiles.casting.text import EXACT_FLOATS, read_json_scalars
from exchanger.profiles.frames.raw_columns import RawColumns, without_empty
from exchanger.profiles.reading.cells import cells_of
from exchanger.profiles.spelling.invisible import LOST, has_invisible
from exchanger.profiles.spelling.placeholders import (
    is_footer,
    is_grouped,
    is_placeholder,
    is_rounded,
)

_EXACT_FLOAT32 = 2.0**24
"""As ``EXACT_FLOATS``, of floats of half the size."""
_CODE = "[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*"
_USUAL = rf"^(?:{_CODE}|[!-~]+@[!-~]+)$"
"""Most identifiers by far: codes, numbers, UUIDs and addresses, which can be no placeholder."""
_EMPTY_UUID = "00000000-"
_POINTED = r"^([+-]?(?:0|[1-9][0-9]*))\.0+$"
"""A whole number, as floats and decimals are written: 12345.0, and +4930123456.0 of a phone."""


@dataclass(frozen=True)
class Identifiers:
    """
    The identifiers of a file's rows.

    Args:
        result: Identifiers as text, with what is wrong with the others.
        trimmed: Whether the identifier of a row had white space around it.
        pointed: Whether that of a row was text like 12345.0, and was read as 12345.
        decomposed: Whether it has accents apart from their letters (Unicode NFD): it looks like
            another one, and is not.
    """

    result: CastResult
    trimmed: pl.Series
    pointed: pl.Series
    decomposed: pl.Series


def read_codes(cells: pl.Series, longest: int) -> Identifiers | None:
    """
    Read identifiers that are all codes, numbers and UUIDs, the quick way.

    Args:
        cells: As they stand in the file.
        longest: Bytes that Braze takes of such identifiers.

    Returns:
        The cells, none of them at fault or with anything around it; None if any may be.
    """
    if cells.dtype != pl.String or cells.has_nulls():
        return None
    cell = pl.col("value")
    plain = cell.str.contains(f"^{_CODE}$") & ~cell.str.starts_with(_EMPTY_UUID)
    short = cell.str.len_bytes() <= longest
    frame = cells.to_frame("value")
    if not frame.select((plain & short).all()).item():
        return None
    none = pl.Series([None], dtype=pl.String).new_from_index(0, len(cells))
    no = pl.Series([False]).new_from_index(0, len(cells))
    return Identifiers(CastResult(frame["value"], none), no, no, no)


def read_identifiers(
    raw: pl.Series,
    *,
    is_json: bool = False,
    nulls: tuple[str, ...] = (),
    placeholders_allowed: bool = False,
    longest: int = LONGEST_IDENTIFIER,
) -> Identifiers:
    """
    Read the column of identifiers, to trimmed text; leading zeros stay.

    Integral floats and decimals print as integers, which is what a table with missing values makes
    of whole numbers, and so does text like 12345.0. NaN is such a missing value.

    Args:
        raw: The column, with empty text already null.
        is_json: The cells are JSON texts.
        nulls: Texts that mean null.
        placeholders_allowed: Text such as ``null``, ``#N/A`` and ``4.9E+12`` is an identifier.
        longest: Bytes that Braze takes of such identifiers.

    Faults: ``no_identifier``, ``bad_identifier`` (no text and no whole number),
    ``inexact_identifier`` (a float that cannot hold all its digits), ``invisible_sign``,
    ``lost_letter``, ``placeholder``, ``table_footer``, ``rounded_identifier``,
    ``grouped_identifier``, ``identifier_too_long``.
    """
    printed = _print_json(raw, nulls) if is_json else _print(raw)
    frame = pl.DataFrame({"raw": printed.values, "bad": printed.faults})
    frame = frame.with_columns(text=RAW.str.strip_chars())
    text = pl.col("text")
    some = frame.select(text.str.contains(".0", literal=True).any()).item()
    frame = frame.with_columns(value=text.str.replace(_POINTED, "$1") if some else text)
    result = flag_faults(
        frame,
        [
            ("no_identifier", RAW.is_null() & pl.col("bad").is_null()),
            ("identifier_too_long", VALUE.str.len_bytes() > longest),
        ],
    )
    result = result.over(_name_nobody(result.values, placeholders_allowed=placeholders_allowed))
    told = frame.select(trimmed=text != RAW, pointed=text != VALUE)
    return Identifiers(
        result.over(printed.faults), told["trimmed"], told["pointed"], _decomposed(result.values)
    )


def _decomposed(texts: pl.Series) -> pl.Series:
    """Find texts that Unicode composes to others; only those with a sign of that are composed."""
    if texts.str.len_chars().sum() == texts.str.len_bytes().sum():  # Nearly always: all is ASCII.
        return pl.Series([False]).new_from_index(0, len(texts))
    marked = texts.str.contains(r"\p{M}")
    if not marked.any():
        return marked
    return marked & (texts.str.normalize("NFC") != texts)


def identifiers_of(
    raw: RawColumns,
    column: str,
    nulls: tuple[str, ...],
    *,
    placeholders_allowed: bool = False,
    longest: int = LONGEST_IDENTIFIER,
) -> tuple[Identifiers, pl.Series | None]:
    """
    Read a column of a file as identifiers, as *read_identifiers* does.

    Returns:
        The identifiers, and where something around the text of a cell was taken off.
    """
    is_json = column in raw.json_columns
    codes = None if nulls or is_json else read_codes(raw.frame[column], longest)
    if codes is not None:
        return codes, None
    cells, wrapped = cells_of(raw, column, nulls, digits=True)
    read = read_identifiers(
        cells,
        is_json=is_json,
        nulls=nulls,
        placeholders_allowed=placeholders_allowed,
        longest=longest,
    )
    return read, wrapped


def _name_nobody(texts: pl.Series, *, placeholders_allowed: bool) -> pl.Series:
    """Return why texts name nobody; those of usual letters and digits are quickly passed."""
    usual = texts.str.contains(_USUAL) & ~texts.str.starts_with(_EMPTY_UUID)
    odd = texts.filter(~usual).unique()
    faults = [("invisible_sign", has_invisible(VALUE))]
    if not placeholders_allowed:
        faults.append(("lost_letter", VALUE.str.contains(LOST, literal=True)))
        faults.append(("placeholder", is_placeholder(VALUE)))
        faults.append(("table_footer", is_footer(VALUE)))
        faults.append(("rounded_identifier", is_rounded(VALUE)))
        faults.append(("grouped_identifier", is_grouped(VALUE)))
    why = flag_faults(pl.DataFrame({"value": odd}), faults).faults
    bad = why.is_not_null()
    if not bad.any():
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(texts))
    return texts.replace_strict(
        odd.filter(bad), why.filter(bad), default=None, return_dtype=pl.String
    )


def _print(raw: pl.Series) -> CastResult:
    if raw.dtype == pl.String or raw.dtype.is_integer():
        return flag_faults(pl.DataFrame({"raw": raw, "value": raw.cast(pl.String)}), [])
    if raw.dtype.is_float():
        return _print_floats(raw)
    if raw.dtype.is_decimal():
        frame = raw.to_frame("raw").with_columns(whole=RAW.cast(pl.Decimal(38, 0)))
        whole = pl.col("whole") == RAW
        frame = frame.with_columns(value=pl.when(whole).then(pl.col("whole").cast(pl.String)))
        return flag_faults(frame, [("bad_identifier", ~whole)])
    return nothing_but("bad_identifier", raw, pl.String())


def _print_floats(raw: pl.Series) -> CastResult:
    """Print integral floats as integers, as far as their type tells each from its neighbours."""
    largest = EXACT_FLOATS if raw.dtype == pl.Float64 else _EXACT_FLOAT32
    frame = raw.cast(pl.Float64).fill_nan(None).to_frame("raw")
    whole, exact = RAW.floor() == RAW, RAW.abs() < largest
    integer = pl.when(whole & exact).then(RAW).cast(pl.Int64)
    frame = frame.with_columns(value=integer.cast(pl.String))
    fraction = ~whole | RAW.is_infinite()
    return flag_faults(frame, [("bad_identifier", fraction), ("inexact_identifier", ~exact)])


def _print_json(raw: pl.Series, nulls: tuple[str, ...]) -> CastResult:
    """Take text and whole numbers out of JSON texts; anything else names nobody."""
    scalar = read_json_scalars(raw).values
    frame = pl.DataFrame({"raw": raw, "scalar": scalar, "value": without_empty(scalar, nulls)})
    number = RAW.str.contains(r"^\s*[-0-9]") & pl.col("scalar").str.contains(r"^-?[0-9]+$")
    fine = RAW.str.contains(r'^\s*(?:"|null\s*$)') | number.fill_null(value=False)
    return flag_faults(frame, [("bad_identifier", ~fine)])
