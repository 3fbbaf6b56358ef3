"""
What runs sent of one person that is no value which is held.

Events, purchases, orders, events of audiences, and calls about people: no table has whom they were
about, so the plans of the runs are read, as long as these are kept, the newest first. Of a plan
only the keys are read at first, some rows at a time, and the rest if it names the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import MEMBERSHIP
from exchanger.errors import StateMissing
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    FILE,
    ITEM,
    MEMBER,
    NAMES,
    OBJECT,
    OTHER,
    OTHER_WHO,
    PROFILE,
    ROW,
    ROWS,
    WHO,
)
from exchanger.profiles.spelling.profile_key import shown
from exchanger.state.changes import ACCEPTED, DROPPED, IN_DOUBT, SHADOW
from exchanger.state.runs.acknowledgements import NOT_TAKEN, Acknowledgements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

MOST_RUNS = 100
"""Runs of one job whose plans are read, the newest first."""
_MOST_PLANNED = 20_000_000
"""Objects in plans of one job after which no older one is read."""
_MOST_TOLD = 1_000
"""Objects of one person after which no older run of a job is looked at."""
_WHOM = (PROFILE, OTHER, WHO, OTHER_WHO, NAMES)
_TOLD = (ITEM, *_WHOM, ENDPOINT, OBJECT, FILE, ROW, ROWS)


@dataclass(frozen=True)
class SentObject:
    """
    What one run sent of somebody, or meant to.

    Args:
        run: Its number.
        run_id: Its id.
        job: Its job.
        at: When Braze's last answer to it came; ISO 8601.
        kind: What its rows became: ``events``, ``purchases``, ``renames`` and so on.
        profile: Whom it is about, as people write it.
        other: The other identifier that a call about people names, likewise.
        object: The JSON object; None where only membership was noted, and nothing sent.
        member: Of an audience with events, whether the person belongs to it since.
        outcome: As of a change; ``shadow`` if the job was in shadow.
        reason: What Braze said where it did not accept it, or why it was not sent.
        file: The file that gave it.
        row: Its row there; of an order the first one; None if the file gave it by lacking the
            person.
        rows: How many rows said so.
    """

    run: int
    run_id: str
    job: str
    at: str
    kind: str
    profile: str
    other: str | None
    object: str | None
    member: bool | None
    outcome: str
    reason: str | None
    file: str | None
    row: int | None
    rows: int


def is_about(columns: Collection[str], keys: Sequence[str]) -> pl.Expr:
    """
    Return which rows of a run's objects are about somebody.

    Args:
        columns: That the rows have. Calls about people name others beside: the new id, whom is
            kept, who was meant.
        keys: Of the person.
    """
    theirs = pl.Series(keys, dtype=pl.String).implode()
    single = [pl.col(name).is_in(theirs) for name in _WHOM[:-1] if name in columns]
    listed = [pl.col(NAMES).list.contains(key) for key in keys if NAMES in columns]
    return reduce(or_, (each.fill_null(value=False) for each in (*single, *listed)))


@dataclass(frozen=True)
class SoughtObjects:
    """
    Whose objects are looked for.

    Args:
        keys: Of the person.
        job: The job that is asked for: of others only calls about people are told.
        every: Whether no run of that job holds values, so that all of them may have sent some.
        uncertain: Whether a value of the person is uncertain, so that such a call may be why.
        before: Only runs before this one.
    """

    keys: Sequence[str]
    job: str
    every: bool = False
    uncertain: bool = False
    before: int | None = None

    def is_of_kind(self, run: RunDocument) -> bool:
        """Return whether the rows of a run became anything that is told."""
        own = run.job == self.job and not run.kind.holds_values
        return own or "people" in run.kind.settles


def objects_sent(
    context: JobContext, state: ConnectionState, sought: SoughtObjects
) -> tuple[list[SentObject], list[Note]]:
    """
    Find what runs sent of somebody, as far as it is kept.

    Returns:
        The objects, in the order of the runs, and what is to be noted of those not looked at.
    """
    marks = state.swept.load()
    kept_after = max(marks.outbox, marks.acknowledgements)
    found: list[SentObject] = []
    facts = []
    if kept_after and sought.every:
        facts.append(noted("sent_not_kept", run=kept_after))
    elif kept_after and sought.uncertain:
        facts.append(noted("calls_not_kept", run=kept_after))
    numbers = state.run_index.numbers(kept_after, sought.job, every=sought.every)
    for job, runs in numbers.items():
        search = _Search(context, state, sought)
        for seq in runs:
            if sought.before and seq >= sought.before:
                continue
            if not search.goes_on():
                facts.append(noted("sent_not_searched", job=job, run=seq))
                break
            run = state.runs.read(seq).document
            if not sought.is_of_kind(run) and job != sought.job:
                break  # Nor are its other ones.
            search.look_into(run)
        found += search.found
        facts += search.facts
    return sorted(found, key=lambda one: (one.run, one.file or "", one.row or 0)), facts


class _Search:
    """Looks into the plans of one job, of which two portions are in memory."""

    def __init__(self, context: JobContext, state: ConnectionState, sought: SoughtObjects) -> None:
        self._context, self._state, self._sought = context, state, sought
        self._runs = self._planned = 0
        self.found: list[SentObject] = []
        self.facts: list[Note] = []

    def goes_on(self) -> bool:
        """Return whether one more run is looked into; the first one always is."""
        self._context.go_on()
        few = self._runs < MOST_RUNS and self._planned < _MOST_PLANNED
        return few and len(self.found) < _MOST_TOLD

    def look_into(self, run: RunDocument) -> None:
        """Add what a run sent, if it has ended; that it is not kept any more is noted."""
        self._runs += 1
        ended = run.state in ("settled", "discarded")
        if not ended or not run.objects or not self._sought.is_of_kind(run):
            return
        self._planned += run.objects
        try:
            with fetched(self._context, run.outbox) as outbox:
                for rows in self._theirs(run, outbox):
                    self.found += _told(run, rows)
                    if len(self.found) >= _MOST_TOLD:
                        self.facts.append(noted("sent_not_told", run=run.seq, job=run.job))
                        return
        except StateMissing:
            self.facts.append(noted("sent_gone", run=run.seq, job=run.job))

    def _theirs(self, run: RunDocument, outbox: FrameFile) -> Iterator[pl.DataFrame]:
        about = is_about(outbox.columns, self._sought.keys)
        named = outbox.frames(_WHOM, rows=self._most(outbox))
        if not any(part.select(about.any()).item() for part in named):
            return
        acks = Acknowledgements(self._context.bucket, self._state.names, run.seq)
        answers = acks.read(run.ack_parts)
        belongs = [name for name in outbox.columns if name.startswith(MEMBER)]
        for part in outbox.frames((*_TOLD, *belongs), rows=self._most(outbox)):
            theirs = answers.beside(part).filter(about)
            if theirs.height:
                yield theirs.with_columns(_outcome(run).alias("outcome"))

    def _most(self, outbox: FrameFile) -> int:
        return self._context.bounds.rows_of(1, outbox.row_size)


def _outcome(run: RunDocument) -> pl.Expr:
    outcome = pl.col("outcome")
    perhaps = (outcome == "unknown") | (outcome.is_in(NOT_TAKEN) & pl.col("uncertain"))
    return (
        pl.when(outcome == "ok")
        .then(pl.lit(ACCEPTED))
        .when(perhaps)
        .then(pl.lit(IN_DOUBT))
        .otherwise(outcome.fill_null(SHADOW if run.shadow else DROPPED))
    )


def _told(run: RunDocument, rows: pl.DataFrame) -> Iterator[SentObject]:
    keys = [name for name in (PROFILE, OTHER) if name in rows.columns]
    for row in rows.with_columns(shown(pl.col(name)) for name in keys).iter_rows(named=True):
        member = next((value for name, value in row.items() if name.startswith(MEMBER)), None)
        yield SentObject(
            run=run.seq,
            run_id=run.run_id,
            job=run.job,
            at=run.acked_at,
            kind=run.object,
            profile=row[PROFILE],
            other=row.get(OTHER),
            object=None if row[ENDPOINT] == MEMBERSHIP.name else row[OBJECT],
            member=member,
            outcome=row["outcome"],
            reason=row["reason"],
            file=run.files[row[FILE]].key if run.files else None,
            row=None if run.removal else row[ROW],
            rows=row.get(ROWS, 1),
        )
