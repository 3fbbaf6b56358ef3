"""
The story of forgetting a person: what the bucket remembers of a profile goes, and is told.

Under the lease, and only once every run has ended: what a run has planned must be sent as it was
planned. Safe to stop anywhere and to start again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import RunUnsuitable
from exchanger.jobs.lifecycle.exclusive import with_lease
from exchanger.jobs.lifecycle.forget_objects import StoredRows
from exchanger.jobs.lifecycle.kept_copies import copies_of_decided_runs, kept_copies
from exchanger.jobs.lifecycle.retention import has_quarantine
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import IDENTIFIED, PROFILE
from exchanger.profiles.spelling.profile_key import kind_of
from exchanger.profiles.spelling.same_person import LINKED, links_of
from exchanger.state.held.forgetting import count_rows, forget_rows, slice_number
from exchanger.state.runs.log import ENDED
from exchanger.state.store import ConnectionState, open_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.delta.table import Table

log = structlog.get_logger()

_ALWAYS = (
    "files in the folders of your jobs, corrected rows beside them, and their old versions",
    "datasets that exports published, and what Braze itself exported",
    "the profile in Braze",
    "old versions of objects, in a bucket that keeps versions",
)
"""What is never touched."""


@dataclass
class ForgetReport:
    """
    What became of a person on one connection.

    Args:
        connection: Its name.
        erased: Whether it was done, or only looked at.
        touched: By kind of state, how many rows named the person.
        left: What still may name them below the state prefix, and what to type about it.
        notes: What follows from it, in words.
        facts: What is noted of that.
        unreachable: What is never touched.
    """

    connection: str
    erased: bool
    touched: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: list[Note] = field(default_factory=list)
    unreachable: tuple[str, ...] = _ALWAYS


def forget(context: JobContext, profile: str, *, erase: bool, wait: float) -> ForgetReport:
    """
    Find what the bucket remembers of a person, and erase it.

    Args:
        context: The connection. Braze is not asked for anything.
        profile: The identifier.
        erase: Otherwise nothing is written anywhere.
        wait: Seconds to wait for another process that writes to the same connection.

    Raises:
        RunUnsuitable: A run has not ended.
        JobBusy: Another process writes to this connection, and did not end while we waited.
        StorageError: S3 refused or did not answer; what was erased until then is gone.
    """
    state = open_state(context.bucket, context.state_prefix)
    if not erase:
        return _every_name(context, state, profile, erase=False)
    return with_lease(
        context,
        state,
        "forget",
        wait,
        lambda held: _every_name(held, state, profile, erase=True),
    )


def _every_name(
    context: JobContext, state: ConnectionState, profile: str, *, erase: bool
) -> ForgetReport:
    """Forget a profile under all keys that are held to mean it, its own last."""
    others = _other_keys(state, profile)
    reports = [
        _Forgetting(context, state, key, erase=erase).everywhere() for key in (*others, profile)
    ]
    last = reports[-1]
    for report in reports[:-1]:
        for kind, rows in report.touched.items():
            last.touched[kind] += rows
        last.facts += [note for note in report.facts if note not in last.facts]
    return last


def _other_keys(state: ConnectionState, profile: str) -> list[str]:
    """Name the other keys of a person, also those of whom has no external id by an alias."""
    own = pl.Series(PROFILE, [profile])
    links = links_of(state.held.of(own, [IDENTIFIED])).drop_nulls(LINKED)
    alias = links.filter(pl.col(PROFILE) == profile, kind_of(pl.col(LINKED)) != "external_id")
    people = [*alias[LINKED], profile]
    keys = [key for person in people for key in (person, *state.held.linked_to(person))]
    return [key for key in dict.fromkeys(keys) if key != profile]


@dataclass(frozen=True)
class _Forgetting:
    context: JobContext
    state: ConnectionState
    profile: str
    erase: bool

    def everywhere(self) -> ForgetReport:
        """Go through everything below the state prefix that may name the person."""
        last = self._last_run()
        report = ForgetReport(self.context.connection, erased=self.erase)
        if self.erase:
            # First: should this process die, whoever is unknown there already counts for nothing.
            self.state.forgotten.add(slice_number(self.profile), last)
        marks = self.state.high_water_marks.tables()
        rows = StoredRows(self.context, self.state, self.profile, erase=self.erase)
        report.touched = {
            "held values": self._tables([self.state.held.table]),
            "changes": self._tables(self.state.changes.tables()),
            "high-water marks": self._tables(marks),
            "samples of first deliveries": self._samples(),
            **rows.everywhere(),
        }
        self._copies(report, last)
        if report.touched["contributions"]:
            report.facts.append(noted("sums_forgotten"))
        if any(report.touched.values()):
            log.info("person.forgotten" if self.erase else "person.found", **_counts(report))
        return report

    def _is_done(self, seq: int) -> bool:
        """Return whether nothing of a run can be given again, so that it reads no copies."""
        return not has_quarantine(self.state.runs.read(seq).document)

    def _last_run(self) -> int:
        newest = self.state.runs.newest()
        if newest is None:
            return 0
        run = newest.document
        if run.state not in ENDED:
            detail = f"it has not ended: exchanger run {run.job}, or exchanger discard {run.seq}"
            raise RunUnsuitable(str(run.seq), "forget", detail)
        return run.seq

    def _tables(self, tables: Iterable[Table]) -> int:
        found = 0
        for table in tables:
            self.context.may_send()
            found += count_rows(table, self.profile)
            if self.erase:  # Also where nothing is found: earlier versions may have had rows.
                forget_rows(table, self.profile)
        return found

    def _samples(self) -> int:
        found = self.state.first_deliveries.count(self.profile)
        if found and self.erase:
            self.state.first_deliveries.forget(self.profile)
        return found

    def _copies(self, report: ForgetReport, last: int) -> None:
        """Remove the copies that nobody reads any more, and tell which are left."""
        bucket, of = self.context.bucket, self.context.option
        if self.erase:
            bucket.delete(copies_of_decided_runs(bucket, self.state, last, self._is_done))
        for seq, _ in kept_copies(bucket, self.state):
            run = self.state.runs.read(seq).document
            files = ", ".join(file.key for file in run.files)
            if run.state == "held_back" and not run.continued_by:
                does = f"exchanger approve {seq}{of} or exchanger discard {seq}{of}"
            else:
                does = f"exchanger retry {run.continued_by}{of}, or retention removes them in time"
            report.left.append(
                f"run {seq} keeps copies of {files}, which may name them: {does}; then forget again"
            )


def _counts(report: ForgetReport) -> dict[str, int]:
    return {kind.replace(" ", "_"): rows for kind, rows in report.touched.items()}
