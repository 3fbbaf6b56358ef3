"""The field type that a column of a typed file has by itself."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from exchanger.config.models import FieldType

LARGEST_SCALE = 15
"""Places of a decimal field; with more, no digit would be left before the point."""


@dataclass(frozen=True)
class TypeName:
    """
    A field type as it is kept: ``integer``, ``decimal(2)``.

    ``scale`` is 0 for every type but ``decimal``.
    """

    type: FieldType
    scale: int = 0

    def __str__(self) -> str:
        """Spell it as it is kept and shown."""
        return f"decimal({self.scale})" if self.type == "decimal" else self.type


def parse_type_name(text: str) -> TypeName:
    """Read what ``str`` of a type name wrote."""
    kind, _, scale = text.rstrip(")").partition("(")
    return TypeName(kind, int(scale or 0))  # type: ignore[arg-type]  # written by us


def own_type(dtype: pl.DataType, *, is_json: bool = False) -> TypeName | None:
    """
    Name the field type of a column that has a type.

    Args:
        dtype: The column's.
        is_json: Its cells are JSON texts.

    Returns:
        None if the column holds nothing but nulls.
    """
    if is_json or isinstance(dtype, pl.Struct):
        return TypeName("json")
    if isinstance(dtype, pl.Decimal):
        return TypeName("decimal", min(dtype.scale, LARGEST_SCALE))
    if dtype.is_integer():
        return TypeName("integer")
    if dtype.is_float():
        return TypeName("float")
    if isinstance(dtype, pl.Null):
        return None
    return TypeName(_OWN.get(dtype.base_type(), "string"))


_OWN: dict[type[pl.DataType], FieldType] = {
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "datetime",
    pl.List: "list",
    pl.Array: "list",
}
