"""Copies of files that wait in a run which is held back: how long each of them is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from exchanger.errors import StorageMissing

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket, ObjectInfo
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState


def kept_copies(bucket: Bucket, state: ConnectionState) -> Iterator[tuple[int, list[ObjectInfo]]]:
    """List the copies that there are, run by run: few, as they go once it is decided."""

    def seq_of(item: ObjectInfo) -> int:
        return state.names.seq_of_kept_file(item.key) or 0

    for seq, items in groupby(bucket.list(state.names.kept_files), seq_of):
        if seq:
            yield seq, list(items)


def copies_of_decided_runs(
    bucket: Bucket, state: ConnectionState, ended: int, is_released: Callable[[int], bool]
) -> Iterator[str]:
    """
    Name the copies that nobody will read any more.

    Args:
        bucket: Where they are.
        state: What the bucket remembers.
        ended: All runs up to this number have ended.
        is_released: Tells whether what a run has put aside will never be given again: until then
            its rows are read from the copies.
    """
    for seq, items in kept_copies(bucket, state):
        if seq > ended:
            continue
        try:
            run = state.runs.read(seq).document
        except StorageMissing:
            continue
        named = {file.kept for file in run.files} if run.hold else set()
        decided = _is_decided(run, ended, is_released)
        yield from (item.key for item in items if decided or item.key not in named)


def _is_decided(run: RunDocument, ended: int, is_released: Callable[[int], bool]) -> bool:
    if run.state == "discarded":
        return True
    return 0 < run.continued_by <= ended and is_released(run.continued_by)
