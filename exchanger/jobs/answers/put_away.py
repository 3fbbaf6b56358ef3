"""
Moves, renames and tags files that a run has taken: the last thing of all, which may be repeated.

The run itself is over and counts. So a file that stays where it is, as S3 does not allow more, is
noted, and fails nothing.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import structlog

from exchanger.errors import LeaseLost, Stopped, StorageChanged, StorageDenied, StorageError
from exchanger.files.scratch.prefetch import prefetch_several
from exchanger.jobs.answers.taken_files import is_to_be_put_away, taken_files
from exchanger.notes import Note, noted, with_notes
from exchanger.outside.s3.mover import NOT_SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from exchanger.jobs.answers.taken_files import TakenFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.mover import Became, Mover
    from exchanger.state.runs.log import VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

_THREADS = 16
"""Files that are moved at once."""
What = Literal["move", "tag"]


def put_away(
    context: JobContext, state: ConnectionState, stored: VersionedRun, *, again: bool = False
) -> list[Note]:
    """
    Move, rename and tag the files that a run has taken, unless that is done; may be done again.

    Args:
        context: The outside; its lease is ours.
        state: Where the run is.
        stored: The run.
        again: Whether an earlier process has tried: what S3 does not answer is given up by now,
            so that no object keeps what was done with the others from being remembered.

    Returns:
        What is noted of it: nothing, if all was done.
    """
    run = stored.document
    if not is_to_be_put_away(run):
        return []
    work = _Work(context, context.bucket.mover(), run.after["tag"], again=again)
    files = list(run.files)
    try:
        for done in work.done(taken_files(run)):
            context.go_on()
            if done.became == "moved":
                place = done.file.position
                files[place] = replace(files[place], kept=done.file.target)
        notes = [*work.notes(run.after)]
        report = with_notes(run.report, notes)
        if notes:
            # Of several reports of one run the one counts that ended last.
            report["finished_at"] = context.clock.now().isoformat()
            state.run_index.amend(report)
        state.runs.change(stored, files=tuple(files), put_away=True, report=report)
    except (LeaseLost, Stopped, StorageError) as error:
        # Whoever goes on here finds that it is still to be done.
        log.info("files.not_put_away", reason=type(error).__name__, error=str(error))
        if isinstance(error, StorageChanged):
            state.tenure.forget()
        return []
    return notes


def put_away_newest(context: JobContext, state: ConnectionState) -> None:
    """Put away the files of the newest run, if a process that ended it did not come to it."""
    newest = state.runs.newest()
    if newest is not None:
        put_away(context, state, newest, again=True)


class _Done(NamedTuple):
    """What became of a file, and what was not done with it that should have been."""

    file: TakenFile
    became: Became | None
    undone: frozenset[What]


@dataclass
class _Work:
    """
    What is done with files, and what turns out not to be possible.

    Args:
        context: The outside.
        mover: Moves and tags objects.
        tags: That they get.
        again: Whether an earlier process has tried.
        impossible: What is tried no more, as it works for none.
        failed: What did not work, with the first such error, or the one that tells why of all.
        left: For how many files.
    """

    context: JobContext
    mover: Mover
    tags: Mapping[str, str]
    again: bool = False
    impossible: set[What] = field(default_factory=set)
    failed: dict[What, StorageError] = field(default_factory=dict)
    left: Counter[What] = field(default_factory=Counter)

    def done(self, files: Iterable[TakenFile]) -> Iterator[_Done]:
        """Do with each file what can be done: with the first alone, as it shows what works."""
        rest = iter(files)
        first = map(self._one, islice(rest, 1))
        several = prefetch_several(
            self._one, rest, lambda _: 1, threads=_THREADS, room=2 * _THREADS
        )
        with closing(several) as others:
            for done in chain(first, others):
                self.left.update(done.undone)
                yield done

    def notes(self, after: Mapping[str, Any]) -> Iterator[Note]:
        """Note what could not be done, once each."""
        for what, error in self.failed.items():
            denied = isinstance(error, StorageDenied)
            yield noted(
                "not_put_away",
                what="tag" if what == "tag" else "move" if after["move_to"] else "rename",
                files=self.left[what],
                file=error.key,
                why="denied" if denied else "unknown" if _is_unknown(error) else "failed",
                action=error.action,
                error=error.detail,
            )

    def _one(self, file: TakenFile) -> _Done:
        wanted: frozenset[What] = frozenset()
        wanted |= {"move"} if file.target else set()
        wanted |= {"tag"} if self.tags else set()
        undone: set[What] = set()
        while True:
            left = wanted - undone - self.impossible
            try:
                self.context.may_send()
                return _Done(file, self._try(file, left), wanted - left)
            except StorageError as error:
                if error.retryable and not self.again:
                    raise
                undone.add(self._fail(error))

    def _try(self, file: TakenFile, wanted: frozenset[What]) -> Became | None:
        tags = self.tags if "tag" in wanted else {}
        if "move" in wanted:
            return self.mover.move(file.key, file.etag, file.target, tags)
        return self.mover.tag(file.key, file.etag, tags) if tags else None

    def _fail(self, error: StorageError) -> What:
        """Keep what did not work: of all files, if it works for none."""
        what: What = "tag" if error.action == "tag" else "move"
        if isinstance(error, StorageDenied) or _is_unknown(error) or error.retryable:
            if what not in self.impossible:
                self.failed[what] = error
            self.impossible.add(what)
        self.failed.setdefault(what, error)
        return what


def _is_unknown(error: StorageError) -> bool:
    """Return whether the store does not know what was asked of it."""
    return error.code in NOT_SUPPORTED
