"""Which Arrow types can be attribute values, and as what polars gets them."""

from __future__ import annotations

import polars as pl

from exchanger.files.scratch.arrow import ChunkedArray, DataType, compute, pa, types

_SAME = (
    types.is_boolean,
    types.is_integer,
    types.is_float32,
    types.is_float64,
    types.is_string,
    types.is_large_string,
    types.is_date32,
)
_MOST_DIGITS = 38
_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_FARTHEST = 36_524_250
"""Days from 1970 on, 100,000 years, that every calendar here can count: polars ends beyond."""
_LISTED = 2_932_896
"""The last day, 9999-12-31, that Python has, in which nested values are spelled."""
_FIRST = -719_162
"""The first one, 0001-01-01."""
_OPAQUE = ("arrow.uuid", "arrow.opaque", "arrow.fixed_shape_tensor", "arrow.variable_shape_tensor")
"""Extensions whose storage is no value that a person would send."""


def plain_type(dtype: DataType) -> DataType | None:
    """
    Choose the type that a column is cast to before it becomes polars'.

    Dictionaries become what they stand for, times of day and untyped nulls become text, zones
    become UTC (the instant stays), decimals get at most 38 digits, lists lose their fixed length.

    Returns:
        The type, or None if no attribute can hold values of *dtype* (binary, map, duration,
        interval and the like), at any depth.
    """
    if isinstance(dtype, pa.BaseExtensionType):
        return _plain_extension(dtype)
    if types.is_dictionary(dtype):
        return plain_type(dtype.value_type)
    if is_list(dtype):
        item = plain_type(dtype.value_type)
        if item is None or types.is_fixed_size_list(dtype):
            return None if item is None else pa.large_list(item)
        # As it is, if its members are: a cast is dear.
        member = dtype.value_field.with_type(item)
        return pa.list_(member) if types.is_list(dtype) else pa.large_list(member)
    if types.is_struct(dtype):
        return _plain_struct(dtype)
    return _plain_scalar(dtype)


def _plain_extension(dtype: DataType) -> DataType | None:
    """Choose by what an extension means, where it is more than how it is stored."""
    if dtype.extension_name == "arrow.bool8":
        return pa.bool_()
    return None if dtype.extension_name in _OPAQUE else plain_type(dtype.storage_type)


def _plain_struct(dtype: DataType) -> DataType | None:
    members = [(member.name, plain_type(member.type)) for member in dtype.fields]
    names = {name for name, _ in members}
    if len(names) < len(members) or any(member is None for _, member in members):
        return None
    return pa.struct(members)


def _plain_scalar(dtype: DataType) -> DataType | None:
    if types.is_null(dtype) or types.is_time(dtype) or types.is_string_view(dtype):
        return pa.string()
    if types.is_float16(dtype):
        return pa.float32()
    if types.is_date64(dtype):
        return pa.date32()
    if types.is_timestamp(dtype):
        return pa.timestamp(dtype.unit, "UTC") if dtype.tz else dtype
    if types.is_decimal(dtype):
        return pa.decimal128(min(dtype.precision, _MOST_DIGITS), dtype.scale)
    return dtype if any(same(dtype) for same in _SAME) else None


def is_list(dtype: DataType) -> bool:
    """Return whether a type is a list of any kind, but not a map."""
    return bool(
        types.is_list(dtype) or types.is_large_list(dtype) or types.is_fixed_size_list(dtype)
    )


def is_nested(dtype: DataType) -> bool:
    """Return whether values are structs, or lists of anything but scalars."""
    if is_list(dtype):
        return bool(types.is_nested(dtype.value_type))
    return bool(types.is_struct(dtype))


def has_no_spelling(column: ChunkedArray) -> bool:
    """
    Return whether a value within lists or structs cannot be spelled.

    That is a not-a-number or an infinity, which JSON has no text for, and a time beyond years of
    four digits.
    """
    dtype = column.type
    if isinstance(dtype, pa.BaseExtensionType):
        return has_no_spelling(column.cast(dtype.storage_type))
    if is_list(dtype):
        return has_no_spelling(compute().list_flatten(column))
    if types.is_struct(dtype):
        return any(has_no_spelling(member) for member in column.flatten())
    if types.is_floating(dtype):
        return not compute().all(compute().is_finite(column), min_count=0).as_py()
    day = _day_of(dtype)
    ends = (_FIRST * (day or 0), (_LISTED + 1) * (day or 0) - 1)
    return day is not None and not _is_within(column, *ends)


def within_calendars(column: ChunkedArray) -> ChunkedArray | None:
    """
    Bring times that no calendar has, such as the infinity of databases, to 100,000 years from now.

    Their year is none that Braze stores either way; but what would count it ends the process.

    Args:
        column: Of any type but objects, and lists of lists or objects.

    Returns:
        The column; None if such a time is within a list.
    """
    if is_list(column.type):
        if _day_of(column.type.value_type) is None:
            return column
        items = compute().list_flatten(column)
        return column if within_calendars(items) is items else None
    day = _day_of(column.type)
    if day is None:
        return column
    most = _FARTHEST * day
    if _is_within(column, -most, most):
        return column
    counted = _counted(column)
    near = compute().min_element_wise(counted.cast(pa.int64()), most, skip_nulls=False)
    near = compute().max_element_wise(near, -most, skip_nulls=False)
    return near.cast(counted.type).cast(column.type)


def _day_of(dtype: DataType) -> int | None:
    """Return what a day counts in a type; None if it is none of times, or ends before calendars."""
    if types.is_date32(dtype):
        return 1
    if types.is_date64(dtype):
        return _DAY["ms"]
    return _DAY[dtype.unit] if types.is_timestamp(dtype) and dtype.unit != "ns" else None


def _counted(column: ChunkedArray) -> ChunkedArray:
    """Show times as the whole numbers that they are stored as."""
    whole = pa.int32() if types.is_date32(column.type) else pa.int64()
    return pa.chunked_array([chunk.view(whole) for chunk in column.chunks], whole)


def _is_within(column: ChunkedArray, least: int, most: int) -> bool:
    """Return whether all times are stored as numbers from one to another, nulls aside."""
    # Nearly all are, which polars says without all functions of Arrow's, that take long to load.
    counted = pl.DataFrame(pl.from_arrow(pa.table({"at": _counted(column)}))).to_series()
    first, last = counted.min(), counted.max()
    if not isinstance(first, int) or not isinstance(last, int):
        return True
    return least <= first and last <= most
