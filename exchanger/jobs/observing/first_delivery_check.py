"""
What Braze ignores without a word is noticed: a sample of first deliveries is read back, and told.

Braze's answer means that a value is queued. It ignores values of attributes that are blocklisted,
and such as do not fit a type that is forced in its dashboard (braze-api.md 2.6). So when attributes
are delivered for the first time on a connection, a sample of them is kept; the first call of the
job after the grace reads it back. Nobody waits for that, and what is held stays as it is. Of a job
with ``delivery: {verify: ...}``, a share of what each run sent is read back likewise, and what was
found stands in the report of that run, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import polars_hash as plh
import structlog

from exchanger.errors import BrazeError, StateMissing
from exchanger.jobs.history.changes import changes_of_run
from exchanger.jobs.history.changes_since import later_changes
from exchanger.jobs.history.shown import last_shown
from exchanger.jobs.observing.lookup import look_up
from exchanger.notes import Note, noted, read_notes, with_notes
from exchanger.profiles.frames.columns import EXISTS, PROFILE, SURE, WANTED, is_shown
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.planning.readback_check import SAMPLE, beside, not_stuck, sample_of
from exchanger.state.changes import ACCEPTED, DROPPED
from exchanger.state.runs.first_deliveries import Sample
from exchanger.state.runs.log import ENDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

_LEAST, _MOST = 25, 5_000
"""Profiles of a run that are read back at least and at most, about; a request takes 50."""
_ALL = 100.0
"""Percent."""
_DRAWS = 2**32
"""Among so many numbers each profile draws one."""


def keep_sample(state: ConnectionState, run: RunDocument, accepted: pl.DataFrame) -> None:
    """
    Keep a sample of the attributes that a run was the first to deliver, and what is to be verified.

    Args:
        state: Where it is kept; done once, however often it is called.
        run: The run, ``settling``.
        accepted: What Braze accepted: rows of the outbox.
    """
    delivered = accepted.filter(SURE)
    names = [name.removeprefix(WANTED) for name in delivered.columns if name.startswith(WANTED)]
    changed = [name for name in names if is_shown(name) and delivered[WANTED + name].count()]
    new = state.first_deliveries.unknown(changed) if changed else []
    if new:
        rows = tuple(sample_of(delivered, new).iter_rows())
        state.first_deliveries.add(Sample(run.job, run.seq, rows), new)
    if run.shadow and run.objects:
        state.first_deliveries.watch(run.job, run.seq, run.verify or _ALL, shadow=True)
    elif run.verify and run.objects and not run.discarded:
        state.first_deliveries.watch(run.job, run.seq, run.verify)


def due(call: ImportContext) -> list[Sample]:
    """List the samples of a job that Braze must show by now, unless another run is under way."""
    asks = call.job.subscription is not None and call.job.subscription.double_opt_in
    if asks:
        return []  # Whom Braze asks first is not subscribed until they agree.
    waiting = call.state.first_deliveries.waiting(call.name)
    newest = call.state.runs.newest() if waiting else None
    if newest is None or newest.document.state not in ENDED:
        return []
    shown = last_shown(call.context, call.state.runs)
    after = call.job.delivery.compare_after.total_seconds()
    return [
        sample
        for sample in waiting
        if sample.seq <= shown and (not sample.shadow or call.state.runs.age(sample.seq) >= after)
    ]


def read_back(call: ImportContext) -> list[Note]:
    """
    Read back what is due, and tell what did not stick.

    Values that have changed since are left out. Under the lease, so that it is done once.

    Returns:
        A note for each attribute that Braze did not take.

    Raises:
        Stopped: The process was asked to stop; it is done the next time.
    """
    samples = due(call)
    if not samples:
        return []
    rows = [row for sample in samples for row in sample.rows]
    told = _first_deliveries(call, pl.DataFrame(rows, schema=SAMPLE, orient="row"))
    for sample in samples:
        if sample.share:
            told += _of_shadow(call, sample) if sample.shadow else _verified(call, sample)
    call.state.first_deliveries.close(call.name, [each.seq for each in samples])
    return [*dict.fromkeys(told)]


def _first_deliveries(call: ImportContext, rows: pl.DataFrame) -> list[Note]:
    """Note what did not stick of attributes that were delivered for the first time."""
    if rows.is_empty():
        return []
    sample = _unchanged(call, rows)
    try:
        return _compared(call, sample).told
    except (BrazeError, StateMissing) as error:
        log.warning("readback.failed", error=str(error))
        names = sample["field"].unique(maintain_order=True).to_list()
        return [noted("not_read_back", fields=names)]


def _verified(call: ImportContext, sample: Sample) -> list[Note]:
    """Note what is found of the share of a run that is read back, in its report as well."""
    run = call.state.runs.read(sample.seq).document
    try:
        found = _compared(call, _unchanged(call, _share_of(call, run, sample.share)))
    except (BrazeError, StateMissing) as error:
        log.warning("readback.failed", seq=run.seq, error=str(error))
        return [noted("not_verified", run=run.seq)]
    counts = found.counts
    note = noted(
        "verified",
        run=run.seq,
        profiles=counts["profiles"],
        values=counts["values"],
        differing=counts["differing"],
    )
    log.info("readback.verified", seq=run.seq, **counts)
    _amend(call, run, counts, [note, *found.told])
    return [note, *found.told]


def _amend(
    call: ImportContext, run: RunDocument, counts: dict[str, int], told: Sequence[Note]
) -> None:
    """Put what was found into the report of the run itself; may be done again."""
    report = call.state.run_index.find(str(run.seq))
    if report is not None and report.get("seq") == run.seq:
        known = read_notes(report.get("facts", []))
        report = with_notes(report, [each for each in told if each not in known])
        call.state.run_index.amend(report | {"verified": counts}, at=call.context.clock.now())


def _of_shadow(call: ImportContext, sample: Sample) -> list[Note]:
    """Note how far Braze has by now what a run planned and did not send; in its report as well."""
    run = call.state.runs.read(sample.seq).document
    try:
        planned = _share_of(call, run, sample.share, DROPPED)
        later = later_changes(call, run.seq, planned[PROFILE].unique(), accepted=False)
        planned = planned.join(later, on=[PROFILE, "field"], how="anti", maintain_order="left")
        if planned.is_empty():
            return []
        found = look_up(call.context, planned.select(PROFILE, "field"))
        # Whom Braze does not have has none of it.
        seen = beside(planned, found.with_columns(pl.lit(value=True).alias(EXISTS)), "seen")
    except (BrazeError, StateMissing) as error:
        log.warning("shadow.not_compared", seq=run.seq, error=str(error))
        return [noted("shadow_not_compared", run=run.seq)]
    known = seen.filter(pl.col("seen").is_not_null())
    others = not_stuck(seen)
    profiles, values, differing = known[PROFILE].n_unique(), known.height, others.height
    told = [
        noted(
            "shadow_compared", run=run.seq, profiles=profiles, values=values, differing=differing
        ),
        *(_differing(name, others, known) for name in others["field"].unique(maintain_order=True)),
    ]
    _amend(call, run, {"profiles": profiles, "values": values, "differing": differing}, told)
    return told


def _differing(name: str, others: pl.DataFrame, known: pl.DataFrame) -> Note:
    rows = others.filter(pl.col("field") == name)
    of = known.filter(pl.col("field") == name).height
    _, _, wanted, found = rows.row(0)
    return noted(
        "shadow_differs",
        field=name,
        profiles=rows.height,
        of=of,
        wanted=wanted,
        found=found,
    )


def _share_of(
    call: ImportContext, run: RunDocument, share: float, outcome: str = ACCEPTED
) -> pl.DataFrame:
    """Choose profiles of a run by chance, the same however often it is asked: all their values."""
    most = _MOST / max(run.objects, 1)
    part = min(max(share / 100, _LEAST / max(run.objects, 1)), most)
    found = [pl.DataFrame(schema=SAMPLE)]
    for changes in changes_of_run(call.context, call.state, run):
        meant = changes.filter(pl.col("outcome") == outcome)
        mixed = meant.with_columns(filled("{}/{}", "profile", pl.lit(run.seq)).alias("@mix"))
        chance = (plh.col("@mix").nchash.xxhash64() % _DRAWS) < int(part * _DRAWS)
        chosen = mixed.filter(chance | (part >= 1))
        found.append(chosen.select(pl.col("profile").alias(PROFILE), "field", "wanted"))
    return pl.concat(found)


def _unchanged(call: ImportContext, sample: pl.DataFrame) -> pl.DataFrame:
    """Leave out what later runs have changed, or somebody was seen to have changed."""
    fields = sample["field"].unique().to_list()
    held = beside(sample, call.state.held.of(sample[PROFILE].unique(), fields), "held")
    return held.filter(pl.col("held") == pl.col("wanted")).select(SAMPLE.names())


class _Found(NamedTuple):
    """What was read back: how much, and a note of each attribute that Braze did not take."""

    counts: dict[str, int]
    told: list[Note]


def _compared(call: ImportContext, sample: pl.DataFrame) -> _Found:
    if sample.is_empty():
        return _Found({"profiles": 0, "values": 0, "differing": 0}, [])
    shown = last_shown(call.context, call.state.runs)
    seen = beside(sample, look_up(call.context, sample.select(PROFILE, "field")), "seen")
    lost = not_stuck(seen)
    if lost.height:
        # Changed back and forth within the grace, a value may show the one in between.
        fresh = later_changes(call, shown, lost[PROFILE])
        lost = lost.join(fresh, on=[PROFILE, "field"], how="anti", maintain_order="left")
    known = seen.filter(pl.col("seen").is_not_null())
    counts = {"profiles": known[PROFILE].n_unique(), "values": known.height}
    return _Found(counts | {"differing": lost.height}, note_lost(seen, lost))


def note_lost(seen: pl.DataFrame, lost: pl.DataFrame) -> list[Note]:
    """
    Note each attribute that Braze did not take, with an example.

    Args:
        seen: What was read back, as ``readback_check.beside`` gives it.
        lost: Those values of it that are not as they were sent.
    """
    told = []
    for name in lost["field"].unique(maintain_order=True):
        rows = lost.filter(pl.col("field") == name)
        of = seen.filter(pl.col("field") == name, pl.col("seen").is_not_null()).height
        log.warning("readback.not_kept", field=name, profiles=rows.height, of=of)
        _, _, sent, found = rows.row(0)
        told.append(
            noted(
                "not_kept", field=name, profiles=rows.height, read_back=of, sent=sent, found=found
            )
        )
    return told
