"""Looks into the folders of import jobs, for whether a run would find anything new."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from exchanger.config.answers import AnswerNames
from exchanger.config.loading.shorthand import default_state_prefix
from exchanger.config.models import Connection, ImportJob
from exchanger.errors import StorageDenied
from exchanger.files.folders import reader_of
from exchanger.outside.s3.listing_diff import ListingDiff
from exchanger.service.looking.shared_listings import SharedListings

log = structlog.get_logger()

CORRECTED_APART = 55.0
"""
Seconds between two listings of a folder of corrected rows, which come from people: a minute, less
what looks that are due each minute may come early, so that none of them is passed over.
"""


@dataclass(frozen=True)
class ScanResult:
    """
    What a look showed.

    Args:
        new: Jobs with a file that was not there at the last look, or not in this version.
        first: Jobs whose folder was looked into for the first time, so that nobody can tell.
    """

    new: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()


class FolderScanner:
    """
    Looks into the folders of the import jobs of one connection. One look at a time.

    Jobs with the same folder share one listing, and so may those with folders beside each other.
    All of them are told of what is new there, not only those that asked, because it is not new a
    second time.

    Args:
        name: The connection's name.
        connection: The connection.
        jobs: Its import jobs.
        answers: Folders in which any job answers: nothing in them is new to a job.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        jobs: Mapping[str, ImportJob],
        answers: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._news = ListingDiff(connection.s3)
        state_prefix = connection.s3.state_prefix or default_state_prefix(name)
        self._readers = {
            job: reader_of(job, entry, state_prefix, answers) for job, entry in jobs.items()
        }
        self._jobs = jobs
        self._sharing: dict[str, list[str]] = {}
        for job, entry in jobs.items():
            self._sharing.setdefault(entry.source.prefix, []).append(job)
        self._listings = SharedListings(self._news, self._sharing)
        self._known_corrected: dict[str, array[int]] = {}
        self._clock = clock
        self._next_look: dict[str, float] = {}

    def look(
        self, jobs: Iterable[str], *, awaiting: Collection[str] = (), noticed: Collection[str] = ()
    ) -> ScanResult:
        """
        Look into the folders of some jobs, and into those for rows that they have rejected.

        Args:
            jobs: The jobs.
            awaiting: Jobs of which rejected rows wait to be corrected: beside the folders of others
                nothing is looked for.
            noticed: Jobs about whose corrected rows a notice came, so that these are looked for in
                any case, even if that was done a moment ago.

        Raises:
            StorageError: A folder could not be listed. What was new in the others is lost to the
                next look, so nothing may be taken for unchanged after this.
        """
        new: set[str] = set()
        prefixes = sorted({self._jobs[job].source.prefix for job in jobs})
        news = self._listings.look(prefixes)
        first = {job for prefix in news.first for job in self._sharing[prefix]}
        for prefix, keys in news.keys.items():
            new.update(
                job for job in self._sharing[prefix] if any(self._takes(job, key) for key in keys)
            )
        for prefix in prefixes:
            if self._is_time_for_corrected(prefix, awaiting, noticed):
                new.update(self._corrected(prefix))
        return ScanResult(frozenset(new), frozenset(first))

    def _is_time_for_corrected(
        self, prefix: str, awaiting: Collection[str], noticed: Collection[str]
    ) -> bool:
        """Return whether to look beside a folder now for rows that people have corrected."""
        jobs = [job for job in self._sharing[prefix] if self._readers[job].corrects]
        if any(job in noticed for job in jobs):
            return True
        now = self._clock()
        return any(job in awaiting for job in jobs) and now >= self._next_look.get(prefix, now)

    def _corrected(self, prefix: str) -> list[str]:
        """Name the jobs of a folder beside which there are new rows that they may have rejected."""
        folder = AnswerNames(prefix).corrected_rows
        self._next_look[prefix] = self._clock() + CORRECTED_APART
        try:
            # At first all that lies there is new: it may have come since a process looked there.
            known = self._known_corrected.get(folder, array("q"))
            self._known_corrected[folder], keys = self._news.since(known, folder)
        except StorageDenied as error:
            # Keys are often allowed to list no more than the folders that they are for.
            log.info("corrected.not_listed", folder=folder, error=str(error))
            return []
        readers = [self._readers[job] for job in self._sharing[prefix]]
        return [each.job for each in readers if any(map(each.takes_corrected, keys))]

    def _takes(self, job: str, key: str) -> bool:
        reader = self._readers[job]
        return reader.takes(key) or reader.is_sign(key)
