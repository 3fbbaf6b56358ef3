"""Changes become JSON objects, and objects become request bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from exchanger.profiles.columns import ENDPOINT, ITEM, OBJECT, POINTS, PROFILE, SEND
from exchanger.profiles.data_points import field_points
from exchanger.profiles.fragments import json_string, spell_json

USERS_TRACK = "/users/track"
MAX_BYTES = 4_000_000
"""Braze takes bodies of 4 MB (braze-api.md 2.2)."""

_HEAD = b'{"attributes":['
_TAIL = b"]}"


@dataclass(frozen=True)
class Batch:
    """
    One request body.

    Args:
        first_item: Position of its first object.
        count: How many objects it holds; their positions follow each other.
        body: The JSON body, UTF-8.
    """

    first_item: int
    count: int
    body: bytes


@dataclass(frozen=True)
class Packed:
    """
    All request bodies, in order, and the positions of objects that are too large for any.

    ``batches`` and ``too_large`` together name every object once.
    """

    batches: list[Batch]
    too_large: list[int]


def objects(
    wanted: pl.DataFrame, *, identifier: str = "external_id", update_only: bool = False
) -> pl.DataFrame:
    """
    Render every changed profile as one object for ``/users/track``.

    Args:
        wanted: What ``reconcile.merge`` gave; its ``send:NAME`` columns are rendered.
        identifier: The key that names the profile.
        update_only: Ask Braze not to create profiles (``create_missing: false``).

    Returns:
        In the same order: ``@item`` (UInt32, from 0), ``@profile``, ``@endpoint``, ``@object``
        (JSON text) and ``@points`` (UInt32).
    """
    names = [column.removeprefix(SEND) for column in wanted.columns if column.startswith(SEND)]
    flag = ',"_update_existing_only":true' if update_only else ""
    members = [part for name in names for part in _member(name, wanted[f"{SEND}{name}"])]
    rendered = pl.concat_str(
        pl.lit(f"{{{spell_json(identifier)}:"),
        json_string(pl.col(PROFILE)),
        pl.lit(flag),
        *members,
        pl.lit("}"),
        ignore_nulls=True,
    )
    points = [field_points(name, pl.col(f"{SEND}{name}")) for name in names]
    return wanted.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM),
        PROFILE,
        pl.lit(USERS_TRACK).alias(ENDPOINT),
        rendered.alias(OBJECT),
        pl.sum_horizontal(pl.lit(0, pl.UInt32), *points).cast(pl.UInt32).alias(POINTS),
    )


def _member(name: str, sent: pl.Series) -> list[pl.Expr]:
    """Make the parts of one member; together they are null where the field is not sent."""
    label, value = pl.lit(f",{spell_json(name)}:"), pl.col(sent.name)
    return [label + value] if sent.has_nulls() else [label, value]


def bodies(
    objects: pl.Series, batch_size: int, *, max_bytes: int = MAX_BYTES, first_item: int = 0
) -> Packed:
    """
    Pack objects into request bodies, in order, each as full as it may be.

    Args:
        objects: JSON texts, none null.
        batch_size: Objects in one request.
        max_bytes: Bytes in one body.
        first_item: The position of the first object, where *objects* is a part of more.
    """
    sizes = objects.str.len_bytes().cast(pl.Int64).to_numpy() + 1
    room = max_bytes - len(_HEAD) - len(_TAIL) + 1
    batches = [
        Batch(first_item + start, stop - start, _body(objects[start:stop]))
        for start, stop in _cuts(sizes, batch_size, room)
    ]
    too_large = (np.flatnonzero(sizes > room) + first_item).tolist()
    return Packed(batches, too_large)


def _cuts(
    sizes: np.ndarray[tuple[int], np.dtype[np.int64]], batch_size: int, room: int
) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each batch; an object that fits nowhere lies between two."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        taken = int(ends[start - 1]) if start else 0
        fitting = int(np.searchsorted(ends, taken + room, side="right"))
        stop = min(start + batch_size, fitting)
        if stop > start:
            yield start, stop
        start = max(stop, start + 1)


def _body(objects: pl.Series) -> bytes:
    return _HEAD + ",".join(objects.to_list()).encode() + _TAIL
