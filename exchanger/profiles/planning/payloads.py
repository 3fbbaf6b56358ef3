"""Changes become JSON objects, and objects become request bodies."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import polars as pl

from exchanger.braze.endpoints import ATTRIBUTES, Endpoint, Packing
from exchanger.braze.identifiers import CREATED_ON_DEMAND, NEVER_CREATED
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    ITEM,
    MERGED,
    OBJECT,
    POINTS,
    PROFILE,
    SEND,
)
from exchanger.profiles.planning.cohort_requests import body_of_cohort
from exchanger.profiles.planning.consent_requests import body_of_addresses, body_of_groups
from exchanger.profiles.spelling.data_points import field_points
from exchanger.profiles.spelling.json_values import spell_json
from exchanger.profiles.spelling.profile_key import are_external_ids, identifier_member, kind_of

_TAIL = b"]}"


@dataclass(frozen=True)
class Batch:
    """
    One request body.

    Args:
        first_item: Position of its first object.
        count: How many objects it holds; their positions follow each other.
        members: The objects with commas in between, UTF-8: a part of a text of all of them.
        head: What stands before them.
        packed: How they become a request.
    """

    first_item: int
    count: int
    members: memoryview
    head: bytes
    packed: Packing = "listed"

    @property
    def positions(self) -> range:
        """Where its objects are."""
        return range(self.first_item, self.first_item + self.count)

    @property
    def body(self) -> bytes:
        """The JSON body, UTF-8; put together whenever it is asked for."""
        if self.packed == "groups":
            return body_of_groups(self.members)
        if self.packed == "addresses":
            return body_of_addresses(self.members)
        if self.packed == "cohort":
            return body_of_cohort(self.members)
        return b"".join((self.head, self.members, _TAIL))


@dataclass(frozen=True)
class Packed:
    """
    All request bodies, in order, and the positions of objects that are too large for any.

    ``batches`` and ``too_large`` together name every object once.
    """

    batches: list[Batch]
    too_large: list[int]


def objects(
    wanted: pl.DataFrame, *, update_only: bool = False, plain: bool | None = None
) -> pl.DataFrame:
    """
    Render every changed profile as one object of attributes.

    Args:
        wanted: What ``reconcile.merge`` gave; its ``send:NAME`` columns are rendered.
        update_only: Ask Braze not to create profiles (``create_missing: false``).
        plain: Whether external ids name all profiles, if that is known.

    Returns:
        In the same order: ``@item`` (UInt32, from 0), ``@profile``, ``@endpoint``, ``@object``
        (JSON text) and ``@points`` (UInt32).
    """
    names = [column.removeprefix(SEND) for column in wanted.columns if column.startswith(SEND)]
    keys = wanted[PROFILE]
    plain = are_external_ids(keys) if plain is None else plain
    members = [part for name in names for part in _member(name, wanted[f"{SEND}{name}"])]
    rendered = pl.concat_str(
        pl.lit("{"),
        identifier_member(keys, plain=plain),
        *creation(update_only=update_only, plain=plain),
        *_mode(wanted),
        *members,
        pl.lit("}"),
        ignore_nulls=True,
    )
    points = [field_points(name, pl.col(f"{SEND}{name}")) for name in names]
    return wanted.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM),
        PROFILE,
        pl.lit(ATTRIBUTES.name).alias(ENDPOINT),
        rendered.alias(OBJECT),
        pl.sum_horizontal(pl.lit(0, pl.UInt32), *points).cast(pl.UInt32).alias(POINTS),
    )


def creation(*, update_only: bool, plain: bool) -> list[pl.Expr]:
    """Return whether Braze may create the profile, where it would not do so by itself (2.3)."""
    asked = ',"_update_existing_only":{}'
    only = pl.lit(asked.format("true"))
    if update_only:
        return [only]
    if plain:
        return []
    kind = kind_of(pl.col(PROFILE))
    made = pl.when(kind.is_in(CREATED_ON_DEMAND)).then(pl.lit(asked.format("false")))
    return [made.when(kind.is_in(NEVER_CREATED)).then(only)]


def _mode(wanted: pl.DataFrame) -> list[pl.Expr]:
    """Ask Braze to merge objects where they are sent in parts (2.4)."""
    if MERGED not in wanted.columns:
        return []
    return [pl.when(MERGED).then(pl.lit(',"_merge_objects":true'))]


def _member(name: str, sent: pl.Series) -> list[pl.Expr]:
    """Build the parts of one member; together they are null where the field is not sent."""
    label, value = pl.lit(f",{spell_json(name)}:"), pl.col(sent.name)
    return [label + value] if sent.has_nulls() else [label, value]


def bodies(objects: pl.Series, batch_size: int, endpoint: Endpoint = ATTRIBUTES) -> Packed:
    """
    Pack objects into request bodies, in order, each as full as it may be; none if nothing is sent.

    Args:
        objects: JSON texts, none null.
        batch_size: Objects in one request, at most as many as the endpoint takes.
        endpoint: Where they are sent.
    """
    if not endpoint.methods:
        return Packed([], [])
    # One text of all objects, a comma after each: bodies are cut out of it.
    listed = (objects + ",").to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, text = listed.buffers()
    bounds = memoryview(offsets).cast("q")[listed.offset :][: len(objects) + 1].tolist()
    members = memoryview(text)
    batches, too_large = [], []
    head = f'{{"{endpoint.array}":['.encode()
    most = endpoint.most(batch_size)
    room = endpoint.size - len(head) - len(_TAIL) + 1
    start = 0
    while start < len(objects):
        fitting = bisect_right(bounds, bounds[start] + room) - 1
        stop = min(start + most, fitting)
        if stop > start:
            part = members[bounds[start] : bounds[stop] - 1]
            batches.append(Batch(start, stop - start, part, head, endpoint.packed))
        else:
            too_large.append(start)
        start = max(stop, start + 1)
    return Packed(batches, too_large)
