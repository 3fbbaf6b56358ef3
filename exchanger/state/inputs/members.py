"""
Whom each job has by its snapshots: keys of profiles, written whole by each run that read one.

A run writes them beside its plan, under a name of its own, and they count once it is settled: so
whom a job has changes with the run that says so, or not at all. Runs that give rows of the snapshot
again add theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchanger.errors import StorageMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames
    from exchanger.state.runs.log import RunDocument, RunLog

_MORE = "-more.parquet"
_LEFT = "-left.parquet"


@dataclass(frozen=True)
class KnownMembers:
    """
    Whom a job has.

    Args:
        run: The run whose snapshot says so.
        keys: The objects that name them, ``@profile`` each; one person may be in several.
        count: About how many there are.
        left_kept: Whether those are named, too, who left with that snapshot.
    """

    run: RunDocument
    keys: tuple[str, ...]
    count: int
    left_kept: bool


class Members:
    """
    The members of all jobs of one connection.

    Args:
        bucket: Where they are.
        names: How they are named.
        runs: Say which of them count.
    """

    def __init__(self, bucket: Bucket, names: StateNames, runs: RunLog) -> None:
        self._bucket = bucket
        self._names = names
        self._runs = runs

    def of(self, job: str) -> KnownMembers | None:
        """Find whom a job has; None if nobody knows: it has read no snapshot, or that was lost."""
        more: list[RunDocument] = []
        there = [item.key for item in self._bucket.list(self._names.members_of(job))]
        for key in reversed(there):
            run = None if key.endswith(_LEFT) else self._settled(key)
            if run is None:
                continue
            if not key.endswith(_MORE):
                told = [run, *more]
                count = sum(each.member_count for each in told)
                keys = tuple(each.members for each in told)
                return KnownMembers(run, keys, count, left_kept=run.left in there)
            more.append(run)
        return None

    def outdated(self) -> Iterator[str]:
        """Name the objects that say nothing of whom any job has now, and did before."""
        folders: dict[str, list[str]] = {}
        for item in self._bucket.list(self._names.all_members):
            folders.setdefault(item.key.rpartition("/")[0], []).append(item.key)
        for keys in folders.values():
            newest = next((key for key in reversed(keys) if self._is_whole(key)), "")
            first = newest.rpartition("/")[2].partition("-")[0]
            yield from (key for key in keys if key.rpartition("/")[2].partition("-")[0] < first)

    def _is_whole(self, key: str) -> bool:
        return not key.endswith((_MORE, _LEFT)) and self._settled(key) is not None

    def _settled(self, key: str) -> RunDocument | None:
        """Read the run that wrote an object, if it is settled; a plan that lost has none."""
        seq = int(key.rpartition("/")[2].partition("-")[0])
        try:
            run = self._runs.read(seq).document
        except StorageMissing:
            return None
        return run if run.state == "settled" and run.members == key else None
