"""
Columns of NDJSON: typed where all values have one type, else the JSON text of each value.

Types are settled over the whole file. Values come in batches; each batch of a column is kept in
a form that can still become JSON text, should a later batch hold another type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from exchanger.files.json_text import dump_exactly

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
    """Tell what a batch of values holds."""
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
    """Tell what a whole column holds, from what its batches hold."""
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


@dataclass
class JsonColumn:
    """One column under construction: its batches, and what each of them holds."""

    batches: list[pl.Series] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)

    def add(self, values: Sequence[Any]) -> None:
        """Take the next values: what ``load_exactly`` gives, None for null or absent."""
        shape = _shape(values)
        self.shapes.append(shape)
        if shape in {"number", "json"}:
            self.batches.append(_as_text(values))
        else:
            dtype = _DTYPES.get(shape, pl.Null())
            self.batches.append(pl.Series(values, dtype=dtype))

    def skip(self, height: int) -> None:
        """Fill up with nulls to *height* rows: the name was not there before."""
        if missing := height - sum(map(len, self.batches)):
            self.add([None] * missing)

    def finish(self) -> tuple[pl.Series, bool]:
        """
        Join the batches.

        Returns:
            The column, and whether its cells are JSON text.
        """
        settled = _settle(set(self.shapes))
        joined = [
            self._convert(batch, shape, settled)
            for batch, shape in zip(self.batches, self.shapes, strict=True)
        ]
        return pl.concat(joined), settled == "json"

    @staticmethod
    def _convert(batch: pl.Series, shape: Shape, settled: Shape) -> pl.Series:
        if settled != "json":
            return batch.cast(_DTYPES[settled])
        if shape == "null":
            return batch.cast(pl.String)
        return batch if shape in {"number", "json"} else _as_text(batch.to_list())
