"""
Items of a catalog: what of an item is sent, and how, from what is held of it (braze-api.md 16).

An item is folded and compared like a profile. What differs is what becomes of it: fields that
changed, the item as a whole, or its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
from exchanger.profiles.spelling.profile_key import catalog_of, value_of

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
        mode: What the job does to items.
        others: Fields that the job does not write, by catalogs in which something is held of them.
            They are gone where an item is replaced or deleted.
    """

    mode: ItemMode
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def changes(self, wanted: pl.DataFrame, part: PartInput) -> pl.DataFrame:
        """Choose the items to send; those that are sent alike follow one another."""
        to = pl.lit(_ENDPOINTS[self.mode].name)
        if self.mode == "delete":
            gone = part.held.filter(~pl.col(EXISTS).fill_null(value=True))
            there = part.folded.join(gone, on=PROFILE, how="anti", maintain_order="left")
            said = pl.lit(None, pl.String).alias(before(ITEM_GONE)), pl.lit("true").alias(GONE)
            wanted = self._without_others(there.select(PROFILE, FILE, ROW, *said))
        elif self.mode == "replace":
            wanted = self._without_others(self._whole(wanted, part.held))
        else:
            to = pl.when(_is_there(part.held)).then(pl.lit(ITEMS_CHANGED.name)).otherwise(to)
        address = pl.concat_str(to, pl.lit(":"), catalog_of(pl.col(PROFILE)))
        return wanted.with_columns(address.alias(ENDPOINT)).sort(ENDPOINT, maintain_order=True)

    def objects(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Render each item: its id, and the fields that are sent of it."""
        names = [name.removeprefix(SEND) for name in wanted.columns if name.startswith(SEND)]
        members = [
            pl.lit(f",{spell_json(name.removeprefix(ITEM_FIELD))}:") + pl.col(send(name))
            for name in names
        ]
        key = json_string(value_of(pl.col(PROFILE)))
        rendered = pl.concat_str(pl.lit('{"id":'), key, *members, pl.lit("}"), ignore_nulls=True)
        return wanted.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM),
            PROFILE,
            ENDPOINT,
            rendered.alias(OBJECT),
            pl.lit(0, pl.UInt32).alias(POINTS),
        )

    def _whole(self, changed: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
        """Fill up changes with what is held, as what is not sent of an item is gone."""
        names = [name.removeprefix(SEND) for name in changed.columns if name.startswith(SEND)]
        present = [name for name in names if name in held.columns]
        certain = (pl.when(pl.col(name) != UNCERTAIN).then(pl.col(name)) for name in present)
        kept = held.select(PROFILE, *certain).rename({name: _HELD + name for name in present})
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
        catalog = catalog_of(pl.col(PROFILE))
        return sent.with_columns(
            *unknown,
            *(
                pl.when(catalog.is_in(catalogs)).then(pl.lit(EMPTY)).alias(wanted(name))
                for name, catalogs in self.others.items()
            ),
        )


def shape_of_items(job: ImportJob, others: Mapping[str, Iterable[str]]) -> ItemShape:
    """
    Return what a job sends of items.

    Args:
        job: Its mode.
        others: By catalog, the fields of which anything is held, of any item, and which the job
            does not write.
    """
    catalogs: dict[str, tuple[str, ...]] = {}
    if job.mode in ("replace", "delete"):
        for catalog, names in others.items():
            for name in names:
                catalogs[name] = (*catalogs.get(name, ()), catalog)
    return ItemShape(job.mode, catalogs)


def _is_there(held: pl.DataFrame) -> pl.Expr:
    """Return of which items it is sure that they exist: also nothing of them is in doubt."""
    values = [name for name, kind in held.schema.items() if kind == pl.String and name != PROFILE]
    doubtful = pl.any_horizontal(pl.lit(value=False), *(pl.col(n) == UNCERTAIN for n in values))
    sure = held.filter(pl.col(EXISTS).fill_null(value=False) & ~doubtful.fill_null(value=False))
    return pl.col(PROFILE).is_in(sure[PROFILE].implode())
