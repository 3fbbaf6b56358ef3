"""
Who came and who left between two snapshots of a job, part by part of the run that reads the second.

Compared is with whom this job itself had by then, never with the workspace. Whoever is named in a
snapshot is there, also by a row that is rejected. Members are those of whom a row was taken: now,
or before if they are still named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.errors import StateMissing
from exchanger.files.scratch.frame_file import FrameFile, FrameWriter
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.jobs.snapshots.removal import note_on_removal, points_of_removal, removal_of
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.spelling.same_person import linked

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import ClaimedFile

NOBODY = pl.DataFrame(schema={PROFILE: pl.String()})


class Compared(NamedTuple):
    """Keys of some profiles, each once: new in the snapshot, there as before, and missing."""

    entered: pl.Series
    stayed: pl.Series
    left: pl.Series


@dataclass(frozen=True)
class PlannedMembers:
    """
    Whom a job will have, once its run is settled. Both frames are on this machine.

    Args:
        members: Their keys; where rows were given again, of those whom it has by that.
        whole: Whether that is everybody.
        left: The keys of those whom it had before, and has no more; None if that is not told.
        points: What that costs at most which becomes of these, in data points.
    """

    members: FrameFile
    whole: bool
    left: FrameFile | None
    points: int = 0

    def remove(self) -> None:
        """Remove the frames from this machine."""
        for frames in (self.members, self.left):
            if frames is not None:
                frames.remove()


class Comparison:
    """
    A snapshot beside the one before.

    Args:
        call: The job.
        batch: What was read, before any of its rows was left out, with the keys of its people.
        links: To whom keys belong by now, as far as that is known: as ``same_person.linked`` takes
            it.
    """

    def __init__(
        self,
        call: ImportContext,
        batch: InputBatch,
        links: Callable[[pl.Series], pl.DataFrame],
    ) -> None:
        self.is_whole = any(map(_says_all, batch.files))
        """Whether a snapshot is read; else rows of one are given again, and nobody leaves."""
        self.known = False
        """Whether anybody knows whom the job had before; else this is where it begins."""
        self.leavers = self.before = 0
        self._removal = removal_of(call.job)
        self._points = points_of_removal(self._removal, batch.rules)
        self._nameless = batch.nameless
        self._notes: list[Note] = []
        self._present = _parted(batch)
        self._before = _parted(batch)
        paths = (batch.scratch.path() for _ in range(2))
        self._members, self._left = (FrameWriter(path) for path in paths)
        for writer in (self._members, self._left):
            writer.append(NOBODY)
        if self.is_whole:
            for rows in (batch.given, batch.mentioned):
                for frame in rows.frames():
                    self._present.add(frame.select(PROFILE).unique())
            self._load(call)
            if self.known:
                self._resolve(links)

    def part(self, number: int) -> Compared:
        """Compare the people of one part of the run."""
        present, before = _keys(self._present, number), _keys(self._before, number)
        were = pl.col(PROFILE).is_in(before.implode())
        there = present.to_frame()
        left = before.to_frame().filter(~pl.col(PROFILE).is_in(present.implode()))
        return Compared(
            entered=there.filter(~were).to_series(),
            stayed=there.filter(were).to_series(),
            left=left.to_series(),
        )

    def add(self, number: int, taken: pl.Series) -> None:
        """
        Take what became of a part.

        Args:
            number: The part.
            taken: The keys of profiles of which a row was taken.
        """
        _, stayed, left = self.part(number)
        self.before += stayed.len() + left.len()
        if self._may_be_there:
            stayed, left = pl.concat([stayed, left]), left.clear()
        self.leavers += left.len()
        self._members.append(pl.concat([stayed, taken]).unique().to_frame(PROFILE))
        self._left.append(left.to_frame(PROFILE))

    @property
    def notes(self) -> list[Note]:
        """What is to be noted of it, once all parts were added."""
        notes = [*self._notes]
        if self.leavers:
            notes.append(noted("leavers", leavers=self.leavers, of=self.before))
        if self.known and self._may_be_there:
            notes.append(noted("leavers_wait", rows=self._nameless))
        return notes + note_on_removal(self._removal, self.leavers)

    def finished(self) -> PlannedMembers:
        """Return whom the job will have, once all parts were added."""
        left = self._left.close()
        return PlannedMembers(
            self._members.close(),
            self.is_whole,
            left if self.known else None,
            self.leavers * self._points,
        )

    @property
    def _may_be_there(self) -> bool:
        """Whether any row may name somebody who seems to be missing, and would be deleted."""
        return self._removal == "delete" and self._nameless > 0

    def stop(self) -> None:
        """Leave nothing open."""
        for writer in (self._members, self._left):
            writer.stop()

    def _load(self, call: ImportContext) -> None:
        """Read whom the job had before; whoever was forgotten since is not among them."""
        known = call.state.members.of(call.name)
        if known is None:
            began = call.state.file_ledger.snapshot().last_applied(call.name) is None
            self._notes.append(noted("members_begin") if began else noted("members_unknown"))
            return
        try:
            for key in known.keys:
                with fetched(call.context, key) as frames:
                    for frame in frames.frames([PROFILE]):
                        self._before.add(frame)
        except StateMissing:
            for number in range(len(self._before)):
                self._before.clear(number)
            self._notes.append(noted("members_unknown"))
            return
        self.known = True

    def _resolve(self, links: Callable[[pl.Series], pl.DataFrame]) -> None:
        """Let keys of who seems to be missing mean who has them by now, as those of rows do."""
        parts = range(len(self._before))
        for rows in (self._present, self._before):
            found = [links(self._missing(number, of=rows)) for number in parts]
            named = pl.concat(found).unique(PROFILE)
            if named.height:
                rows.rename(lambda frame, named=named: linked(frame, named))  # type: ignore[misc]

    def _missing(self, number: int, *, of: PartitionedRows) -> pl.Series:
        """Name those of one side of a part whom the other side lacks."""
        other = self._before if of is self._present else self._present
        keys, others = _keys(of, number), _keys(other, number)
        return keys.to_frame().filter(~pl.col(PROFILE).is_in(others.implode())).to_series()


def _says_all(file: ClaimedFile) -> bool:
    """Return whether a file names everybody; one without rows says nothing at all."""
    return file.outcome == "applied" and file.rows > 0


def _parted(batch: InputBatch) -> PartitionedRows:
    return PartitionedRows(batch.scratch, len(batch.given), NOBODY)


def _keys(rows: PartitionedRows, number: int) -> pl.Series:
    return rows.part(number)[PROFILE].unique()
