"""Casts the rows of files by the types of the entire run, those of the same columns together."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import FileRejected
from exchanger.files.scratch.prefetch import prefetch
from exchanger.files.write import to_ndjson
from exchanger.jobs.history.forgotten_profiles import maybe_forgotten, without_forgotten
from exchanger.jobs.intake.batch import REJECTED, as_refused
from exchanger.jobs.intake.contributions import contributions
from exchanger.jobs.reading.known_catalogs import KnownCatalogs
from exchanger.jobs.reading.known_groups import KnownGroups, demand_groups
from exchanger.objects.rows import judged_rows
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW
from exchanger.profiles.merging.contributions import negated
from exchanger.profiles.reading.faults import still_given
from exchanger.profiles.reading.mapping import widen_rules
from exchanger.profiles.reading.typed_rows import NOTED, Given, cast_rows

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from exchanger.jobs.intake.batch import BatchDraft
    from exchanger.jobs.reading.staged import StagedFile, StagedFiles
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.frames.raw_columns import RawColumns
    from exchanger.profiles.frames.rules import Rule
    from exchanger.state.inputs.file_ledger import LedgerSnapshot

_AT = "@at"
_JSON_NUMBERS = (pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.Int64)


class Casting:
    """
    Casts files, and adds their rows to a draft.

    Args:
        call: The job.
        applied: What was applied before the run.
        draft: Takes the rows.
    """

    def __init__(self, call: ImportContext, applied: LedgerSnapshot, draft: BatchDraft) -> None:
        self._call = call
        self._applied = applied
        self._draft = draft
        self._rejected: list[pl.DataFrame] = []
        self._dropped: list[pl.DataFrame] = []
        self._noted: list[pl.DataFrame] = []
        self._unfit: set[int] = set()
        self._made: dict[str, Rule] = {}
        self._groups = KnownGroups(call)
        self._catalogs = KnownCatalogs(call)

    def cast(self, window: Sequence[StagedFiles]) -> None:
        """Cast the files of a window, whose rejected rows come in the order of the files."""
        rules: dict[int, list[Rule]] = {}
        for files in window:
            for part in _of_one_kind(files.files, self._draft.types):
                rules |= dict.fromkeys((file.position for file in part), part[0].rules)
                self._cast(files, part, part[0].rules)
            for bad in files.bad_pieces():
                fit = bad.filter(~pl.col(FILE).is_in(list(self._unfit)))
                self._draft.nameless += fit.select(FILE, ROW).n_unique()
                self._reject(files, fit.select(*REJECTED))
            files.clear()
        self._end(rules)

    def _cast(self, files: StagedFiles, part: Sequence[StagedFile], rules: list[Rule]) -> None:
        """Cast files that share their rules; one by one if they cannot be used together."""
        try:
            earlier, doubtful = self._earlier(part[0], rules)
            casted = self._casted(files, part, rules, doubtful)
            # Only a large file comes in several pieces.
            with closing(casted if files.several else prefetch(casted)) as pieces:
                for given, rejected in pieces:
                    self._draft.give(given.frame)
                    if given.faulty is not None:
                        self._draft.mark_faulty(given.faulty)
                    if given.mentioned is not None:
                        self._draft.mention(given.mentioned)
                    self._noted.append(given.noted)
                    self._reject(files, rejected)
                    self._drop(files, still_given(given.dropped, given.frame))
                    self._draft.beside.add(still_given(given.beside, given.frame))
        except FileRejected as error:
            if len(part) == 1:
                self._refuse(files, part[0], error)
                return
            for file in part:
                self._cast(files, [file], rules)
            return
        if earlier is not None:
            self._draft.corrections.add(negated(earlier, part[0].position))

    def _casted(
        self,
        files: StagedFiles,
        part: Sequence[StagedFile],
        rules: list[Rule],
        doubtful: pl.Expr | None,
    ) -> Generator[tuple[Given, pl.DataFrame]]:
        """Cast piece by piece; what is wrong with a file as a whole shows in its first piece."""
        positions = [file.position for file in part]
        for piece in files.pieces():
            raw = piece if len(part) == len(files.files) else piece.of_files(positions)
            given = cast_rows(raw, rules, self._call.job, kept=self._draft.types)
            given = self._shaped(rules, _judged(self._call, rules, given), raw.key)
            given = self._catalogs.split(given, rules, self._draft.types)
            if part[0].repeated:
                self._draft.repeated += given.frame.height
                given = replace(given, frame=given.frame.clear())
            for file in part:
                if file.given_alone:
                    given = self._without_tests(given, file)
            if doubtful is not None:
                given = without_forgotten(given, doubtful, part[0].position)
            yield given, with_records(raw, given)

    def _without_tests(self, given: Given, file: StagedFile) -> Given:
        """Leave out rows that were given by themselves before; they are counted as repeated."""
        tested = (pl.col(FILE) == file.position) & pl.col(ROW).is_in(file.given_alone)
        frame = given.frame.filter(~tested)
        self._draft.repeated += given.frame.height - frame.height
        return replace(given, frame=frame)

    def _shaped(self, rules: list[Rule], given: Given, key: str) -> Given:
        """
        Build fields of rows that are about something else, as the kind of object says.

        Raises:
            FileRejected: ``too_many_groups``.
        """
        shaped = self._call.kind.shaped
        if shaped is None:
            return given
        demand_groups(given.frame, key)
        made = shaped(given.frame, {rule.name: rule for rule in rules}, self._call.job)
        frame, strange = self._groups.split(made.frame)
        self._made |= {rule.name: rule for rule in made.rules if rule.name in frame.columns}
        rejected = pl.concat([given.rejected, made.rejected, strange])
        return replace(given, frame=frame, rejected=rejected)

    def _earlier(
        self, file: StagedFile, rules: list[Rule]
    ) -> tuple[pl.DataFrame | None, pl.Expr | None]:
        """
        Return what a new version takes back, and of whom that is not known any more.

        None if it is added in full, and if it is known of everybody.
        """
        call, claim = self._call, file.claim
        if not claim.replaces:
            return None, None
        earlier = contributions(call, claim.key, claim.sha256, rules, self._applied)
        doubtful = maybe_forgotten(call, claim, self._applied)
        if doubtful is not None:
            earlier = earlier.filter(~doubtful)
        chosen = file.request.corrected
        if chosen is not None:
            earlier = earlier.filter(pl.col(PROFILE).is_in(chosen.implode()))
        return earlier, doubtful

    def _refuse(self, files: StagedFiles, file: StagedFile, error: FileRejected) -> None:
        """Put a whole file into quarantine."""
        draft, position = self._draft, file.position
        draft.rows -= file.claim.rows
        self._unfit.add(position)
        self._reject(files, draft.refused(file.claim, error, position))
        draft.files[position] = as_refused(replace(file.claim, rows=0), error)

    def _reject(self, files: StagedFiles, rows: pl.DataFrame) -> None:
        """Take rejected rows: those of a single file at once, as they may be many."""
        if files.several:
            self._rejected.append(rows)
        else:
            self._draft.rejected.add(rows)

    def _drop(self, files: StagedFiles, values: pl.DataFrame) -> None:
        """Take values that are left out, likewise."""
        if files.several:
            self._dropped.append(values)
        elif not values.is_empty():
            self._draft.dropped.add(values)

    def _end(self, rules: Mapping[int, list[Rule]]) -> None:
        """Bring what is told of the files of a window into their order."""
        draft = self._draft
        if self._rejected:
            draft.rejected.add(pl.concat(self._rejected).sort(FILE, maintain_order=True))
            self._rejected.clear()
        if self._dropped:
            draft.dropped.add(pl.concat(self._dropped).sort(FILE, maintain_order=True))
            self._dropped.clear()
        noted = pl.concat([pl.DataFrame(schema=NOTED), *self._noted])
        self._noted.clear()
        for told in noted.group_by(FILE).sum().sort(FILE).iter_rows(named=True):
            draft.note_cells(draft.files[told[FILE]].key, told)
        if self._call.kind.shaped is not None:
            draft.rules |= self._made
            return
        last: list[Rule] | None = None
        for _, each in sorted(item for item in rules.items() if item[0] not in self._unfit):
            if each is not last:
                draft.rules |= {rule.name: rule for rule in each}
                last = each


def _of_one_kind(files: Sequence[StagedFile], types: Mapping[str, str]) -> list[list[StagedFile]]:
    """
    Part files by their rules, at the types of the entire run.

    A new version that takes something back is alone; files whose rows were all taken up before are
    apart. However different the types are that files
    have by themselves, their rules are mostly the same by now.
    """
    widened: dict[int, list[Rule]] = {}
    parts: dict[tuple[tuple[Rule, ...], int], list[StagedFile]] = {}
    for file in files:
        if id(file.rules) not in widened:
            widened[id(file.rules)] = widen_rules(file.rules, types)
        rules = widened[id(file.rules)]
        own = file.position + 1 if file.claim.replaces else -int(file.repeated)
        parts.setdefault((tuple(rules), own), []).append(replace(file, rules=rules))
    return [*parts.values()]


def _judged(call: ImportContext, rules: list[Rule], given: Given) -> Given:
    """Reject rows of which the cells are fine, and which are no object that Braze takes."""
    named = {rule.name: rule for rule in rules}
    faults = call.kind.faults(rules, call.context.clock.now())
    fine, odd = judged_rows(given.frame, faults, named)
    if odd.is_empty():
        return given
    faulty = given.faulty
    if call.job.order is not None:
        bad = given.frame.join(odd, on=[FILE, ROW], how="semi")
        faulty = bad if faulty is None else pl.concat([faulty, bad])
    return replace(given, frame=fine, rejected=pl.concat([given.rejected, odd]), faulty=faulty)


def with_records(raw: RawColumns, given: Given) -> pl.DataFrame:
    """Put beside each rejected row its cells as JSON, so that it can be mended and given again."""
    rejected = given.rejected
    if rejected.is_empty():
        return pl.DataFrame(schema=REJECTED)
    places = raw.places
    rows = rejected.select(places.columns).unique()
    at = places.with_row_index(_AT).join(rows, on=places.columns, how="semi")[_AT]
    chosen = raw.frame[at.sort()]
    cells = [_in_json(chosen[name], name in raw.json_columns) for name in raw.names]
    lines = to_ndjson(chosen.select(cells), raw.json_columns)
    records = places[at.sort()].with_columns(lines.alias("record"))
    return rejected.join(records, on=places.columns, how="left", maintain_order="left").select(
        *REJECTED
    )


def _in_json(cells: pl.Series, is_json: bool) -> pl.Series:  # noqa: FBT001 - as of to_ndjson
    """Leave what JSON has a value for; everything else becomes text."""
    kept = cells.dtype in _JSON_NUMBERS or cells.dtype.is_nested() or is_json
    finite = cells.dtype == pl.Float64 and cells.is_finite().all()
    return cells if kept or finite else cells.cast(pl.String, strict=False)
