"""
Lists the folders of jobs, those below one parent together where that takes fewer requests.

A listing is told apart by folder afterwards: what is remembered of a folder may have come from a
listing of its own or from one of a parent, and serves either way, as the entry of an object is the
same in both.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from os.path import commonprefix
from typing import Protocol

import structlog

from exchanger.config.patterns import nested
from exchanger.errors import StorageError

log = structlog.get_logger()

TRUSTED = 1_000
"""Looks for which is believed that a parent has too much in it, or may not be listed."""


class Lister(Protocol):
    """Lists what is new below a prefix, as ``ListingDiff`` does."""

    def since(self, known: array[int] | None, prefix: str) -> tuple[array[int], list[str]]:
        """Return what is there, and the keys of what was not known."""

    def since_within(
        self, pages: int, known: array[int] | None, prefix: str
    ) -> tuple[array[int], list[str], int] | None:
        """Return that and the requests that it took; None if these are too many."""


@dataclass(frozen=True)
class FolderNews:
    """
    What the listings of a look showed.

    Args:
        keys: New objects by folder. Of none that was looked into for the first time.
        first: Folders that were looked into for the first time.
    """

    keys: dict[str, list[str]] = field(default_factory=dict)
    first: set[str] = field(default_factory=set)


class SharedListings:
    """
    The listings of the folders of one bucket.

    A parent is listed in place of the folders that are asked for below it if that takes at most
    half as many requests as there are of these: listed each, they take one at least. What lies in a
    parent is found out by listing it up to there, and remembered. The bucket as a whole is no
    parent; and a folder with another one in it, or in another one, is listed by itself.

    Args:
        news: Lists.
        folders: All that may be asked for.
    """

    def __init__(self, news: Lister, folders: Collection[str]) -> None:
        self._news = news
        self._known: dict[str, array[int]] = {}
        ordered = sorted(folders)
        within = [pair for pair in pairwise(ordered) if nested(*pair)]
        self._apart = {folder for folder in ordered if any(folder.startswith(o) for o, _ in within)}
        self._joined = [folder for folder in ordered if folder not in self._apart]
        self._looks = 0
        self._pages: dict[str, tuple[float, int]] = {}

    def look(self, folders: Iterable[str]) -> FolderNews:
        """
        List some folders once more, and others with them if that costs nothing.

        Raises:
            StorageError: A folder could not be listed.
        """
        self._looks += 1
        asked = {*folders}
        found = FolderNews()
        for folder in sorted(asked & self._apart):
            self._list(folder, found)
        self._list_below(sorted(asked - self._apart), found)
        return found

    def _list_below(self, folders: list[str], found: FolderNews) -> None:
        """List folders that have a parent in common, together or in smaller groups."""
        if len(folders) < 2:
            for folder in folders:
                self._list(folder, found)
            return
        parent, refused = _parent_of(folders), None
        try:
            if self._list_together(parent, len(folders) // 2, found):
                return
        except StorageError as error:
            refused = error
        for _, group in groupby(folders, lambda folder: _branch(folder, parent)):
            self._list_below([*group], found)
        if refused is not None:
            # If S3 were out of reach, or denied all, the folders could not have been listed either.
            self._leave_out(parent, refused)

    def _list_together(self, parent: str, most: int, found: FolderNews) -> bool:
        """List all folders below a parent with at most so many requests; False if it takes more."""
        pages, since = self._pages.get(parent, (0, self._looks))
        if not parent or (pages > most and self._looks - since < TRUSTED):
            return False
        folders = [folder for folder in self._joined if folder.startswith(parent)]
        listed = self._news.since_within(most, self._known_of(folders), parent)
        if listed is None:
            self._pages[parent] = most + 1, self._looks
            return False
        met, keys, pages = listed
        self._pages[parent] = pages, self._looks
        for folder in folders:
            self._take(folder, met, [key for key in keys if key.startswith(folder)], found)
        return True

    def _list(self, folder: str, found: FolderNews) -> None:
        met, keys = self._news.since(self._known.get(folder), folder)
        self._take(folder, met, keys, found)

    def _take(self, folder: str, met: array[int], keys: list[str], found: FolderNews) -> None:
        if folder not in self._known:
            found.first.add(folder)
        elif keys:
            found.keys[folder] = keys
        self._known[folder] = met

    def _known_of(self, folders: Collection[str]) -> array[int] | None:
        """Return what is known of some folders; None if none of them was ever looked into."""
        listings = {
            id(self._known[each]): self._known[each] for each in self._known.keys() & folders
        }
        if not listings:
            return None
        # What was gone for a while and is back as the very same version, as where the mark of its
        # deletion was taken away, counts as known: no otherwise than between two looks.
        known = array("q")
        for listing in listings.values():
            known.extend(listing)
        return known

    def _leave_out(self, parent: str, error: StorageError) -> None:
        """Remember that a parent cannot be listed, and tell it the first time."""
        if self._pages.get(parent, (0, 0))[0] != math.inf:
            log.info("parent.not_listed", folder=parent, error=str(error))
        self._pages[parent] = math.inf, self._looks


def _parent_of(folders: list[str]) -> str:
    """Return the folder that all of some folders lie in; empty for the bucket itself."""
    above, slash, _ = commonprefix(folders).rpartition("/")  # noqa: RUF071 - keys are no paths
    return above + slash


def _branch(folder: str, parent: str) -> str:
    """Return the part of a folder's name that leads from a parent to it, one step."""
    step, slash, _ = folder[len(parent) :].partition("/")
    return step + slash
