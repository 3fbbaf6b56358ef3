"""Numbers and booleans, from text and from the file's own types."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl

from exchanger.profiles.casting.plain_text import is_rounded
from exchanger.profiles.casting.result import RAW, VALUE, CastResult, flag_faults, nothing_but

SIGNIFICANT_DIGITS = 15
"""What a JSON number survives everywhere: a double keeps 15 decimal digits."""
UNITS_LIMIT = 10**SIGNIFICANT_DIGITS

_INTEGER = r"^[+-]?[0-9]+(?:\.00?)?$"
"""Also as programs print whole numbers that they keep as others; 1.000 may be a thousand."""
_DECIMAL = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
_FLOAT = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_NOT_FINITE = r"^[+-]?(?i:nan|inf|infinity)$"
_TRUE = ["true", "t", "1", "yes"]
_FALSE = ["false", "f", "0", "no"]


def cast_integers(raw: pl.Series) -> CastResult:
    """
    Read whole numbers, to Int64.

    From text: digits with an optional sign, white space around and leading zeros, also with ``.0``
    or ``.00`` behind. From floats and decimals: what is integral.

    Faults: ``not_an_integer``, ``integer_too_big`` (beyond 64 bit), ``rounded_number``.
    """
    if raw.dtype == pl.String:
        frame = _stripped(raw).with_columns(value=pl.col("text").cast(pl.Int64, strict=False))
        integral = pl.col("text").str.contains(_INTEGER)
        if frame["value"].null_count() == raw.null_count():
            return flag_faults(frame, [])
        whole = pl.col("text").str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
        frame = frame.with_columns(value=pl.when(integral).then(whole))
    elif raw.dtype.is_integer():
        frame = raw.to_frame("raw").with_columns(value=RAW.cast(pl.Int64, strict=False))
        integral = pl.lit(True)
    elif raw.dtype.is_float():
        integral = RAW.floor() == RAW
        fits = (RAW >= -(2.0**63)) & (RAW < 2.0**63)
        whole = pl.when(integral & fits).then(RAW).cast(pl.Int64, strict=False)
        frame = raw.to_frame("raw").with_columns(value=whole)
    elif raw.dtype.is_decimal():
        frame = _physical(raw)
        one = 10 ** _scale_of(raw)
        integral = pl.col("units") % one == 0
        whole = pl.when(integral).then(pl.col("units") // one)
        frame = frame.with_columns(value=whole.cast(pl.Int64, strict=False))
    else:
        return nothing_but("not_an_integer", raw, pl.Int64())
    lost = RAW.is_not_null() & VALUE.is_null()
    rounded = is_rounded(pl.col("text")) if raw.dtype == pl.String else pl.lit(value=False)
    return flag_faults(
        frame,
        [
            ("rounded_number", lost & rounded),
            ("not_an_integer", lost & ~integral),
            ("integer_too_big", lost),
        ],
    )


def cast_floats(raw: pl.Series) -> CastResult:
    """
    Read numbers, to Float64.

    Faults: ``not_a_number``, ``number_too_big`` (text of a number beyond a double).
    """
    if raw.dtype == pl.String:
        frame = _stripped(raw).with_columns(number=pl.col("text").str.contains(_FLOAT))
        read = pl.when("number").then(pl.col("text").cast(pl.Float64, strict=False))
        frame = frame.with_columns(value=read)
    elif raw.dtype.is_numeric():
        frame = raw.to_frame("raw").with_columns(value=RAW.cast(pl.Float64, strict=False))
    else:
        return nothing_but("not_a_number", raw, pl.Float64())
    lost = RAW.is_not_null() & VALUE.is_null()
    return flag_faults(frame, [("number_too_big", VALUE.is_infinite()), ("not_a_number", lost)])


def cast_decimals(raw: pl.Series, scale: int) -> CastResult:
    """
    Read exact numbers, to Int64 units of 10 to the power of minus *scale*.

    Text and decimals must fit the scale, zeros at the end apart; a float is rounded half to even,
    from the shortest text that names it (2.675 is a tie, whatever its bits are).

    Faults: ``not_a_number``, ``too_many_places``, ``too_many_digits`` (over 15 significant),
    ``rounded_number`` (4.91725E+12: what spreadsheets show, not what they have).
    """
    if raw.dtype == pl.String:
        return _decimals_from_text(raw, scale)
    if raw.dtype.is_integer():
        frame = raw.to_frame("raw").with_columns(units=RAW.cast(pl.Int128, strict=False))
        return _in_scale(frame, 0, scale)
    if raw.dtype.is_decimal():
        return _in_scale(_physical(raw), _scale_of(raw), scale)
    if raw.dtype.is_float():
        return _decimals_from_floats(raw, scale)
    return nothing_but("not_a_number", raw, pl.Int64())


def cast_booleans(
    raw: pl.Series, trues: tuple[str, ...] = (), falses: tuple[str, ...] = ()
) -> CastResult:
    """
    Read truth: true/false/t/f/1/0/yes/no in any case, and the numbers 1 and 0.

    Args:
        raw: The cells.
        trues: Words for true, in any case, in place of the usual ones.
        falses: Words for false, likewise.

    Faults: ``not_a_boolean``.
    """
    if raw.dtype == pl.Boolean:
        return flag_faults(pl.DataFrame({"raw": raw, "value": raw}), [])
    if raw.dtype == pl.String:
        frame = raw.to_frame("raw").with_columns(value=_TRUE[0] == RAW)
        usual = not trues and not falses
        if usual and frame.select((VALUE | (_FALSE[0] == RAW)).all()).item():
            return flag_faults(frame, [])  # The usual spelling is quickly read.
        word = RAW.str.strip_chars().str.to_lowercase()
        true = word.is_in([each.strip().lower() for each in trues] or _TRUE)
        false = word.is_in([each.strip().lower() for each in falses] or _FALSE)
    elif raw.dtype.is_numeric():
        true, false = RAW == 1, RAW == 0
    else:
        return nothing_but("not_a_boolean", raw, pl.Boolean())
    value = pl.when(true).then(True).when(false).then(False)
    frame = raw.to_frame("raw").with_columns(value=value)
    return flag_faults(frame, [("not_a_boolean", RAW.is_not_null() & VALUE.is_null())])


def split_off_not_finite(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    """
    Take NaN and the infinities out of a column of numbers, as numbers or as text.

    Returns:
        The column with null in their place, and a Boolean series that is true where they were.
    """
    if raw.dtype == pl.String:
        found = RAW.str.strip_chars().str.contains(_NOT_FINITE)
    elif raw.dtype.is_float():
        found = ~RAW.is_finite()
    else:
        return raw, pl.repeat(False, len(raw), eager=True)
    frame = raw.to_frame("raw").with_columns(found=found.fill_null(value=False))
    frame = frame.with_columns(pl.when(~pl.col("found")).then(RAW).alias("raw"))
    return frame["raw"], frame["found"]


def read_plain_units(cells: pl.Series, scale: int) -> pl.Series | None:
    """
    Read text as units of 10 to the power of minus *scale*, the quick way.

    Returns:
        None if any cell is no number of at most so many places, or may have too many digits. Units
        may be beyond ``UNITS_LIMIT`` all the same.
    """
    plain = rf"^[+-]?[0-9]{{1,{max(1, SIGNIFICANT_DIGITS - scale)}}}(?:\.[0-9]{{0,{scale}}})?$"
    if not cells.str.contains(plain).all():
        return None
    # Units of 15 digits are exact in a double, which is far quicker than taking text apart.
    return (cells.cast(pl.Float64) * 10.0**scale).round().cast(pl.Int64)


def read_plain_floats(cells: pl.Series) -> pl.Series | None:
    """Read text as Float64, the quick way; None if any cell is no number."""
    return cells.cast(pl.Float64, strict=False) if cells.str.contains(_FLOAT).all() else None


def _stripped(raw: pl.Series) -> pl.DataFrame:
    return raw.to_frame("raw").with_columns(text=RAW.str.strip_chars())


def _physical(raw: pl.Series) -> pl.DataFrame:
    """Show decimals as the whole numbers that they are stored as."""
    units = raw.to_physical().cast(pl.Int128)
    return pl.DataFrame({"raw": raw, "units": units})


def _scale_of(raw: pl.Series) -> int:
    return raw.dtype.scale  # type: ignore[attr-defined, no-any-return]  # is a Decimal


def _in_scale(frame: pl.DataFrame, have: int, want: int) -> CastResult:
    """Bring ``units`` (Int128) from one scale to another, if nothing is lost by it."""
    units = pl.col("units")
    if have > want:
        fits = units % 10 ** (have - want) == 0
        frame = frame.with_columns(fits=fits, value=units // 10 ** (have - want))
    else:
        # Whatever reaches the limit before it is scaled up is over it afterwards as well.
        large = units.abs() >= UNITS_LIMIT
        scaled = pl.when(large).then(UNITS_LIMIT).otherwise(units) * 10 ** (want - have)
        frame = frame.with_columns(fits=pl.lit(True), value=scaled)
    long = VALUE.abs() >= UNITS_LIMIT
    checked = flag_faults(frame, [("too_many_places", ~pl.col("fits")), ("too_many_digits", long)])
    return CastResult(checked.values.cast(pl.Int64), checked.faults)


def _decimals_from_text(raw: pl.Series, scale: int) -> CastResult:
    frame = _stripped(raw)
    units = read_plain_units(frame["text"], scale)
    if units is not None:
        long = VALUE.abs() >= UNITS_LIMIT
        return flag_faults(frame.with_columns(value=units), [("too_many_digits", long)])
    frame = frame.with_columns(number=pl.col("text").str.contains(_DECIMAL))
    parts = pl.col("text").str.split_exact(".", 1).struct
    frame = frame.with_columns(
        whole=parts.field("field_0"),
        places=parts.field("field_1").fill_null("").str.strip_chars_end("0"),
    )
    digits = pl.concat_str("whole", pl.col("places").str.pad_end(scale, "0"))
    number, short = pl.col("number"), pl.col("places").str.len_bytes() <= scale
    frame = frame.with_columns(
        value=pl.when(number & short).then(digits.cast(pl.Int64, strict=False))
    )
    lost = RAW.is_not_null() & VALUE.is_null()
    return flag_faults(
        frame,
        [
            ("rounded_number", is_rounded(pl.col("text"))),
            ("not_a_number", ~number),
            ("too_many_places", ~short),
            ("too_many_digits", lost | (VALUE.abs() >= UNITS_LIMIT)),
        ],
    )


def _decimals_from_floats(raw: pl.Series, scale: int) -> CastResult:
    """Round as floats, and exactly, by their texts, only what is next to a tie."""
    frame = raw.to_frame("raw").with_columns(scaled=RAW * 10.0**scale)
    scaled = pl.col("scaled")
    frame = frame.with_columns(
        value=pl.when(scaled.abs() < UNITS_LIMIT)
        .then(scaled.round())
        .otherwise(pl.when(scaled.is_not_null()).then(UNITS_LIMIT))
        .cast(pl.Int64),
        # The product and the text are each off by less than this.
        tie=((scaled - scaled.floor()) - 0.5).abs() <= scaled.abs() * 2.0**-50,
    )
    ties = frame.filter(pl.col("tie") & (VALUE < UNITS_LIMIT))["raw"].unique()
    if not ties.is_empty():
        # polars cannot round a float by its text; few distinct values are this close to a tie.
        units = pl.Series([_round_half_even(value, scale) for value in ties], dtype=pl.Int64)
        exact = RAW.replace_strict(ties, units, default=VALUE, return_dtype=pl.Int64)
        frame = frame.with_columns(value=exact)
    return flag_faults(frame, [("too_many_digits", VALUE.abs() >= UNITS_LIMIT)])


def _round_half_even(value: float, scale: int) -> int:
    return int(Decimal(repr(value)).scaleb(scale).to_integral_value(ROUND_HALF_EVEN))
