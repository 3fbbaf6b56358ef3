"""One call of an import: what every step of its story needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from exchanger.config.models import ImportJob
from exchanger.files.signs import Entry
from exchanger.jobs.runtime.context import JobContext
from exchanger.jobs.runtime.memories import Memories
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.report import RunReport, new_run_id
from exchanger.objects.kinds import ObjectKind, kind_of
from exchanger.outside.s3.objects import ObjectInfo
from exchanger.state.held.items import HeldItems
from exchanger.state.held.table import HeldValues
from exchanger.state.store import ConnectionState


@dataclass
class Listing:
    """
    What a call saw of its folder the last time, of what it may have to take.

    Args:
        files: Those that were new, or wait for a person.
        usable_until: Until when, by the monotonic clock, it may stand for another listing.
        manifests: What was read of manifests, by key and ETag: names, and what is wrong with them.
        incomplete: How many files it left as they are not complete.
        awaits_corrections: Rejected rows of the job are kept that a person may correct.
    """

    files: list[ObjectInfo] = field(default_factory=list)
    usable_until: float = 0.0
    manifests: dict[tuple[str, str], tuple[Sequence[Entry], str]] = field(default_factory=dict)
    incomplete: int = 0
    awaits_corrections: bool = False


@dataclass(frozen=True)
class ImportContext:
    """
    One call of ``run_import`` or ``plan_import``.

    Args:
        context: The outside.
        state: What the bucket remembers.
        name: The job's name.
        job: The job.
        options: What a person asked for.
        record: Whether anything may be written; ``plan`` writes nothing.
        learn: Whether what was looked up may be recorded all the same.
        shown: How many objects are shown of rows that nothing else is done with, so that no others
            need be spelled; None if all are wanted.
        taken: Key and ETag of the file versions that this call has taken already.
        memories: What else may remember the job's files.
        listing: What it saw of the folder the last time.
        ended: Reports of the runs of earlier processes that this call has finished.
    """

    context: JobContext
    state: ConnectionState
    name: str
    job: ImportJob
    options: ImportOptions
    record: bool = True
    learn: bool = False
    shown: int | None = None
    memories: Memories = field(default_factory=Memories)
    taken: set[tuple[str, str]] = field(default_factory=set)
    listing: Listing = field(default_factory=Listing)
    ended: list[RunReport] = field(default_factory=list)

    @property
    def kind(self) -> ObjectKind:
        """What the job makes of its rows."""
        return kind_of(self.job)

    @property
    def held(self) -> HeldValues | HeldItems:
        """What is held of what the job's rows name: of profiles, or of the items of catalogs."""
        if self.job.catalog_column is not None:
            return HeldItems(self.state.items)
        return self.state.items(self.job.one_catalog) if self.job.catalog else self.state.held

    @property
    def counts_files(self) -> tuple[str, ...]:
        """What each file counts for once, as no row of it has a name of its own; mostly nothing."""
        nameless = self.kind.counts_rows and not self.job.row_name
        return (f"@rows of {self.name}",) if nameless else ()


def new_report(call: ImportContext) -> RunReport:
    """Begin the report of a run."""
    now = call.context.clock.now()
    return RunReport(run_id=new_run_id(call.name, now), job=call.name, started_at=now)


def numbered_report(call: ImportContext, seq: int) -> RunReport:
    """Begin the report of the run that has this number."""
    report = new_report(call)
    report.seq = seq
    structlog.contextvars.bind_contextvars(run_id=report.run_id)
    return report
