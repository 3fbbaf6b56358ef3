"""What is held of the items of several catalogs, each of which has a table of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import PROFILE, STAMP
from exchanger.profiles.spelling.profile_key import catalog_of
from exchanger.state.held.reading import nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from exchanger.state.held.table import HeldValues


class HeldItems:
    """
    The held values of items, by the catalog that their keys name.

    Args:
        opened: Opens what is held of a catalog.
        catalogs: Those that *deliver_all* and *maintain* are about.
    """

    def __init__(self, opened: Callable[[str], HeldValues], catalogs: Sequence[str] = ()) -> None:
        self._opened = opened
        self._catalogs = catalogs

    def of(
        self,
        profiles: pl.Series,
        fields: Sequence[str],
        *,
        since: datetime | None = None,
        fresh: Collection[str] = (),
        sent: Collection[str] = (),
    ) -> pl.DataFrame:
        """Read what is held for some items, as ``HeldValues.of`` does."""
        found = [nothing(fields, sent).drop(STAMP)]
        for catalog, items in _parted(profiles.to_frame(PROFILE)):
            held = self._opened(catalog)
            found.append(held.of(items[PROFILE], fields, since=since, fresh=fresh, sent=sent))
        return pl.concat(found)

    def observe(self, rows: pl.DataFrame, *, stamp: int, at: datetime) -> None:
        """Record what Braze was seen to have, as ``HeldValues.observe`` does."""
        for catalog, items in _parted(rows):
            self._opened(catalog).observe(items, stamp=stamp, at=at)

    def deliver_all(
        self, made: Callable[[], Iterator[pl.DataFrame]], *, seq: int, at: datetime
    ) -> None:
        """Record of each catalog what Braze acknowledged, as ``HeldValues.deliver_all`` does."""
        for catalog in self._catalogs:
            self._opened(catalog).deliver_all(partial(_of, catalog, made), seq=seq, at=at)

    def maintain(self, go_on: Callable[[], None]) -> None:
        """Fold the tables that are worth it, as ``HeldValues.maintain`` does."""
        for catalog in self._catalogs:
            self._opened(catalog).maintain(go_on)


def _parted(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of each catalog."""
    for (catalog,), items in rows.group_by(catalog_of(pl.col(PROFILE)), maintain_order=True):
        yield str(catalog), items


def _of(catalog: str, made: Callable[[], Iterator[pl.DataFrame]]) -> Iterator[pl.DataFrame]:
    """Yield of frames what is of one catalog."""
    for frame in made():
        yield frame.filter(catalog_of(pl.col(PROFILE)) == catalog)
