"""
Items of a catalog: what of an item is sent, and how, from what is held of it (braze-api.md 16).

An item is folded and compared like a profile. What differs is what becomes of it: fields that
changed, the item as a whole, or its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import ITEMS_CHANGED, ITEMS_DELETED, ITEMS_MADE, ITEMS_REPLACED
from exchanger.config.models import ITEM_FIELD, ITEM_GONE
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    EXISTS,
    FILE,
    ITEM,
    OBJECT,
    POINTS,
    PROFILE,
    ROW,
    SEND,
    before,
    send,
    wanted,
)
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import EMPTY, json_string, spell_json
from exchanger.profiles.spelling.profile_key import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.config.models import ImportJob, ItemMode
    from exchanger.profiles.planning.part import PartInput

_ENDPOINTS = {
    "upsert": ITEMS_MADE,
    "update": ITEMS_CHANGED,
    "replace": ITEMS_REPLACED,
    "delete": ITEMS_DELETED,
}
"""By mode, where an item goes of which nobody knows whether it exists."""
_HELD = "@held:"
GONE = wanted(ITEM_GONE)
"""The column that tells of items that they are deleted."""


@dataclass(frozen=True)
class ItemShape:
    """
    What is sent of items.

    Args:
        catalog: Of this catalog.
        mode: What the job does to items.
        others: Fields that something is held of and the job does not write. They are gone where an
            item is replaced or deleted.
    """

    catalog: str
    mode: ItemMode
    others: tuple[str, ...] = ()

    def changes(self, wanted: pl.DataFrame, part: PartInput) -> pl.DataFrame:
        """Choose the items to send; those that are sent alike follow one another."""
        if self.mode == "delete":
            gone = part.held.filter(~pl.col(EXISTS).fill_null(value=True))
            there = part.folded.join(gone, on=PROFILE, how="anti", maintain_order="left")
            said = pl.lit(None, pl.String).alias(before(ITEM_GONE)), pl.lit("true").alias(GONE)
            return self._without_others(there.select(PROFILE, FILE, ROW, *said))
        if self.mode == "replace":
            return self._without_others(self._whole(wanted, part.held))
        to = pl.when(_is_there(part.held)).then(pl.lit(ITEMS_CHANGED.name))
        chosen = wanted.with_columns(
            to.otherwise(pl.lit(_ENDPOINTS[self.mode].name)).alias(ENDPOINT)
        )
        return chosen.sort(ENDPOINT, maintain_order=True)

    def objects(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Render each item: its id, and the fields that are sent of it."""
        names = [name.removeprefix(SEND) for name in wanted.columns if name.startswith(SEND)]
        members = [
            pl.lit(f",{spell_json(name.removeprefix(ITEM_FIELD))}:") + pl.col(send(name))
            for name in names
        ]
        key = json_string(value_of(pl.col(PROFILE)))
        rendered = pl.concat_str(pl.lit('{"id":'), key, *members, pl.lit("}"), ignore_nulls=True)
        own = pl.lit(_ENDPOINTS[self.mode].name)
        to = pl.col(ENDPOINT) if ENDPOINT in wanted.columns else own
        return wanted.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM),
            PROFILE,
            (to + f":{self.catalog}").alias(ENDPOINT),
            rendered.alias(OBJECT),
            pl.lit(0, pl.UInt32).alias(POINTS),
        )

    def _whole(self, changed: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
        """Fill up changes with what is held, as what is not sent of an item is gone."""
        names = [name.removeprefix(SEND) for name in changed.columns if name.startswith(SEND)]
        present = [name for name in names if name in held.columns]
        kept = held.select(PROFILE, *(_certain(name).alias(_HELD + name) for name in present))
        joined = changed.join(kept, on=PROFILE, how="left", maintain_order="left")
        whole = [
            pl.coalesce(send(name), *([_HELD + name] if name in present else [])).alias(send(name))
            for name in names
        ]
        filled = joined.with_columns(whole).drop(_HELD + name for name in present)
        return filled.with_columns(
            pl.when(pl.col(send(name)) != EMPTY).then(pl.col(send(name))).alias(send(name))
            for name in names
        )

    def _without_others(self, sent: pl.DataFrame) -> pl.DataFrame:
        """Note that nothing else is left of the items."""
        unknown = (pl.lit(None, pl.String).alias(before(name)) for name in self.others)
        return sent.with_columns(
            *unknown, *(pl.lit(EMPTY).alias(wanted(name)) for name in self.others)
        )


def shape_of_items(job: ImportJob, held: Iterable[str]) -> ItemShape:
    """
    Return what a job sends of items.

    Args:
        job: It names a catalog.
        held: The fields of which anything is held, of any item of the catalog.
    """
    whole = job.mode in ("replace", "delete")
    others = sorted({*held} - {*job.cells}) if whole else []
    return ItemShape(job.catalog or "", job.mode, tuple(others))


def _certain(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != UNCERTAIN).then(pl.col(name))


def _is_there(held: pl.DataFrame) -> pl.Expr:
    """Return of which items it is sure that they exist: also nothing of them is in doubt."""
    values = [name for name, kind in held.schema.items() if kind == pl.String and name != PROFILE]
    doubtful = pl.any_horizontal(pl.lit(value=False), *(pl.col(n) == UNCERTAIN for n in values))
    sure = held.filter(pl.col(EXISTS).fill_null(value=False) & ~doubtful.fill_null(value=False))
    return pl.col(PROFILE).is_in(sure[PROFILE].implode())
