"""
Sends the first objects of a run, reads them back, and only then the rest (``canary``).

What was decided stands in the run document before anything follows from it, so whoever goes on with
the run goes on with that. If Braze does not have what was sent first, the rest is withheld: it is
owed from then on, as what Braze refused is, and a retry gives it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import structlog

from exchanger.errors import Stopped
from exchanger.jobs.delivery.sender import Delivery, deliver
from exchanger.jobs.history.shown import wait_until_done
from exchanger.jobs.observing.first_delivery_check import note_lost
from exchanger.jobs.observing.lookup import look_up
from exchanger.notes import Note, noted, with_notes
from exchanger.profiles.frames.columns import EXISTS, ITEM, PROFILE, SURE, WANTED
from exchanger.profiles.planning.readback_check import beside, long_sample, not_stuck
from exchanger.state.runs.acknowledgements import NOT_SENT, SendCounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.acknowledgements import Acknowledgements
    from exchanger.state.runs.log import RunDocument, VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


def deliver_in_turn(  # noqa: PLR0913, PLR0917 - a run, and what *deliver* takes
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    outbox: FrameFile,
    acks: Acknowledgements,
    confirm: Callable[[], None],
    group: str,
) -> tuple[VersionedRun, Delivery]:
    """
    Send what is not yet acknowledged: all at once, or the rest after what is sent first was kept.

    Returns:
        The run, which tells what was decided; and how far it came.

    Raises:
        BrazeError: As for *deliver*, or nothing could be read back; the next process goes on.
        LeaseLost: As for *deliver*.
        StorageChanged: Another process is ending the same run.
    """
    sending = partial(deliver, context, outbox, acks, confirm)
    first = Delivery(SendCounts(), complete=True, group=group)
    if stored.document.canary:
        first = asyncio.run(sending(group, first=stored.document.canary))
        if not first.complete:
            return stored, first
        try:
            _wait(context, stored.document, acks, first)
            found = _read_back(context, outbox, acks, stored.document.canary)
        except Stopped:
            return stored, replace(first, complete=False)
        stored = _decide(state, stored, found)
    if stored.document.rest_withheld:
        confirm()
        _withhold_rest(outbox, acks)
    rest = asyncio.run(sending(first.group))
    return stored, replace(rest, taken=first.taken + rest.taken if rest.group else 0)


class _Found(NamedTuple):
    """What was found of the objects that were sent first."""

    objects: int
    refused: int
    profiles: int
    values: int
    differing: int
    told: list[Note]

    @property
    def kept(self) -> bool:
        """Whether Braze took each, and has what was sent; what nobody has seen proves nothing."""
        return self.values > 0 and not self.refused and not self.differing


def _wait(context: JobContext, run: RunDocument, acks: Acknowledgements, first: Delivery) -> None:
    """
    Wait until Braze shows what was sent first.

    Raises:
        Stopped: The process was asked to stop.
    """
    context.progress.step("waiting until Braze shows what was sent first")
    asked = replace(run, group="" if run.resumed else first.group, taken=first.taken)
    # S3 tells times in whole seconds.
    wait_until_done(context, asked, context.grace + 1 - acks.age())


def _read_back(
    context: JobContext, outbox: FrameFile, acks: Acknowledgements, first: int
) -> _Found:
    """Compare what was sent first with what Braze has; of people whom it lacks it has nothing."""
    # All of it is read: a plan that was reviewed has its lighter objects at the end.
    parts = [part.filter(pl.col(ITEM) < first) for part in outbox.frames()]
    sent = acks.read(acks.parts()).beside(pl.concat(parts))
    refused = sent.filter(pl.col("outcome") == "refused").height
    accepted = sent.filter(pl.col("outcome") == "ok")
    names = [name.removeprefix(WANTED) for name in accepted.columns if name.startswith(WANTED)]
    sample = long_sample(accepted, names)
    if sample.is_empty():
        return _Found(sent.height, refused, 0, 0, 0, [])
    shown = look_up(context, sample.select(PROFILE, "field"))
    # Whom Braze may not create it need not have.
    certain = [accepted.filter(SURE)[PROFILE], shown.filter(EXISTS)[PROFILE]]
    shown = shown.filter(pl.col(PROFILE).is_in(pl.concat(certain).unique().implode()))
    seen = beside(sample, shown.with_columns(pl.lit(value=True).alias(EXISTS)), "seen")
    known, lost = seen.filter(pl.col("seen").is_not_null()), not_stuck(seen)
    profiles = known[PROFILE].n_unique()
    return _Found(sent.height, refused, profiles, known.height, lost.height, note_lost(seen, lost))


def _decide(state: ConnectionState, stored: VersionedRun, found: _Found) -> VersionedRun:
    """Put into the run document whether the rest is sent: from here any process does the same."""
    run = stored.document
    rest = run.objects - found.objects
    told = noted("canary_kept", profiles=found.profiles, values=found.values, rest=rest)
    if not found.kept:
        told = noted(
            "canary_held",
            run=run.seq,
            objects=found.objects,
            refusals=found.refused,
            values=found.values,
            differing=found.differing,
            rest=rest,
        )
    log.info("canary.decided", seq=run.seq, kept=found.kept, differing=found.differing)
    return state.runs.change(
        stored,
        canary=0,
        rest_withheld=not found.kept,
        report=with_notes(run.report, [*found.told, told]),
    )


def _withhold_rest(outbox: FrameFile, acks: Acknowledgements) -> None:
    """Keep that what has no answer is not sent: of the rest, nobody has ever begun to send any."""
    answered = acks.read(acks.parts()).items
    for part in outbox.frames([ITEM]):
        left = part.filter(~pl.col(ITEM).is_in(answered.implode()))
        acks.withhold(left.with_columns(pl.lit(NOT_SENT).alias("reason")))
