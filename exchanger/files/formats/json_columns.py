"""
Columns of NDJSON: typed where all values have one type, else the JSON text of each value.

Types are settled over the whole file. Values come in batches; each batch of a column is kept in
a form that can still become JSON text, should a later batch hold another type. Texts that are JSON
already are kept as bytes, by which they are told from strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from exchanger.files.formats.json_exact import dump_exactly

Shape = Literal["null", "boolean", "string", "integer", "large", "float", "number", "json"]
"""
What a batch of a column holds.

``large`` are integers of which a float cannot hold every one; ``number`` are integers and floats
mixed, kept as text; ``json`` is everything else, kept as text.
"""

_SIMPLE: dict[type, Shape] = {bool: "boolean", str: "string", float: "float"}
_DTYPES: dict[Shape, pl.DataType] = {
    "boolean": pl.Boolean(),
    "string": pl.String(),
    "integer": pl.Int64(),
    "large": pl.Int64(),
    "float": pl.Float64(),
}
_FLOAT_EXACT = 2**53


def _shape(values: Sequence[Any]) -> Shape:
    """Return what a batch of values holds."""
    types = set(map(type, values)) - {type(None)}
    if not types:
        return "null"
    if types == {int}:
        return "integer" if _all_small(values) else "large"
    if len(types) == 1:
        return _SIMPLE.get(next(iter(types)), "json")
    return "number" if types == {int, float} and _all_small(values) else "json"


def _all_small(values: Sequence[Any]) -> bool:
    integers = [value for value in values if type(value) is int]
    return min(integers) >= -_FLOAT_EXACT and max(integers) <= _FLOAT_EXACT


def _settle(shapes: set[Shape]) -> Shape:
    """Return what a whole column holds, from what its batches hold."""
    held = shapes - {"null"}
    if not held:
        return "string"
    if held <= {"integer", "large"}:
        return "integer"
    if len(held) == 1 and held != {"number"}:
        return next(iter(held))
    return "float" if held <= {"integer", "float", "number"} else "json"


def _as_text(values: Sequence[Any]) -> pl.Series:
    texts = [None if value is None else dump_exactly(value) for value in values]
    return pl.Series(texts, dtype=pl.String)


_AS_BYTES: frozenset[Shape] = frozenset({"number", "json"})


@dataclass
class JsonColumn:
    """One column under construction: what its batches hold."""

    shapes: set[Shape] = field(default_factory=set)

    def batch(self, values: Sequence[Any]) -> pl.Series:
        """Take the next values, and keep them as a series: None is null or absent."""
        shape = _shape(values)
        self.shapes.add(shape)
        if shape in _AS_BYTES:
            return _as_text(values).cast(pl.Binary)
        return pl.Series(values, dtype=_DTYPES.get(shape, pl.Null()))

    @property
    def is_json(self) -> bool:
        """Whether the column's cells are JSON text, as far as it was seen."""
        return _settle(self.shapes) == "json"

    @property
    def dtype(self) -> pl.DataType:
        """The column's type, as far as it was seen."""
        return _DTYPES.get(_settle(self.shapes), pl.String())

    def finished(self, batch: pl.Series) -> pl.Series:
        """Bring a batch to the type of the column, once all of it was seen."""
        if batch.dtype == pl.Binary:
            return batch.cast(pl.String).cast(self.dtype)
        if not self.is_json or batch.dtype == pl.Null:
            return batch.cast(self.dtype)
        return _as_text(batch.to_list())
