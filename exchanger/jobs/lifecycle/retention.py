"""
What goes from the bucket once it has been kept for long enough: ``retention`` of a connection.

Nothing goes that something still reads. A retry looks at what all runs after its own have changed,
so changes stay while an earlier run has rows that may be given again. They go by the month. What a
run planned and was answered says what it changed, so that is recorded before either goes.
Only ended runs are looked at, in the order of their numbers, and how far it came is remembered: a
run costs the same however many there were before it. Ages are told by S3's clock alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import StateMissing, StorageError
from exchanger.jobs.answers.write import answers_of
from exchanger.jobs.history.changed_rows import RUNS_AT_ONCE, record_changes
from exchanger.jobs.lifecycle.kept_copies import copies_of_decided_runs, kept_copies
from exchanger.jobs.quarantine.refused import UNCERTAIN_ROW
from exchanger.jobs.runtime.artifacts import load
from exchanger.state.changes import month_of, months_between
from exchanger.state.runs.log import ENDED, RunDocument

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState
    from exchanger.state.swept import Marks

log = structlog.get_logger()

UPLOAD_AGE = timedelta(days=1)
"""An upload in parts that was begun longer ago than any process sends one."""


def sweep(context: JobContext, state: ConnectionState, go_on: Callable[[], None]) -> None:
    """
    Remove what has been kept for long enough, unless that was done a short while ago.

    Safe to stop anywhere: what was removed is removed again, or remembered as gone.

    Args:
        context: The connection; its lease is ours.
        state: What the bucket remembers of it.
        go_on: Asked before every step; what it raises ends the sweep.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    age = state.swept.age()
    if age is not None and age < context.sweep_every:
        return
    newest = state.runs.newest()
    if newest is None:
        return
    ended = newest.document.seq - (newest.document.state not in ENDED)
    _Sweep(context, state, go_on, ended).all_kinds()


@dataclass(frozen=True)
class _Sweep:
    """One sweep of all that belongs to runs up to number *ended*, all of which have ended."""

    context: JobContext
    state: ConnectionState
    go_on: Callable[[], None]
    ended: int

    def all_kinds(self) -> None:
        """Sweep each kind, the ones first on which others depend."""
        keep = self.context.retention
        before = marks = self.state.swept.load()
        marks = replace(marks, quarantine=self._quarantine(marks.quarantine))
        marks = replace(
            marks,
            contributions=self._walk(
                marks.contributions,
                min(marks.quarantine, self._awaited() - 1),
                keep.contributions,
                self._contributions,
            ),
        )
        recorded = record_changes(self.context, self.state, self.go_on, self.ended)
        marks = replace(marks, recorded=recorded)
        # A retry of the first run that still has a quarantine reads what came after that run.
        marks = replace(marks, changes=self._changes(marks.changes, marks.quarantine + 1))
        last = marks.recorded
        outbox = self._walk(marks.outbox, last, keep.outbox, lambda seq: self._outbox(seq, marks))
        acks = self._walk(marks.acknowledgements, last, keep.acknowledgements, self._answers)
        marks = replace(marks, outbox=outbox, acknowledgements=acks)
        answers = self._walk(marks.answers, self.ended, keep.quarantine, self._told)
        marks = replace(marks, answers=answers)
        if marks.outbox > before.outbox:
            self.state.first_deliveries.drop(marks.outbox)
        self.go_on()
        self.context.bucket.delete(self._copies())
        self.go_on()
        self.context.bucket.delete([*self.state.members.outdated()])
        self.state.swept.save(marks)
        self._uploads()
        if marks != before:
            log.info("state.swept", outbox=marks.outbox, quarantine=marks.quarantine)

    def _walk(
        self, mark: int, last: int, kept: timedelta, keys: Callable[[int], Iterable[str]]
    ) -> int:
        """Remove what *keys* names of each run that is old enough; tell the last of them."""
        seconds = kept.total_seconds()
        old = self.state.runs.older_than(seconds, mark, min(last, self.ended))
        for seq in islice(old, RUNS_AT_ONCE):
            self.go_on()
            self.context.bucket.delete(keys(seq))
            mark = seq
        return mark

    def _quarantine(self, mark: int) -> int:
        """Go on for as long as runs have nothing, or nothing any more, that may be given again."""
        for seq in range(mark + 1, min(self.ended, mark + RUNS_AT_ONCE) + 1):
            self.go_on()
            run = self.state.runs.read(seq).document
            if not self._is_over(run):
                break
            self.context.bucket.delete(self._put_aside(run))
            mark = seq
        return mark

    def _is_released(self, seq: int) -> bool:
        return seq <= self.ended and self._is_over(self.state.runs.read(seq).document)

    def _is_over(self, run: RunDocument) -> bool:
        """
        Return whether no retry will ever read what a run, or what took it up, has put aside.

        Rows that are given again once more still count from the run that read them first.
        """
        if not has_quarantine(run) and not run.dropped:
            return True
        if self.state.runs.age(run.seq) < self.context.retention.quarantine.total_seconds():
            return False
        return not run.continued_by or self._is_released(run.continued_by)

    def _put_aside(self, run: RunDocument) -> Iterator[str]:
        yield from filter(None, map(run.report.get, ("quarantine", "warnings")))
        if run.rejected:
            yield run.rejected
        if run.refused_rows and not self._is_doubtful(run):
            yield run.refused_rows

    def _is_doubtful(self, run: RunDocument) -> bool:
        """
        Return whether a refused object of a run may have taken effect all the same.

        Who approves a new version of its file must learn of that for as long as of what it gave.
        """
        try:
            return bool(load(self.context, run.refused_rows)[UNCERTAIN_ROW].any())
        except StateMissing:
            return False

    def _awaited(self) -> int:
        """Name the first run whose contributions a file may take back that waits for a person."""
        applied = self.state.file_ledger.snapshot()
        needed = [self.ended + 1]
        for seq, _ in kept_copies(self.context.bucket, self.state):
            run = self.state.runs.read(seq).document if seq <= self.ended else None
            if run is not None and run.state == "held_back" and not run.continued_by:
                given = chain.from_iterable(
                    applied.given_under(file.key, name, file.sha256) or []
                    for file in run.files
                    for name in file.sums
                )
                needed += [seq for seq, _ in given]
        return min(needed)

    def _contributions(self, seq: int) -> Iterator[str]:
        run = self.state.runs.read(seq).document
        yield from filter(None, (run.settled_contributions, run.refused_rows))

    def _changes(self, mark: int, last: int) -> int:
        """
        Remove the changes of whole months that ended before the first run that still counts.

        Returns:
            A run before whose month all are gone.
        """
        seconds = self.context.retention.changes.total_seconds()
        old = self.state.runs.older_than(seconds, mark, min(last, self.ended))
        *_, seq = (mark, *islice(old, RUNS_AT_ONCE))
        if seq > mark:
            for month in months_between(self._month(max(mark, 1)), self._month(seq)):
                self.go_on()
                self.context.bucket.delete(self.state.changes.objects(month))
        return seq

    def _month(self, seq: int) -> str:
        run = self.state.runs.read(seq).document
        return month_of(datetime.fromisoformat(run.acked_at or run.created_at))

    def _outbox(self, seq: int, marks: Marks) -> Iterator[str]:
        """Name all that was planned under a number, also by who lost it to another process."""
        kept = self.state.runs.read(seq).document.rejected if seq > marks.quarantine else ""
        for item in self.context.bucket.list(self.state.names.outboxes(seq)):
            if item.key != kept:
                yield item.key

    def _answers(self, seq: int) -> Iterator[str]:
        for folder in (self.state.names.acks(seq), self.state.names.begun_folder(seq)):
            for item in self.context.bucket.list(folder):
                yield item.key

    def _told(self, seq: int) -> Iterable[str]:
        return answers_of(self.context, self.state, self.state.runs.read(seq).document)

    def _copies(self) -> Iterator[str]:
        return copies_of_decided_runs(
            self.context.bucket, self.state, self.ended, self._is_released
        )

    def _uploads(self) -> None:
        """Abort uploads of killed processes: a right that not everybody has, so it comes last."""
        try:
            self.context.bucket.abort_uploads(self.state.names.prefix, UPLOAD_AGE)
        except StorageError as error:
            log.info("uploads.not_swept", error=str(error))


def has_quarantine(run: RunDocument) -> bool:
    """Return whether a run has put rows aside, whether or not they are still kept."""
    return bool(run.rejected or run.refused_rows or run.report.get("quarantine"))
