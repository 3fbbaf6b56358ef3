"""
The story of a drift report: what others changed in Braze since we delivered or saw it.

No lease is needed. What is seen is recorded with the stamp of the time at which it was asked for,
so it never undoes what a run delivers meanwhile. Only differences are recorded: they are what
``on_drift`` of the next run is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.braze.attributes import NOT_EXPORTED
from exchanger.config.models import FieldConfig
from exchanger.jobs.history.shown import last_shown
from exchanger.jobs.observing.comparison import FieldComparison
from exchanger.jobs.observing.lookup import NOBODY, LookUps, look_up_parts, note_if_slow
from exchanger.jobs.runtime.artifacts import load
from exchanger.jobs.runtime.recognition import establish
from exchanger.jobs.segments.users import SegmentUsers, baseline_segment, sought_keys
from exchanger.notes import Note, noted
from exchanger.profiles.exported.held_rows import held_form
from exchanger.profiles.frames.columns import EXISTS, IDENTIFIED, PROFILE, SEEN, STAMP
from exchanger.profiles.merging.drift import expected, news, paired
from exchanger.profiles.reading.field_columns import config_of
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.profile_key import external_ids_among
from exchanger.profiles.spelling.same_person import IS_LINKED, LINKED, doubted, linked, links_of
from exchanger.state.runs.log import ENDED
from exchanger.state.store import ConnectionState, open_state

if TYPE_CHECKING:
    from exchanger.config.models import DriftPolicy, ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import VersionedRun

log = structlog.get_logger()

SAMPLE = 1_000
"""Profiles that are compared unless somebody says otherwise."""


@dataclass(frozen=True)
class DriftOptions:
    """
    Which profiles are compared.

    Args:
        sample: How many, chosen at random; None: all.
        seed: Another one chooses others.
    """

    sample: int | None = SAMPLE
    seed: int = 0


@dataclass
class FieldDrift(FieldComparison):
    """One field of a drift report, and what a run would do about it."""

    on_drift: DriftPolicy = "overwrite"


@dataclass
class DriftReport:
    """
    What others changed.

    ``profiles`` were chosen; each of them was ``compared``, is ``gone`` from Braze, was left out as
    ``pending`` (a run is about to send it) or ``fresh`` (it was sent so lately that Braze may not
    show it yet), is ``absent`` from the exported segment, has an ``ambiguous`` address or number
    that several profiles have, or one of which it is ``unclear`` whose it is, as the export does
    not tell. Of those compared some ``changed``.
    """

    job: str
    checked_at: datetime
    fields: list[FieldDrift]
    profiles: int = 0
    compared: int = 0
    changed: int = 0
    gone: int = 0
    pending: int = 0
    fresh: int = 0
    absent: int = 0
    ambiguous: int = 0
    unclear: int = 0
    notes: list[str] = field(default_factory=list)
    facts: list[Note] = field(default_factory=list)


def find_drift(
    context: JobContext, name: str, job: ImportJob, options: DriftOptions | None = None
) -> DriftReport:
    """
    Compare what is held of a job's fields with what Braze has.

    Args:
        context: The connection.
        name: The job's name.
        job: The job. If all profiles are compared and it names a segment as its baseline, one
            export of that takes the place of look-ups.
        options: Which profiles.

    Raises:
        BrazeError: Braze refused, or gave no usable answer. What was seen until then is kept.
        StorageError: S3 refused or did not answer.
        SegmentMissing: The job's segment does not exist.
        ExportEmpty: No user came in the export, so it was not believed.
        ExportIncomplete: Braze did not complete the export in time; the next call waits for it.
        Stopped: The process was asked to stop.
    """
    options = options or DriftOptions()
    state = open_state(context.bucket, context.state_prefix)
    establish(context, state)
    fields = _fields(job, state)
    report = DriftReport(name, context.clock.now(), fields)
    names = [one.field for one in fields]
    segment = baseline_segment(job)
    if job.object != "attributes" and not job.written:
        report.facts.append(noted("nothing_to_compare", object=job.object))
    elif not names:
        report.facts.append(noted("nothing_held"))
    elif options.sample is not None:
        chosen = _people(state, state.held.sample(names, options.sample, options.seed))
        known = _known(state.held.history_of(chosen, [*names, IDENTIFIED]), names)
        asked = LookUps.of(known[PROFILE])
        report.facts += note_if_slow(asked.profiles, context.lookup_limit, asked.alone)
        _Check(context, state, job, report).look_up(known)
    elif segment is None:
        check = _Check(context, state, job, report)
        everybody = (known[PROFILE] for _, _, known in _everybody(context, state, names))
        asked = sum(map(LookUps.of, everybody), NOBODY)
        report.facts += note_if_slow(asked.profiles, context.lookup_limit, asked.alone)
        for _, _, known in _everybody(context, state, names):
            check.look_up(known)
    else:
        sought = sought_keys(context, state)
        named = f"{name}@drift"
        users = SegmentUsers.exported(context, state, segment, named, names, sought)
        check = _Check(context, state, job, report)
        for first, end, known in _everybody(context, state, names):
            check.export(users, known, first, end)
        users.done()
    log.info("drift.found", compared=report.compared, changed=report.changed)
    return report


def _fields(job: ImportJob, state: ConnectionState) -> list[FieldDrift]:
    """Choose the fields that the job writes, of which anything is held, and that Braze shows."""
    own = job.audience.names if job.audience is not None else ()
    configs = {
        name: FieldConfig() if name in own else config_of(job, name) for name in state.held.fields()
    }
    return [
        FieldDrift(name, on_drift=config.on_drift)
        for name, config in configs.items()
        if config is not None and name not in NOT_EXPORTED
    ]


def _everybody(
    context: JobContext, state: ConnectionState, names: list[str]
) -> Iterator[tuple[int, int, pl.DataFrame]]:
    """Read whom to compare, a range of slices at a time, with its bounds."""
    for first, end in state.held.slices():
        context.go_on()
        yield first, end, _known(state.held.between(first, end, [*names, IDENTIFIED]), names)


def _people(state: ConnectionState, chosen: pl.Series) -> pl.Series:
    """Name each of the people that keys mean once, by the external id if one is known."""
    links = links_of(state.held.of(chosen, [IDENTIFIED])).drop_nulls(LINKED)
    return linked(chosen.to_frame(PROFILE), links)[PROFILE].unique(maintain_order=True)


def _known(held: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """
    Leave out profiles that do not exist, and those of which nothing is certain.

    So are keys of people with an external id: what is held of these is held by that.
    """
    certain = ((pl.col(name) != UNCERTAIN).fill_null(value=False) for name in names)
    there = pl.col(EXISTS).fill_null(value=True)
    return held.filter(there, ~IS_LINKED, pl.any_horizontal(*certain))


class _Check:
    """Compares profiles with Braze, counts, and records what differs."""

    def __init__(
        self, context: JobContext, state: ConnectionState, job: ImportJob, report: DriftReport
    ) -> None:
        self._context = context
        self._state = state
        self._report = report
        self._names = [one.field for one in report.fields]
        self._ordered = {
            name
            for name in self._names
            if isinstance(config := config_of(job, name), FieldConfig) and config.ordered
        }
        self._outbox: tuple[str, pl.Series] = ("", pl.Series(PROFILE, [], dtype=pl.String))

    def look_up(self, known: pl.DataFrame) -> None:
        """Compare profiles with what look-ups show."""
        self._report.profiles += known.height
        stamp = last_shown(self._context, self._state.runs)

        def compare(seen: pl.DataFrame, asked_at: datetime) -> None:
            self._compare(seen, stamp, asked_at)

        if known.height:
            profiles = known[PROFILE].sort()
            look_up_parts(self._context, profiles, self._names, compare)

    def export(self, users: SegmentUsers, known: pl.DataFrame, first: int, end: int) -> None:
        """Compare profiles of a range of slices with what a segment export shows."""
        report = self._report
        report.profiles += known.height
        ids = external_ids_among(known[PROFILE])
        newest = self._state.runs.newest()
        others = known[PROFILE].filter(~known[PROFILE].is_in(ids.implode()))
        told = users.told(first, end, others, last=newest.document.seq if newest else 0)
        seen = users.between(first, end).join(known, on=PROFILE, how="semi")
        missing = ids.filter(~ids.is_in(seen[PROFILE].implode()))
        gone = told.absent
        if users.complete:
            gone, missing = pl.concat([gone, missing]), missing.clear()
        report.absent += missing.len() + told.missing.len()
        report.unclear += told.unclear.len()
        several = held_form({}, [], self._names, told.several)
        shown = [seen, told.seen.drop(IDENTIFIED), several, users.absent(gone)]
        self._compare(pl.concat(shown, how="diagonal"), users.stamp, users.asked_at)

    def _compare(self, seen: pl.DataFrame, stamp: int, asked_at: datetime) -> None:
        """
        Compare what was seen with what is held by now.

        What is under way is asked for first: what a run has begun to send since then was not sent
        when Braze was asked.
        """
        pending = self._pending(self._state.runs.newest())
        held = self._state.held.history_of(seen[PROFILE], [*self._names, IDENTIFIED])
        fresh = held.filter(pl.col(STAMP) > stamp)
        report = self._report
        waiting = seen.filter(pl.col(PROFILE).is_in(pending.implode()))
        rest = seen.join(waiting, on=PROFILE, how="anti")
        settled = rest.join(fresh, on=PROFILE, how="anti")
        report.pending += waiting.height
        report.fresh += rest.height - settled.height
        several = settled.filter(pl.col(EXISTS).is_null())
        pairs = paired(held, settled.filter(pl.col(EXISTS).is_not_null()), self._names)
        there = pairs.filter(pl.col(SEEN + EXISTS))
        report.ambiguous += several.height
        report.gone += pairs.height - there.height
        report.compared += there.height
        changed = [
            one.add(there, expected(one.field), ordered=one.field in self._ordered).alias(one.field)
            for one in report.fields
        ]
        report.changed += int(
            pl.DataFrame(changed).select(pl.any_horizontal(pl.all())).sum().item()
        )
        self._state.held.observe(news(pairs, self._names), stamp=stamp, at=asked_at)
        doubts = doubted(held.join(several, on=PROFILE, how="semi"), self._names)
        self._state.held.observe(doubts, stamp=stamp, at=asked_at)

    def _pending(self, newest: VersionedRun | None) -> pl.Series:
        """Name the profiles of a run that is under way."""
        if newest is None or newest.document.state in ENDED or not newest.document.outbox:
            return self._outbox[1].clear()
        run = newest.document
        if self._outbox[0] != run.outbox:
            outbox = load(self._context, run.outbox, run.outbox_sha256)
            self._outbox = run.outbox, outbox[PROFILE]
        return self._outbox[1]
