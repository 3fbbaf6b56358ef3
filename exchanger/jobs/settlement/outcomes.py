"""What the answers to a run come to: its counts, and what its files really gave."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import polars as pl

from exchanger.files.raw.table import in_portions
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.jobs.intake.contributions import ALREADY, CONTRIBUTED
from exchanger.jobs.intake.event_order import without_unaccepted
from exchanger.jobs.quarantine.given_again import GIVEN_AGAIN
from exchanger.jobs.runtime.artifacts import fetched, store_unless_empty
from exchanger.jobs.runtime.report import note_unseen
from exchanger.notes import Note, noted
from exchanger.objects.orders.lines import lines_of
from exchanger.profiles.frames.columns import (
    FILE,
    ITEM,
    KNOWN,
    LINES,
    POINTS,
    PROFILE,
    ROW,
    ROW_ID,
    ROWS,
    SEND,
    SURE,
    WANTED,
)
from exchanger.profiles.planning.readback_check import AT_ONCE
from exchanger.profiles.spelling.data_points import points_of
from exchanger.state.inputs.row_ledger import DOUBT
from exchanger.state.runs.acknowledgements import IN_DOUBT, NOT_TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.files.scratch.spill import Scratch, Spill
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.acknowledgements import Answers
    from exchanger.state.runs.log import ClaimedFile, RunDocument
    from exchanger.state.store import ConnectionState


@dataclass(frozen=True)
class Outcomes:
    """
    What became of the objects of a run that Braze did not accept.

    Args:
        refused: Their rows of the outbox, with ``outcome``, ``reason`` and ``uncertain``.
        without: Profiles that did not get what was given to them.
        failed: What was not accepted, for whatever reason: ``@profile``, ``outcome`` and
            ``wanted:NAME``.
        first: The first rows that were accepted of each field.
        scratch: Where all of it is kept.
    """

    refused: Spill
    without: pl.Series
    failed: pl.DataFrame
    first: pl.DataFrame
    scratch: Scratch

    def refused_of(self, files: Sequence[ClaimedFile]) -> list[ClaimedFile]:
        """Note of each file how many of its rows Braze refused."""
        counts: Counter[int] = Counter()
        tested = [place for place, file in enumerate(files) if file.outcome == "tested"]
        # What is in doubt of a test does not come again with its file.
        doubtful = pl.col(FILE).is_in(tested) & (pl.col("reason") == IN_DOUBT)
        for whole in self.refused.frames():
            part = whole.filter(~doubtful) if tested else whole
            # Of the objects of one row only the first has its count; any of them may be refused.
            rows = pl.max_horizontal(pl.col(ROWS).sum(), pl.lit(1, pl.UInt32))
            counts.update(dict(part.group_by(FILE).agg(rows).iter_rows()))
        return [replace(file, refused=counts[place]) for place, file in enumerate(files)]

    def refused_parts(self) -> Iterator[pl.DataFrame]:
        """Yield the refused rows, some at a time; at least once."""
        most = self.scratch.bounds.rows_of(1, self.refused.row_size)
        return in_portions(self.refused.frames(), most)


class OutcomeTally:
    """Counts what became of the objects of a run, part by part, and keeps what was refused."""

    def __init__(self, run: RunDocument, outbox: FrameFile, scratch: Scratch) -> None:
        self._discarded, self._shadow = run.discarded, run.shadow
        self._nothing = outbox.empty()
        self._wanted = [name for name in outbox.columns if name.startswith(WANTED)]
        self._scratch = scratch
        self._refused = scratch.spill()
        self._without = [pl.Series(PROFILE, [], pl.String)]
        self._failed: list[pl.DataFrame] = []
        self._of_profiles = KNOWN in outbox.columns
        self._first = self._nothing.select(PROFILE, *self._wanted)
        if self._of_profiles:
            self._first = self._nothing.select(PROFILE, SURE, *self._wanted)
        self._counts: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._types = {} if run.catalogs else {n: told["type"] for n, told in run.fields.items()}
        self._dropped = self._unknown = self._unknown_points = 0
        self._unseen = self._unseen_points = 0

    @staticmethod
    def needed(outbox: FrameFile) -> list[str]:
        """Name the columns of the outbox that *add* needs of accepted rows; all of the others."""
        wanted = [name for name in outbox.columns if name.startswith(WANTED)]
        control = (ITEM, PROFILE, ROWS, KNOWN, SURE, POINTS)
        in_parts = [name for name in outbox.columns if name.startswith(SEND)]
        return [*(name for name in control if name in outbox.columns), *wanted, *in_parts]

    def add(self, answered: pl.DataFrame) -> None:
        """
        Count a part.

        Args:
            answered: Rows of the outbox with ``outcome``, ``reason`` and ``uncertain``.
        """
        accepted = answered.filter(pl.col("outcome") == "ok")
        self._counts["rows_applied"] += int(accepted[ROWS].sum())
        self._counts["data_points"] += int(accepted[POINTS].sum())
        if self._of_profiles:
            candidates = pl.concat([self._first, accepted.select(PROFILE, SURE, *self._wanted)])
            self._first = _alone(_first_of_each(candidates))
            self._count_profiles(accepted)
        if accepted.height == answered.height:
            return
        refused = _alone(answered.filter(pl.col("outcome").is_in(NOT_TAKEN)))
        dropped = answered.filter(pl.col("outcome").is_null())
        unknown = answered.filter(pl.col("outcome") == "unknown")
        if refused.height:
            self._refused.add(refused)
        failed = answered.filter(pl.col("outcome").ne_missing("ok"))
        failed = _alone(failed.select(PROFILE, "outcome", *self._wanted))
        self._failed.append(failed)
        self._without.append(failed.filter(pl.col("outcome").ne_missing("unknown"))[PROFILE])
        in_doubt = refused.filter(pl.col("reason") == IN_DOUBT)
        self._counts["rows_in_doubt"] += int(in_doubt[ROWS].sum())
        self._counts["rows_refused"] += int(refused[ROWS].sum()) - int(in_doubt[ROWS].sum())
        if self._of_profiles:
            self._counts["profiles_refused"] += refused[KNOWN].count()
        if self._discarded:
            # What a discarded run did not bring to its end counts as skipped.
            self._counts["rows_skipped"] += int(dropped[ROWS].sum()) + int(unknown[ROWS].sum())
            if self._of_profiles:
                self._counts["profiles_skipped"] += dropped[KNOWN].count() + unknown[KNOWN].count()
        self._dropped += dropped.height
        self._unknown += unknown.height
        self._unknown_points += int(unknown[POINTS].sum())

    def into(self, report: RunReport) -> Outcomes:
        """Complete the counts of a report, once all parts were added."""
        for name, number in self._counts.items():
            setattr(report, name, getattr(report, name) + number)
        report.add_sent(self._sent)
        report.by_field = self._as_if_whole(report)
        if self._discarded and report.by_field:
            # A person saved the rest by dropping it, and not we by sending differences.
            report.by_field = {
                name: {"sent": told["sent"], "whole_rows": told["sent"]}
                for name, told in report.by_field.items()
            }
        report.facts += note_unseen(self._unseen, self._unseen_points)
        if self._discarded and not self._shadow:
            report.facts += _unsent(self._dropped, self._unknown, self._unknown_points)
        outcome = pl.lit(None, pl.String).alias("outcome")
        nobody = self._nothing.select(PROFILE, outcome, *self._wanted)
        return Outcomes(
            refused=self._refused,
            without=pl.concat(self._without),
            failed=pl.concat([nobody, *self._failed]),
            first=self._first,
            scratch=self._scratch,
        )

    def _as_if_whole(self, report: RunReport) -> dict[str, dict[str, int]] | None:
        """
        Return what fields cost without the rows that Braze did not take, which cost nothing whole.

        What these say of fields that they would not have changed is not known any more: as much as
        rows of the run do on average, but never less than they would have changed.
        """
        lost = self._counts["rows_refused"] + self._counts["rows_in_doubt"]
        every = report.rows_applied + report.rows_unchanged + lost
        if not lost or not report.by_field:
            return report.by_field
        found = {}
        for name, told in report.by_field.items():
            changed = sum(
                part[WANTED + name].count() for part in self._failed if WANTED + name in part
            )
            mute = max(changed, ceil(told["whole_rows"] * lost / every))
            found[name] = told | {"whole_rows": max(told["sent"], told["whole_rows"] - mute)}
        return found

    def _count_profiles(self, accepted: pl.DataFrame) -> None:
        known = int(accepted[KNOWN].sum())
        self._counts["profiles_updated"] += known
        self._counts["profiles_new"] += accepted[KNOWN].count() - known
        self._counts["fields_changed"] += sum(accepted[name].count() for name in self._wanted)
        for name, kind in self._types.items():
            sent = next((s + name for s in (SEND, WANTED) if s + name in accepted.columns), None)
            if sent is not None:
                is_json = kind == "json"
                self._sent[name] += points_of(name, accepted[sent], is_json=is_json)
        if not accepted[SURE].all():
            unseen = accepted.filter(~pl.col(SURE))
            self._unseen += unseen.height
            self._unseen_points += int(unseen[POINTS].sum())


def count_results(
    run: RunDocument, outbox: FrameFile, answers: Answers, scratch: Scratch
) -> OutcomeTally:
    """Count what became of every object, and keep what was refused."""
    count = OutcomeTally(run, outbox, scratch)
    for part in outbox.frames(OutcomeTally.needed(outbox) if answers.others.is_empty() else None):
        count.add(answers.beside(part))
    return count


def accepted_event_order(context: JobContext, run: RunDocument, outcomes: Outcomes) -> pl.DataFrame:
    """Read how far a run takes the order, without what Braze has not accepted."""
    with fetched(context, run.event_order) as orders:
        parts = [without_unaccepted(part, outcomes.failed) for part in orders.frames()]
        return pl.concat([orders.empty(), *parts])


def taken_up(answered: pl.DataFrame) -> pl.DataFrame:
    """
    Choose the rows that were taken up, by their ids: accepted, or perhaps.

    Args:
        answered: ``@row_id``, and ``@lines`` of orders, of rows of the outbox, with the answers
            beside.

    Returns:
        ``@row_id`` and ``in_doubt``; of an order also those of its lines.
    """
    unknown = (pl.col("outcome") == "unknown") | (pl.col("reason") == IN_DOUBT)
    doubt = unknown.fill_null(value=False)
    chosen = answered.drop_nulls(ROW_ID).filter((pl.col("outcome") == "ok") | doubt)
    chosen = chosen.with_columns(doubt.alias(DOUBT))
    if LINES not in chosen.columns:
        return chosen.select(ROW_ID, DOUBT)
    return pl.concat([chosen.select(ROW_ID, DOUBT), lines_of(chosen).select(ROW_ID, DOUBT)])


def keep_contributions(
    context: JobContext, state: ConnectionState, run: RunDocument, outcomes: Outcomes
) -> tuple[str, str]:
    """
    Keep what the files really gave, and what is still owed to refused profiles.

    So the first can be replaced by a newer version, and the second be given again.

    Returns:
        The keys of both; empty where there is none.
    """
    with ExitStack() as stack:
        contributions = (
            stack.enter_context(fetched(context, run.contributions)) if run.contributions else None
        )
        orders = stack.enter_context(fetched(context, run.event_order)) if run.event_order else None
        gave = (
            _keep_contributions(context, state, run, outcomes, contributions)
            if contributions is not None
            else ""
        )
        return gave, _keep_refused(context, state, run, outcomes, (contributions, orders))


def _first_of_each(accepted: pl.DataFrame) -> pl.DataFrame:
    """Choose the rows that are among the first of any field."""
    among = [
        pl.col(name).is_not_null() & (pl.col(name).is_not_null().cum_sum() <= AT_ONCE)
        for name in accepted.columns
        if name.startswith(WANTED)
    ]
    return accepted.filter(SURE).filter(pl.any_horizontal(pl.lit(value=False), *among))


def _alone(rows: pl.DataFrame) -> pl.DataFrame:
    """Copy a few rows out of the texts of many, which would stay in memory with them."""
    return pl.DataFrame(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))


def _unsent(dropped: int, unknown: int, points: int) -> list[Note]:
    notes = [noted("never_sent", profiles=dropped)]
    if unknown:
        notes.append(noted("never_answered", profiles=unknown, data_points=points))
    return notes


def _keep_contributions(
    context: JobContext,
    state: ConnectionState,
    run: RunDocument,
    outcomes: Outcomes,
    contributions: FrameFile,
) -> str:
    named = pl.DataFrame(
        {FILE: range(len(run.files)), "key": [file.key for file in run.files]},
        schema={FILE: pl.UInt32, "key": pl.String},
    )
    got_none = outcomes.without.to_frame()
    in_time = ~pl.col(ALREADY)  # What was given before was given, whatever Braze says now.
    with FrameWriter(outcomes.scratch.path()) as writer:
        writer.append(pl.DataFrame(schema=CONTRIBUTED))
        for part in contributions.frames():
            now = part.filter(in_time).join(got_none, on=PROFILE, how="anti")
            gave = pl.concat([now, part.filter(~in_time)]).join(named, on=FILE)
            writer.append(gave.select(CONTRIBUTED.names()))
        return _stored(context, state.names.settled_contributions(run.seq), writer)


def _keep_refused(
    context: JobContext,
    state: ConnectionState,
    run: RunDocument,
    outcomes: Outcomes,
    given: tuple[FrameFile | None, FrameFile | None],
) -> str:
    if not outcomes.refused.rows:
        return ""
    again = GIVEN_AGAIN[run.kind.given_again]
    with FrameWriter(outcomes.scratch.path()) as writer:
        for part in outcomes.refused_parts():
            rows = again.kept(run, part, given)
            # Rows are numbered through the object.
            writer.append(rows.with_columns(pl.col(ROW) + pl.lit(writer.rows, pl.UInt32)))
        return _stored(context, state.names.refused_rows(run.job, run.seq), writer)


def _stored(context: JobContext, key: str, writer: FrameWriter) -> str:
    frames = writer.close()
    stored = store_unless_empty(context, key, frames)
    frames.remove()
    return stored
