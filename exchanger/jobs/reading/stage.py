"""Decides what becomes of files, many at a time, before any of their rows is cast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl
from propcache.api import cached_property

from exchanger.errors import FileRejected, StorageError
from exchanger.jobs.intake.deduplication import decide
from exchanger.jobs.intake.requests import HeldFile
from exchanger.jobs.intake.unreadable import (
    is_about_one_file,
    is_denied,
    is_gone,
    why_unreadable,
)
from exchanger.jobs.reading.alike import Chosen, is_small, put_together, raw_columns
from exchanger.jobs.reading.staged import StagedFile, StagedFiles, chosen_rows
from exchanger.notes import noted
from exchanger.objects.parts import of_properties
from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.state.inputs.left_over import left_over
from exchanger.state.runs.log import ClaimedFile

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from exchanger.files.formats.read import RawTable
    from exchanger.jobs.intake.batch import BatchDraft
    from exchanger.jobs.intake.requests import FileRequest
    from exchanger.jobs.reading.alike import AlikeFiles
    from exchanger.jobs.reading.fetch import ReadFile
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.frames.raw_columns import RawColumns
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.frames.type_names import TypeName
    from exchanger.profiles.reading.mapping import Settled
    from exchanger.state.inputs.left_over import LeftOver

MANY = 10
"""If so many files in a row are denied before any could be read, it is not about single files."""


@dataclass(frozen=True)
class _Look:
    """
    What is to be known of one file, to decide about it.

    Args:
        table: Its content, or where that was.
        raw: Its columns, whose cells are looked at if need be.
        rows: The rows that are asked for.
        header_again: A column of identifiers that names itself in a row, and the first such row;
            None if there is none.
        types: The types of its columns, if they were looked for.
        layout: Tells its columns apart from those of others, if others were looked at with it.
        day_first: Columns in which a date shows that the day comes first, likewise.
    """

    table: RawTable
    raw: RawColumns
    rows: int
    header_again: tuple[str, int] | None
    types: Mapping[str, TypeName] | None = None
    layout: Hashable = None
    day_first: frozenset[str] | None = None


class Staging:
    """
    The files of a run on their way to be cast, in the order in which they are taken.

    Args:
        call: The job.
        draft: Takes what is noted of them.
        most: Rows after which no other file is taken; None for no such number.
        without_all: Whether files that S3 does not give out are left for another run.
    """

    def __init__(
        self, call: ImportContext, draft: BatchDraft, most: int | None, *, without_all: bool
    ) -> None:
        self.before = call.state.file_ledger.snapshot()
        self.windows: list[list[StagedFiles]] = []
        self._call = call
        self._draft = draft
        self._most = most
        self._without_all = without_all
        self._applied = self.before
        self._settled: dict[Hashable, Settled] = {}

    @property
    def room(self) -> int | None:
        """Return how many rows more the run takes; None for any number."""
        return None if self._most is None else max(self._most - self._draft.rows, 0)

    def take(self, window: Sequence[ReadFile]) -> None:
        """
        Decide about some files: a large one, or small ones that are looked at together.

        Raises:
            StorageError: One could not be read, and that is not about this file alone.
        """
        keys = [file.request.key for file in window]
        contents = [file.sha256 for file in window if file.sha256]
        self.before.look_up(keys=keys, contents=contents)
        self._call.memories.look_up(keys=keys, contents=contents)
        tables = {number: file.table for number, file in enumerate(window) if file.table}
        if all(is_small(table, self._draft.scratch.bounds) for table in tables.values()):
            self._take_together(window, tables)
        else:
            self._take_alone(window, tables)

    def _take_alone(self, window: Sequence[ReadFile], tables: Mapping[int, RawTable]) -> None:
        [file], [table] = window, tables.values()
        raw = raw_columns(table, table.empty, file.request.key)
        again = _header_again(table, self._columns)
        whole = replace(raw, pieces=table.pieces)
        look = _Look(table, whole, _count(file.request, table), again)
        staged = self._stage(window, {0: look})
        if staged:
            self.windows.append([StagedFiles([*staged.values()], table)])
        else:
            table.clear()

    def _take_together(self, window: Sequence[ReadFile], tables: Mapping[int, RawTable]) -> None:
        rows = {number: _count(window[number].request, table) for number, table in tables.items()}
        groups = put_together(tables)
        looks: dict[int, _Look] = {}
        for group in groups:
            types = group.types(self._call.job)
            again = group.headers_again(self._columns)
            day_first = group.day_first(self._call.job, types)
            for number in group.numbers:
                raw = group.columns(window[number].request.key, number)
                looks[number] = _Look(
                    tables[number],
                    raw,
                    rows[number],
                    again.get(number),
                    types.get(number, {}),
                    group.layout,
                    day_first.get(number, frozenset()),
                )
        staged = self._stage(window, looks)
        self.windows.append([*self._kept(groups, staged)])

    def _kept(
        self, groups: Sequence[AlikeFiles], staged: Mapping[int, StagedFile]
    ) -> Iterator[StagedFiles]:
        """Keep the rows of the files that are applied."""
        scratch = self._draft.scratch
        for group in groups:
            files = {number: staged[number] for number in group.numbers if number in staged}
            if not files:
                continue
            chosen = _chosen(files)
            cells, places, bad = scratch.spill(), scratch.spill(), scratch.spill()
            positions, frame = chosen.of(group.files, group.frame)
            cells.add(frame)
            places.add(positions.alias(FILE).to_frame())
            positions, frame = chosen.of(group.bad[FILE], group.bad)
            bad.add(frame.with_columns(positions.alias(FILE)))
            yield StagedFiles([*files.values()], group.table, cells, places, bad)

    def _stage(
        self, window: Sequence[ReadFile], looks: Mapping[int, _Look]
    ) -> dict[int, StagedFile]:
        """Decide about files one after the other; returns those that are applied, by number."""
        staged: dict[int, StagedFile] = {}
        for number, file in enumerate(window):
            if self.room == 0:
                break
            if isinstance(file.error, StorageError):
                self._pass_over(file.request, file.error)
            elif (applied := self._claimed(file, looks.get(number))) is not None:
                staged[number] = applied
        return staged

    def _claimed(self, file: ReadFile, look: _Look | None) -> StagedFile | None:
        """Decide about one file, and claim it; None if it is not applied."""
        draft, request, position = self._draft, file.request, len(self._draft.files)
        arrived = request.arrived.isoformat() if request.arrived else ""
        correction = request.correction
        claim = ClaimedFile(
            request.key,
            request.etag,
            correction.sha256 if correction else file.sha256,
            "applied",
            kept=request.kept,
            arrived=arrived,
            correction=correction.etag if correction else "",
        )
        known = self._met_before(request, claim)
        staged: StagedFile | None = None
        try:
            if known is not None:
                facts = (noted("known_content", run=known),)
                draft.files.append(replace(claim, outcome="known", facts=facts))
                return None
            decided = self._decided(claim, file, position, look)
            if isinstance(decided, HeldFile):
                draft.waiting.append(decided)
                return None
            staged, claim = decided, decided.claim
        except FileRejected as error:
            claim = draft.refuse(claim, error, position)
        self._applied = self._applied.with_file(self._call.name, claim)
        draft.files.append(claim)
        return staged

    def _decided(
        self, claim: ClaimedFile, file: ReadFile, position: int, look: _Look | None
    ) -> StagedFile | HeldFile:
        """
        Settle on the types of a file, and decide how it counts.

        Raises:
            FileRejected: It cannot be used.
        """
        draft, request = self._draft, file.request
        if look is None:
            raise file.error or LookupError(request.key)
        if look.header_again is not None:
            raise _other_header(request.key, *look.header_again)
        settled = self._settle(look)
        _refuse_many_properties(self._call, settled.rules, request.key)
        counted = decide(self._call, claim, request, settled.rules, self._applied)
        if isinstance(counted, HeldFile):
            return counted
        claim = counted.claim
        for name in counted.set_before:
            draft.set_before.setdefault(name, []).append(claim.key)
        self._note(request, look, settled)
        # A file without rows gives nothing, so another one like it counts nothing twice.
        sums = claim.sums if look.rows or claim.replaces else ()
        claim = replace(claim, rows=look.rows, sums=sums)
        return StagedFile(
            position,
            claim,
            request,
            counted.rules,
            repeated=counted.repeated,
            given_alone=self._given_alone(request, claim),
        )

    def _met_before(self, request: FileRequest, claim: ClaimedFile) -> int | None:
        """
        Number the run that met a file before, if its ETag alone is another since; None if not.

        What was rejected of a version is given again from that version, so this is another one.
        """
        whole = request.rows is None and not (request.retried or request.test or request.correction)
        if not (whole and claim.sha256 and request.counting == "ask"):
            return None
        if self._call.options.as_if_new:
            return None
        met = self.before.met_before(self._call.name, claim.key, claim.sha256)
        left = self._left.get(claim.key) if met is not None else None
        return None if left is not None and (left.rejected or not left.rows) else met

    @cached_property
    def _left(self) -> Mapping[str, LeftOver]:
        """Of which files of the job something was not taken that can be given again."""
        return left_over(self.before, self._call.name)

    def _given_alone(self, request: FileRequest, claim: ClaimedFile) -> tuple[int, ...]:
        """
        Name the rows that a test has given, where giving them again would not be without effect.

        Values are given again: they are absolute, and sums are counted as a difference.
        """
        if request.test or self._call.kind.holds_values:
            return ()
        return tuple(self.before.tests(self._call.name, claim.key, claim.sha256))

    def _note(self, request: FileRequest, look: _Look, settled: Settled) -> None:
        draft = self._draft
        if settled.kept != draft.types:
            draft.types = settled.kept
            self._settled.clear()
        if draft.note_columns(request.key, look.raw.names, settled.changes):
            self._settled.clear()
        draft.keep_layout(look.table)
        draft.note_stray(request.key, settled.stray)
        if settled.commas:
            draft.commas.setdefault(settled.commas, []).append(request.key)
        draft.rows += look.rows
        if not request.retried:
            draft.notes += [note.about(request.key) for note in look.table.notes]
        for why, columns in settled.left_out.items():
            draft.left_out.setdefault((why, *columns), []).append(request.key)

    def _settle(self, look: _Look) -> Settled:
        """Settle on the rules of a file; alike for files of the same columns and types."""
        known = None
        if look.types is not None:
            known = (look.layout, look.day_first, *look.types.items())
        if known in self._settled:
            return self._settled[known]
        found = (look.types, look.day_first)
        draft = self._draft
        settled = settle_rules(self._call.job, look.raw, draft.types, *found, seen=draft.columns)
        settled = replace(settled, rules=_mending(self._call, settled.rules))
        if known is not None and not settled.stray and not settled.commas:
            self._settled[known] = settled
        return settled

    def _pass_over(self, request: FileRequest, error: StorageError) -> None:
        """
        Leave a file that could not be read for another run.

        Raises:
            StorageError: That is not about this file alone.
        """
        draft, version = self._draft, (request.key, request.etag)
        if request.correction is not None:
            version = (request.kept, request.correction.etag)
        if is_gone(error):
            # Between the listing and now it was replaced or deleted: the next run sees what is so.
            draft.gone.append(version)
            return
        for_all = is_denied(error) and not draft.files and len(draft.unreadable) >= MANY
        if not self._without_all or for_all or not is_about_one_file(error):
            raise error
        draft.unreadable[version] = why_unreadable(error)

    @property
    def _columns(self) -> tuple[str, ...]:
        return self._call.job.match_columns


def _mending(call: ImportContext, rules: list[Rule]) -> list[Rule]:
    """Let files that are taken as if new also take back texts that mean null by now."""
    if not call.options.as_if_new:
        return rules
    nulls = call.job.source.nulls
    return [replace(rule, void=(*nulls, *rule.config.nulls)) for rule in rules]


def _refuse_many_properties(call: ImportContext, rules: list[Rule], key: str) -> None:
    """
    Refuse a file of which Braze would leave out properties without a word.

    Raises:
        FileRejected: ``too_many_properties``.
    """
    most, count = call.kind.most_properties, len(of_properties(rules))
    if most is not None and count > most:
        message = (
            f"The file has {count} columns that would become properties, and Braze takes "
            f"{most} at most. Leave some out: 'exclude' in 'remaining_properties'."
        )
        raise FileRejected(key, "too_many_properties", message)


def _header_again(table: RawTable, columns: Sequence[str]) -> tuple[str, int] | None:
    """Find the first row of a CSV file that is a header again, with its column; None if none is."""
    for column in columns if table.textual else ():
        if column not in table.empty.columns:
            continue
        for piece in table.pieces([column, ROW]):
            again = piece.filter(pl.col(column).str.strip_chars() == column)
            if again.height:
                return column, int(again[ROW][0])
    return None


def _other_header(key: str, column: str, row: int) -> FileRejected:
    """
    Build the error of a CSV file in which a header with other columns stands among the rows.

    Nobody is called like the column of identifiers. The same columns again were passed over when
    the file was read; what stands below others is no value of the columns above.
    """
    message = (
        f"Row {row} is a header again, and names other columns than the first: the file "
        "was joined from several. Drop each of them by itself."
    )
    return FileRejected(key, "header_again", message, row=row, column=column)


def _chosen(files: Mapping[int, StagedFile]) -> Chosen:
    """Choose the rows of files that are asked for."""
    some = {
        file.position: file.request.rows for file in files.values() if file.request.rows is not None
    }
    return Chosen({number: file.position for number, file in files.items()}, some)


def _count(request: FileRequest, table: RawTable) -> int:
    """Count the rows of a file that are asked for."""
    if request.rows is None:
        return table.rows
    pieces = chain(table.pieces([ROW]), table.bad_pieces())
    return sum(chosen_rows(request, rows).height for rows in pieces)
