"""Which files of a run have been taken, and where each of them belongs from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchanger.config.taken import taken_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.state.runs.log import ClaimedFile, RunDocument


class TakenFile(NamedTuple):
    """A file that was taken: its place among those of its run, its version, and where it goes."""

    position: int
    key: str
    etag: str
    target: str


def is_to_be_put_away(run: RunDocument) -> bool:
    """Return whether a run is settled, and its files still lie as they were dropped."""
    return bool(run.after) and not run.put_away and run.state == "settled"


def taken_files(run: RunDocument) -> Iterator[TakenFile]:
    """Iterate over the files that a settled run has taken, and that lie as they were dropped."""
    after = run.after
    for position, file in enumerate(run.files):
        was_dropped = file.key.startswith(after["prefix"]) and not file.moved_to
        if was_dropped and _was_taken(file):
            target = taken_name(
                file.key,
                after["prefix"],
                run.run_id,
                move_to=after["move_to"],
                suffix=after["suffix"],
            )
            yield TakenFile(position, file.key, file.etag, target)


def _was_taken(file: ClaimedFile) -> bool:
    """
    Return whether a run has taken a file as a whole.

    Of one whose rows were all rejected nothing was: it is corrected where it lies.
    """
    return file.outcome == "applied" and not 0 < file.rows <= file.rejected
