"""
Numbers and dates as people write them, spelled as everything else reads them.

Only what is written exactly so is changed; what is not stays what it is, or becomes text that is
neither number nor date, where it would be mistaken for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import polars as pl

_CELL = pl.col("cell")
_TRIMMED = _CELL.str.strip_chars()
_NUMBER = r"^[+-]?[0-9.,]*[0-9][.,]?(?:[eE][+-]?[0-9]+)?$"
_WITH_COMMA = r"^\s*[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)(?:,[0-9]+)?\s*$"
_EXPONENT = r"^[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+)[eE][+-]?[0-9]{1,2}$"
_ROUNDED = r"^[+-]?[0-9]\.[0-9]+E\+[0-9]{2,3}$"
_SLASHED = r"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}"
_MONTH_FIRST = r"^(?:0[1-9]|1[0-2])/(?:1[3-9]|2[0-9]|3[01])/[0-9]{4}$"
_DAY_FIRST = r"^\s*(?:1[3-9]|2[0-9]|3[01])/(?:0?[1-9]|1[0-2])/[0-9]{2,4}"
_NO_ORDER = "99/99/9999"
"""A date of which nobody knows whether the day or the month comes first."""
_TIMES = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S")
"""What may stand behind a day."""
_HAS_TIME = re.compile(r"%[HITR]")


def plain_numbers(cells: pl.Series, decimal: str, thousands: str = "none") -> pl.Series:
    """
    Spell numbers with a point, and without what separates thousands.

    Args:
        cells: Text.
        decimal: What stands before the fraction. If that is a comma, a point makes no number.
        thousands: What separates groups of three digits; ``none`` if nothing does.
    """
    if thousands != "none":
        mark, comma = re.escape(thousands), re.escape(decimal)
        if thousands == " ":
            mark = r"[ \x{a0}\x{202f}]"
        grouped = rf"^[+-]?[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+(?:{comma}[0-9]*)?$"
        bare = _TRIMMED.str.replace_all(mark, "")
        cells = _changed(cells, _TRIMMED.str.contains(grouped), bare)
    if decimal == ",":
        swapped = _TRIMMED.str.replace_many([".", ","], [",", "."])
        cells = _changed(cells, _TRIMMED.str.contains(_NUMBER), swapped)
    return cells


def plain_exponents(cells: pl.Series) -> pl.Series:
    """
    Spell numbers with an exponent without one, exactly: 1.0E7 is 10000000.

    What spreadsheets show is rounded, 4.91725E+12, and stays as it is.
    """
    if not any(cells.str.contains(sign, literal=True).any() for sign in "eE"):
        return cells  # Mostly so, and quickly seen.
    written = _TRIMMED.str.contains(_EXPONENT) & ~is_rounded(_TRIMMED)
    distinct = cells.to_frame("cell").filter(written).to_series().unique()
    if distinct.is_empty():
        return cells
    # polars has no number of so many digits; few distinct texts have an exponent.
    plain = pl.Series([format(Decimal(text.strip()), "f") for text in distinct], dtype=pl.String)
    return cells.to_frame("cell").select(_CELL.replace(distinct, plain)).to_series()


def is_rounded(text: pl.Expr) -> pl.Expr:
    """Test whether text is a number as spreadsheets show it that have no room for its digits."""
    return text.str.contains(_ROUNDED)


def plain_times(cells: pl.Series, form: str, *, only: bool = False) -> pl.Series:
    """
    Spell times of a format as ISO 8601.

    Args:
        cells: Text.
        form: The format, as of ``strptime``. A time may stand behind a format of a day.
        only: Whether nothing else is a time. Otherwise ISO 8601 is one, too; with slashes alone
            the format decides.
    """
    spelled = cells.clear().extend_constant(None, len(cells))
    for end in _TIMES if not (_HAS_TIME.search(form) or only) else ("",):
        spelled = spelled.zip_with(spelled.is_not_null(), _iso(cells, form + end))
    lost = pl.lit("?") if only else pl.lit(_NO_ORDER)
    other = pl.lit(value=True) if only else _TRIMMED.str.contains(_SLASHED)
    frame = pl.DataFrame({"cell": cells, "spelled": spelled})
    told = pl.col("spelled").is_not_null()
    cell = pl.when(told).then("spelled").when(_CELL.is_null()).then(None).when(other).then(lost)
    return frame.select(cell.otherwise(_CELL)).to_series().alias(cells.name)


def _iso(cells: pl.Series, form: str) -> pl.Series:
    read = cells.str.strip_chars().str.to_datetime(
        form.replace(".%f", "%.f"), strict=False, time_unit="us", cache=False
    )
    if "%Y" in form:  # Of two digits nobody knows the century.
        year = pl.col("read").dt.year()
        read = read.to_frame("read").select(pl.when(year >= 1000).then("read")).to_series()
    if not _HAS_TIME.search(form):
        return read.dt.strftime("%Y-%m-%d")
    zone = "Z" if read.dtype.time_zone else ""  # type: ignore[attr-defined]  # is a Datetime
    return read.dt.strftime(f"%Y-%m-%dT%H:%M:%S%.6f{zone}")


def have_commas(pieces: Iterable[pl.Series]) -> bool:
    """Return whether all cells of a column are numbers, if a comma stands before fractions."""
    some = False
    for cells in pieces:
        filled = cells.drop_nulls()
        if not filled.str.contains(_WITH_COMMA).all():
            return False
        some = some or filled.str.contains(",", literal=True).any()
    return some


def is_day_first(cells: pl.Series) -> pl.Series:
    """Test which cells are dates that show that their column has the day first: 25/12/1990."""
    return cells.str.contains(_DAY_FIRST).fill_null(value=False)


def without_month_first(cells: pl.Series) -> pl.Series:
    """Turn dates that read month first alone, 12/25/1990, into such of unknown order."""
    return _changed(cells, _TRIMMED.str.contains(_MONTH_FIRST), pl.lit(_NO_ORDER))


def _changed(cells: pl.Series, which: pl.Expr, text: pl.Expr) -> pl.Series:
    frame = cells.alias("cell").to_frame()
    return frame.select(pl.when(which).then(text).otherwise(_CELL)).to_series().alias(cells.name)
