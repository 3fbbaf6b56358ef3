"""
Learns what is unknown of many profiles from one segment export instead of many look-ups.

The export is the basis once: afterwards few unknown profiles are looked up, and only where that
would take minutes is the segment exported again.

Everybody who has an external id is recorded, for the files to come; who is named otherwise only
if a row of this run does it, as several people may have one address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import FileRejected
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.history.shown import wait_until_shown
from exchanger.jobs.observing.lookup import WORTH_SAYING, alone_in_a_request, lookup_seconds
from exchanger.jobs.segments.empty import without_users
from exchanger.jobs.segments.pending import PendingDocument
from exchanger.jobs.segments.publish import sweep
from exchanger.jobs.segments.users import (
    baseline_segment,
    export_segment,
    exported_users,
    held_by_keys,
)
from exchanger.notes import Note, noted
from exchanger.profiles.exported.held_rows import (
    fields_of_export,
    held_form,
    identified,
)
from exchanger.profiles.exported.named import PERSON, KeysTold, keys_of_users
from exchanger.profiles.frames.columns import IDENTIFIED, NAMES, PROFILE
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.people.names import NAME, disputed, names_of
from exchanger.profiles.spelling.profile_key import external_ids_among
from exchanger.profiles.spelling.same_person import LINKED, links_of, with_identities

if TYPE_CHECKING:
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.segments.wait import CompleteExport
    from exchanger.profiles.exported.selection import FieldsToExport

log = structlog.get_logger()

_TOLD = {PROFILE: pl.String, PERSON: pl.String}


@dataclass(frozen=True)
class Learnt:
    """
    What an export told, beside what is held from now on.

    Args:
        note: Says it.
        several: Wanted keys that several people have: of these nothing is held.
        absent: Wanted keys that nobody has, external ids left out.
        new: Wanted keys, and keys that stand for whom they mean, of which nothing was held before.
        disputed: Keys to look up, as something else was held of whom they mean.
    """

    note: Note
    several: pl.Series
    absent: pl.Series
    new: pl.Series
    disputed: pl.Series


def learn_from_segment(
    call: ImportContext, wanted: pl.Series, rules: list[Rule], last: int = 0
) -> Learnt | None:
    """
    Record what an export of the job's segment shows, if the job names one and it is worth it.

    Args:
        call: The job.
        wanted: Keys of which something is unknown, each once: external ids, and of the kinds that
            the job names people by.
        rules: The fields of the job; those whose strategy needs a value are learnt. Where people
            are not named by external ids alone, all are, as by a look-up.
        last: The last run; whom an address belongs to is only told by an export that shows what it
            sent.

    Returns:
        What was learnt; None if nothing was done, so that everything has to be looked up.

    Raises:
        SegmentMissing: No such segment, or several.
        ExportIncomplete: Braze did not complete the export in time; the next run waits for it.
        FileRejected: The export is damaged; the next run asks anew.
        Stopped: The process was asked to stop; the next run waits for the same export.
    """
    baseline = baseline_segment(call.job)
    if baseline is None:
        return None
    kinds = {match.kind for match in call.job.match}
    every = kinds != {"external_id"}
    fields = sorted({rule.name for rule in rules if every or rule.needs_held})
    asked = fields_of_export(fields, kinds)
    document = PendingDocument(call.context.bucket, call.state.names, call.name)
    if not _is_worth_it(call, document, asked, wanted):
        return None
    seen = _Seen(call, wanted, fields, complete=baseline.complete)
    if seen.others.len():
        _let_it_show(call, document, last)
    export = export_segment(call.context, call.state, baseline, document, asked)
    try:
        _observe(call, export, seen, last)
    except FileRejected:
        document.save(export.pending.as_published())
        raise
    used = export.pending.as_used(raw=baseline.raw)
    document.save(used)
    sweep(call.context, used)
    log.info("baseline.learnt", segment=export.segment.name, profiles=seen.rows)
    seen.close()
    note = _note(call, export, seen)
    return Learnt(note, seen.told.several, seen.told.absent, seen.new, seen.disputed)


def _note(call: ImportContext, export: CompleteExport, seen: _Seen) -> Note:
    if seen.rows:
        return noted("learnt_from_segment", segment=export.segment.name, profiles=seen.rows)
    # It may have gone elsewhere, so it proves of nobody that they do not exist (law 10).
    nobody = without_users(call.context, export, may_be_allowed=False)
    return noted(
        "nothing_learnt",
        segment=nobody.segment,
        folder=nobody.folder,
        files=nobody.files,
        estimate=nobody.estimate,
        unknown_because=nobody.unknown_because,
    )


def _let_it_show(call: ImportContext, document: PendingDocument, last: int) -> None:
    """Wait until an export shows what the last run sent; one that does not is asked for anew."""
    wait_until_shown(call.context, call.state.runs, last)
    known = document.load()
    if known is not None and not known.published and known.stamp < last:
        document.save(known.as_published())


class _Seen:
    """
    Counts users as they go by, and remembers which of the wanted keys were theirs.

    Args:
        call: The job.
        wanted: Keys, each once.
        fields: What was asked for.
        complete: Who is not in the export does not exist.
    """

    def __init__(
        self, call: ImportContext, wanted: pl.Series, fields: list[str], *, complete: bool
    ) -> None:
        self.rows = 0
        self.fields = fields
        self.complete = complete
        self._call = call
        self._ids = external_ids_among(wanted)
        self.others = wanted.filter(~wanted.is_in(self._ids.implode()))
        self.told = KeysTold(pl.DataFrame(schema=_TOLD), self.others, complete=False)
        self.new = self.disputed = wanted.clear()
        self._found = [self._ids.clear()]
        self._named = Scratch(call.context.workdir, call.context.bounds).spill()

    def identified(self, export: CompleteExport) -> Iterator[pl.DataFrame]:
        """Read an export as frames of held values, of who has an external id, each once."""
        for users in exported_users(self._call.context, export):
            frame = identified(users, self.fields)
            ids = frame[PROFILE]
            self._found.append(ids.filter(ids.is_in(self._ids.implode())))
            if self.others.len():
                keys = keys_of_users(users, self.others)
                self._named.add(held_by_keys(keys, users, [*self.fields, NAMES]))
            self.rows += len(users) if self.others.len() else frame.height
            yield frame

    def named(self) -> Iterator[pl.DataFrame]:
        """Build the held rows of wanted keys that are no external ids: of one person, or nobody."""
        for frame in self._named.frames():
            certain = pl.col(PROFILE).is_in(self.told.certain.implode())
            yield with_identities(frame.filter(certain).drop(PERSON, NAMES))
        yield held_form({}, self.told.absent.to_list(), [*self.fields, IDENTIFIED])

    def absent(self) -> pl.DataFrame:
        """Build the held rows of wanted external ids that nobody has."""
        found = pl.concat(self._found)
        missing = self._ids.filter(~self._ids.is_in(found.implode())).sort()
        believed = self.complete and self.rows
        return held_form({}, missing.to_list() if believed else [], self.fields)

    def close(self) -> None:
        """Forget what was kept of the export."""
        self._named.clear()

    def settle(self, *, shown: bool) -> None:
        """Conclude whom the keys mean, and of whom nothing is held, before the export is."""
        if not (shown and self.rows):
            return
        named = pl.concat(self._named.frames([PROFILE, PERSON]))
        self.told = KeysTold(named, self.others, complete=self.complete)
        certain = pl.col(PROFILE).is_in(self.told.certain.implode())
        links = pl.concat(map(links_of, self._named.frames([PROFILE, IDENTIFIED])))
        people = links[LINKED].drop_nulls().alias(PROFILE)
        keys = pl.concat([self._ids, self.others, people]).unique()
        held = self._call.state.held.of(keys, [])[PROFILE]
        self.new = keys.filter(~keys.is_in(held.implode()))
        rivals = (
            self._disputed(names_of(frame.filter(certain)))
            for frame in self._named.frames([PROFILE, IDENTIFIED, NAMES])
        )
        self.disputed = pl.concat([self.disputed, *rivals])

    def _disputed(self, names: pl.DataFrame) -> pl.Series:
        held = self._call.state.held.of(names[NAME].unique(), [IDENTIFIED])
        return disputed(names, held, self.others)


def _is_worth_it(
    call: ImportContext, document: PendingDocument, asked: FieldsToExport, wanted: pl.Series
) -> bool:
    """Return whether there was no such export yet, or look-ups would take minutes."""
    known = document.load()
    if known is None or not known.published or known.fields != asked:
        return True
    alone = alone_in_a_request(wanted)
    return lookup_seconds(wanted.len(), call.context.lookup_limit, alone) >= WORTH_SAYING


def _observe(call: ImportContext, export: CompleteExport, seen: _Seen, last: int) -> None:
    """Record everybody in an export: what is not needed now may be needed by the next file."""
    held, pending = call.state.held, export.pending
    everybody = Scratch(call.context.workdir, call.context.bounds).spill()
    users = seen.identified(export)
    if seen.others.len():
        # What is held is looked at before it is written, as no table can be opened meanwhile.
        for frame in users:
            everybody.add(frame)
        users = everybody.frames()
        seen.settle(shown=pending.stamp >= last)
    for frames in (users, seen.named()):
        held.observe_all(frames, stamp=pending.stamp, at=pending.asked_at)
    everybody.clear()
    held.observe(seen.absent(), stamp=pending.stamp, at=pending.asked_at)
