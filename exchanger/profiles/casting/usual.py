"""
Text that is all spelled as programs spell values, read the quick way.

Such cells have nothing around them and are not empty, so nobody need look for that in each.
Whatever else a column holds is read by ``values``, to the same values.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from exchanger.config.models import FieldType
from exchanger.profiles.casting.numbers import (
    UNITS_LIMIT,
    read_plain_floats,
    read_plain_units,
)
from exchanger.profiles.casting.result import CastResult
from exchanger.profiles.casting.times import has_slashes, read_usual_instants
from exchanger.profiles.casting.values import CastOptions

_PLAIN = r"^[^\s='\"]"
"""How text begins that is not empty, and has neither a formula nor an apostrophe around it."""


def read_usual(cells: pl.Series, reading: CastOptions) -> CastResult | None:
    """
    Read cells of text that are all spelled as programs spell values of a type.

    Args:
        cells: As they stand in the file.
        reading: What they become.

    Returns:
        The values, none of them at fault; None if any cell may be anything else.
    """
    if cells.dtype != pl.String or reading.nulls or reading.type not in _READ:
        return None
    values = _READ[reading.type](cells, reading)
    if values is None or values.null_count() != cells.null_count():
        return None
    return CastResult(values, pl.Series([None], dtype=pl.String).new_from_index(0, len(cells)))


def _strings(cells: pl.Series, reading: CastOptions) -> pl.Series | None:
    if reading.trim:
        return None
    fits = pl.col("cell").str.contains(_PLAIN) & (pl.col("cell").str.len_bytes() <= reading.longest)
    usual = cells.to_frame("cell").select(fits.all()).item() and not has_slashes(cells)
    return cells if usual else None


def _integers(cells: pl.Series, _: CastOptions) -> pl.Series | None:
    return cells.cast(pl.Int64, strict=False)


def _decimals(cells: pl.Series, reading: CastOptions) -> pl.Series | None:
    units = read_plain_units(cells, reading.scale) if _has_points(reading) else None
    large = units is not None and (units.abs() >= UNITS_LIMIT).any()
    return None if large else units


def _floats(cells: pl.Series, reading: CastOptions) -> pl.Series | None:
    values = read_plain_floats(cells) if _has_points(reading) else None
    large = values is not None and values.is_infinite().any()
    return None if large else values


def _booleans(cells: pl.Series, reading: CastOptions) -> pl.Series | None:
    true = cells == "true"
    usual = not reading.true and not reading.false
    return true if usual and (true | (cells == "false")).all() else None


def _dates(cells: pl.Series, reading: CastOptions) -> pl.Series | None:
    instants = _instants(cells, reading)
    return None if instants is None else instants.dt.date()


def _datetimes(cells: pl.Series, reading: CastOptions) -> pl.Series | None:
    instants = _instants(cells, reading)
    return None if instants is None else instants.dt.cast_time_unit("ms")


def _instants(cells: pl.Series, reading: CastOptions) -> pl.Series | None:
    if reading.form or reading.dates:
        return None
    return read_usual_instants(cells, reading.timezone)


def _has_points(reading: CastOptions) -> bool:
    """Return whether numbers have a point before their fraction, and nothing between thousands."""
    return reading.decimal == "." and reading.thousands == "none"


_READ: dict[FieldType, Callable[[pl.Series, CastOptions], pl.Series | None]] = {
    "string": _strings,
    "integer": _integers,
    "decimal": _decimals,
    "float": _floats,
    "boolean": _booleans,
    "date": _dates,
    "datetime": _datetimes,
}
