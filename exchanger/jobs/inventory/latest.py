"""Of a job whose newest file counts alone: which that is, and what becomes of those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.notes import noted
from exchanger.state.runs.log import ClaimedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exchanger.outside.s3.bucket import ObjectInfo


def superseded(
    new: Sequence[ObjectInfo], in_order: Sequence[ObjectInfo]
) -> tuple[list[ObjectInfo], list[ObjectInfo]]:
    """
    Part new files into the newest of all, if it is one of them, and those before it.

    Args:
        new: Files that a run would take.
        in_order: All files that count, those that are known included, in the order of arrival;
            none if each counts for itself.
    """
    newest = in_order[-1:]
    if not newest:
        return [*new], []
    return [item for item in new if item in newest], [item for item in new if item not in newest]


def claims_of(older: Iterable[ObjectInfo], newest: str) -> Iterator[ClaimedFile]:
    """Iterate over claims of files that are not read, as file *newest* counts alone."""
    facts = (noted("newer_file_counts", newest=newest),)
    for file in older:
        yield ClaimedFile(file.key, file.etag, "", "superseded", facts=facts)
