"""Everybody in a segment, as one export shows them: what look-ups would take hours to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import polars as pl

from exchanger.config.models import Baseline, Raw
from exchanger.errors import ExportEmpty, FileRejected
from exchanger.files.segment_archives import Limits, read_batches
from exchanger.jobs.runtime.cancellation import stoppable
from exchanger.jobs.runtime.report import new_run_id
from exchanger.jobs.segments.collect import archives
from exchanger.jobs.segments.empty import without_users
from exchanger.jobs.segments.pending import PendingDocument
from exchanger.jobs.segments.publish import sweep
from exchanger.jobs.segments.wait import (
    CompleteExport,
    ExportWait,
    find_segment,
)
from exchanger.profiles.exported.held_rows import (
    fields_of_export,
    held_form,
    held_under,
    identified,
)
from exchanger.profiles.exported.lines import Row, parse_users
from exchanger.profiles.exported.named import AT, PERSON, KeysTold
from exchanger.profiles.exported.sought import SoughtKeys
from exchanger.profiles.frames.columns import IDENTIFIED, PROFILE
from exchanger.profiles.frames.slices import slice_of
from exchanger.profiles.people.names import without_rivals
from exchanger.profiles.spelling.profile_key import are_shared, external_ids_among

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.profiles.exported.selection import FieldsToExport
    from exchanger.state.store import ConnectionState

_SLICE = "slice"


def baseline_segment(job: ImportJob) -> Baseline | None:
    """Name the segment from which a job learns what is held; None if it names none."""
    baseline = job.baseline
    named = isinstance(baseline, Baseline) and baseline.segment is not None
    return baseline if named and isinstance(baseline, Baseline) else None


def sought_keys(context: JobContext, state: ConnectionState) -> SoughtKeys:
    """Seek in an export all that anything is held by, but external ids."""
    sought = SoughtKeys()
    for keys in state.held.other_keys():
        context.go_on()
        sought.add(keys)
    return sought


def export_segment(
    context: JobContext,
    state: ConnectionState,
    source: Baseline,
    document: PendingDocument,
    fields: FieldsToExport,
) -> CompleteExport:
    """
    Have Braze export a segment, or wait for the export that an earlier process asked for.

    Args:
        context: The connection.
        state: Tells which runs the export is known to include.
        source: The segment, and how to know that its export is complete.
        document: Remembers what is waited for.
        fields: What to ask for.

    Raises:
        SegmentMissing: No such segment, or several.
        ExportIncomplete: Braze did not complete the export in time; the next call waits for it.
        Stopped: The process was asked to stop; the next call waits for the same export.
    """

    async def exported() -> CompleteExport:
        run_id = new_run_id(context.connection, context.clock.now())
        async with context.braze() as braze:
            segment = find_segment(await braze.segments(), source.segment or "")
            wait = ExportWait(context, braze, source.completion, document, state.runs)
            pending = await wait.requested(segment.id, fields, run_id, fresh=False)
            return await wait.complete(segment, pending)

    return asyncio.run(stoppable(exported(), context.stopping))


def exported_users(context: JobContext, export: CompleteExport) -> Iterator[list[Row]]:
    """
    Read the users of an export, some at a time.

    Raises:
        FileRejected: The export is damaged.
        Stopped: The process was asked to stop.
    """
    context.progress.step("reading the export", len(export.files) or 1)
    with closing(archives(context, export)) as found:
        for key, path in found:
            for lines in read_batches(path, key, Limits()):
                context.go_on()
                yield parse_users(lines, key)
            path.unlink()
            context.progress.advance(1)


@dataclass(frozen=True)
class Told:
    """
    What an export tells of keys that are no external ids, each in one of these.

    Args:
        seen: A held frame with ``@identified``, of keys that mean one person.
        several: Keys that several people have.
        absent: Keys that nobody has.
        missing: Keys that nobody in the segment has, which does not have everybody.
        unclear: Keys of which it does not tell whose they are: somebody outside of the segment may
            have the same address, or a number without its country may be it.
    """

    seen: pl.DataFrame
    several: pl.Series
    absent: pl.Series
    missing: pl.Series
    unclear: pl.Series


@dataclass(frozen=True)
class SegmentUsers:
    """
    A segment export on this machine, as held values.

    Args:
        context: The connection.
        export: The export.
        document: Remembers it.
        complete: Who is absent from it does not exist.
        raw: Whether Braze's own files stay once it has served its purpose.
        fields: What it shows.
        sought: What else than an external id names people in held values.
        chunks: Files of held values, with the slice of each profile.
        named: The same of *sought*, with the person.
    """

    context: JobContext
    export: CompleteExport
    document: PendingDocument
    complete: bool
    raw: Raw
    fields: list[str]
    sought: SoughtKeys
    chunks: list[Path]
    named: list[Path]

    @classmethod
    def exported(  # noqa: PLR0913, PLR0917 - an export, and what is kept of it
        cls,
        context: JobContext,
        state: ConnectionState,
        source: Baseline,
        name: str,
        fields: list[str],
        sought: SoughtKeys | None = None,
    ) -> Self:
        """
        Export a segment and bring it onto this machine.

        Args:
            context: The connection.
            state: As for *export_segment*.
            source: As for *export_segment*.
            name: Under which the export is remembered, so that a later call waits for the same.
            fields: Attributes.
            sought: Keys for *told*.

        Raises:
            FileRejected: The export is damaged; the next call asks anew.
            ExportEmpty: No user came, which would teach that nobody exists.
            SegmentMissing: As for *export_segment*, also the others.
        """
        document = PendingDocument(context.bucket, state.names, name)
        sought = sought or SoughtKeys()
        asked = fields_of_export(fields, sought.kinds)
        export = export_segment(context, state, source, document, asked)
        chunks: list[Path] = []
        named: list[Path] = []
        rows = 0
        try:
            for users in exported_users(context, export):
                frame = identified(users, fields)
                chunks.append(_written(context, "users", len(chunks), frame))
                if sought.kinds:
                    known = held_by_keys(sought.keys_of(users), users, fields)
                    named.append(_written(context, "named", len(named), known))
                rows += len(users) if sought.kinds else frame.height
            if not rows:
                raise without_users(context, export, may_be_allowed=False)
        except (FileRejected, ExportEmpty):
            document.save(export.pending.as_published())
            raise
        return cls(
            context, export, document, source.complete, source.raw, fields, sought, chunks, named
        )

    @property
    def segment(self) -> str:
        """The segment's name."""
        return self.export.segment.name

    @property
    def stamp(self) -> int:
        """The last run whose values the export is known to include."""
        return self.export.pending.stamp

    @property
    def asked_at(self) -> datetime:
        """When it was asked for."""
        return self.export.pending.asked_at

    def between(self, first: int, end: int) -> pl.DataFrame:
        """Read the users of a range of slices (``HeldValues.slices``): a held frame."""
        users = self._read(self.chunks, first, end)
        if users is None:
            return held_form({}, [], self.fields)
        return users.unique(PROFILE, keep="first", maintain_order=True)

    def told(self, first: int, end: int, keys: pl.Series, *, last: int) -> Told:
        """
        Conclude whom keys mean that are no external ids, as far as the export tells.

        Args:
            first: As for *between*.
            end: As for *between*.
            keys: Keys of that range, each once; those that were not sought are unclear.
            last: The newest run. Who has an address that nobody has in the export may have been
                created since.
        """
        named = self._read(self.named, first, end)
        if named is None:
            named = held_by_keys(self.sought.keys_of([]), [], self.fields)
        sought = keys.filter(self.sought.has(keys))
        named = named.filter(pl.col(PROFILE).is_in(sought.implode()))
        people = pl.concat([named.select(PROFILE, PERSON), self.sought.open_among(sought)])
        told = KeysTold(people, sought, complete=self.complete)
        found = named.filter(pl.col(PROFILE).is_in(told.certain.implode())).drop(PERSON)
        absent, missing = told.absent, sought.clear()
        if self.stamp < last:
            absent = absent.filter(~are_shared(absent))
        if not self.complete:
            missing = sought.filter(~sought.is_in(people[PROFILE].implode()))
        settled = pl.concat([told.certain, told.several, absent, missing])
        return Told(
            found.unique(PROFILE, keep="first", maintain_order=True),
            told.several,
            absent,
            missing,
            keys.filter(~keys.is_in(settled.implode())),
        )

    def _read(self, paths: list[Path], first: int, end: int) -> pl.DataFrame | None:
        """Read what was kept of a range of slices; None if nothing was of any."""
        chosen = pl.col(_SLICE).is_between(first, end, closed="left")
        return pl.scan_parquet(paths).filter(chosen).drop(_SLICE).collect() if paths else None

    def absent(self, profiles: pl.Series) -> pl.DataFrame:
        """Build the held rows of profiles that do not exist, as the export lacks them."""
        ids = external_ids_among(profiles)
        others = profiles.filter(~profiles.is_in(ids.implode()))
        rows = [held_form({}, ids.to_list(), self.fields)]
        if others.len():
            rows.append(held_form({}, others.to_list(), [*self.fields, IDENTIFIED]))
        return pl.concat(rows, how="diagonal")

    def done(self) -> None:
        """Note that the export has served its purpose, and remove what was left of it."""
        used = self.export.pending.as_used(raw=self.raw)
        self.document.save(used)
        sweep(self.context, used)


def held_by_keys(keys: pl.DataFrame, users: list[Row], fields: list[str]) -> pl.DataFrame:
    """
    Build a held row, with ``@identified`` and the person, of each user whom a key means.

    Args:
        keys: As ``keys_of_users`` gives them.
        users: As ``parse_users`` gives them.
        fields: Attributes; ``@names`` may be among them.
    """
    theirs = [users[at] for at in keys[AT]]
    rows = held_under(keys[PROFILE], theirs, [*fields, IDENTIFIED])
    return without_rivals(rows, keys[AT]).with_columns(keys[PERSON])


def _written(context: JobContext, name: str, number: int, frame: pl.DataFrame) -> Path:
    """Write a frame of held values, with the slice of each profile, onto this machine."""
    path = context.workdir / f"{name}-{number:06d}.parquet"
    sliced = frame.with_columns(slice_of(PROFILE).alias(_SLICE)).sort(_SLICE)
    sliced.write_parquet(path, compression="lz4")
    return path
