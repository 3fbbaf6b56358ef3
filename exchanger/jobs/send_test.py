"""
The story of a test: one row is given by itself, and what Braze says of it is told.

It is a run like any other. A row of a waiting file counts once: what it gives to sums is left out
of what its file gives later, and an object that adds up in Braze is not sent again with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import polars as pl

from exchanger.braze.endpoints import COHORTS, endpoint_named
from exchanger.errors import CannotTest
from exchanger.jobs.intake.doubtful_types import doubtful_files
from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.inventory.listing import waiting_files
from exchanger.jobs.lifecycle.create_run import create_run
from exchanger.jobs.lifecycle.exclusive import plan_and_commit, with_lease_on_run
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.planning.guards import decision_guards
from exchanger.jobs.planning.plan import planned
from exchanger.jobs.planning.preview import PlanReport, preview
from exchanger.jobs.reading.read import read_all_files
from exchanger.jobs.runtime.import_context import ImportContext, new_report, numbered_report
from exchanger.jobs.runtime.memories import memories_of
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import recognise
from exchanger.notes import noted
from exchanger.outside.braze.cohorts import creation, with_keys
from exchanger.profiles.frames.columns import ENDPOINT, OBJECT
from exchanger.profiles.planning.payloads import bodies
from exchanger.state.runs.log import new_nonce
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.notes import Note
    from exchanger.outside.braze.answers import Answer
    from exchanger.outside.braze.client import Braze
    from exchanger.outside.braze.transport import Call
    from exchanger.state.runs.log import VersionedRun


@dataclass(frozen=True)
class OneRow:
    """
    The row that is tried.

    Args:
        number: In the newest file that waits, from 1.
        given: In place of that, the row itself: the JSON text of an object.
    """

    number: int = 1
    given: str = ""


@dataclass(frozen=True)
class Exchange:
    """
    A request that changes something, and Braze's answer.

    Args:
        method: Of HTTP.
        path: Of the API.
        body: As it goes out; it may hold secrets, those of a cohort too, but never the key of the
            API.
        status: Of the answer; 0 if there was none, or not yet.
        answer: Its text; it may hold secrets, the key too.
    """

    method: str
    path: str
    body: str
    status: int = 0
    answer: str = ""


def plan_test(
    context: JobContext, name: str, job: ImportJob, row: OneRow
) -> tuple[PlanReport, list[Exchange]]:
    """
    Return what a row would send, and the requests; nothing is written anywhere.

    Raises:
        CannotTest: It cannot be given by itself.
        BrazeError: A look-up failed.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    call = ImportContext(context, state, name, job, ImportOptions(), record=False)
    call = replace(call, memories=memories_of(context, state, record=False))
    report = new_report(call)
    batch = _read(call, row)
    report.facts += _counts_by_itself(batch, row)
    plan = planned(call, report, batch)
    requests = _requests(context, job, plan.outbox)
    exposure = plan.exposure(report, context.batch_size)
    exposure.expect_all_accepted(report)
    return preview(call, report, plan, exposure), requests


def send_test(  # noqa: PLR0913, PLR0917 - what is tried, and who listens
    context: JobContext,
    name: str,
    job: ImportJob,
    row: OneRow,
    wait: float,
    heard: Callable[[Exchange], None],
) -> RunReport:
    """
    Send one row by itself, and settle it as any run.

    Args:
        context: The outside.
        name: The job's name.
        job: The job.
        row: What is given.
        wait: Seconds to wait for another process that writes to the same connection.
        heard: Told of every request that changes something, once it is answered.

    Raises:
        CannotTest: It cannot be given by itself; nothing was sent.
        BrazeError: As for an import.
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection.
        Stopped: The process was asked to stop before anything counted.
    """

    def tested(call: ImportContext) -> RunReport:
        # What it is about is tried by whoever looks after the job, not dropped by anybody.
        quiet = replace(call.context, pages=None)
        memories = memories_of(call.context, call.state, record=True)
        call = replace(call, context=quiet, memories=memories)
        stored = plan_and_commit(call, lambda number: _plan_and_commit(call, number, row))
        return finish(_overheard(call.context, heard), call.state, stored)

    return with_lease_on_run(context, name, job, wait, tested)


def _plan_and_commit(call: ImportContext, number: int, row: OneRow) -> VersionedRun:
    batch = _read(call, row)
    report = numbered_report(call, number)
    report.facts += _counts_by_itself(batch, row)
    hold = partial(_not_sent, call)
    return create_run(call, report, batch, hold=hold, guards=decision_guards(call))


def _not_sent(
    call: ImportContext, reasons: Sequence[Note], _exposure: Exposure | None = None
) -> NoReturn:
    """
    Send nothing, as a limit would be passed.

    Raises:
        CannotTest: Always.
    """
    raise CannotTest(call.name, " ".join(map(call.context.words, reasons)))


def _read(call: ImportContext, row: OneRow) -> InputBatch:
    """
    Read the row alone.

    What one row shows of columns is not kept: the whole file may show otherwise.

    Raises:
        CannotTest: There is no such row, or it cannot count once.
    """
    if "members" in call.kind.settles:
        raise CannotTest(call.name, "who came and who went, only whole files tell")
    if call.job.delivery.shadow:
        raise CannotTest(call.name, "it is a shadow, which sends nothing")
    request = _given(row) if row.given else _of_newest(call, row.number)
    batch = read_all_files(call, [request])
    reasons = [fact for file in batch.waiting for fact in file.claim.facts]
    reasons += [fact for file in batch.files if file.outcome == "rejected" for fact in file.facts]
    if doubtful_files(batch) and not reasons:
        reasons = [noted("would_be_held_back")]
    if reasons:
        _not_sent(call, reasons)
    if not batch.rows:
        raise CannotTest(call.name, f"{request.key} has no row {row.number}")
    _demand_new(call, batch)
    return replace(batch, took_rows=False, words={}, stray=())


def _given(row: OneRow) -> FileRequest:
    """Ask for a row that was given by hand: a file of its own, which nobody has ever dropped."""
    line = " ".join(row.given.splitlines())
    name = f"given by hand ({new_nonce()})"
    return FileRequest(name, "", "in_full", test=1, content=f"{line}\n".encode())


def _of_newest(call: ImportContext, number: int) -> FileRequest:
    """
    Ask for a row of the newest file that waits.

    Raises:
        CannotTest: No file waits, or rows of the job mean nothing by themselves.
    """
    if call.job.order is not None:
        raise CannotTest(call.name, "an order is several rows, and would go out with one line only")
    waiting = waiting_files(call).files
    if not waiting:
        raise CannotTest(call.name, f"no file waits in {call.job.source.prefix}")
    newest = waiting[-1]
    rows = pl.Series([number], dtype=pl.UInt32)
    return FileRequest(newest.key, newest.etag, size=newest.size, rows=rows, test=number)


def _demand_new(call: ImportContext, batch: InputBatch) -> None:
    """
    Demand that a row was not given by itself before, where it would count again.

    Raises:
        CannotTest: It was.
    """
    [claim] = batch.files
    before = call.state.file_ledger.snapshot().tests(call.name, claim.key, claim.sha256)
    if claim.etag and claim.row in before and (claim.sums or not call.kind.holds_values):
        run = before[claim.row]
        raise CannotTest(call.name, f"row {claim.row} of {claim.key} was given by run {run} before")


def _counts_by_itself(batch: InputBatch, row: OneRow) -> list[Note]:
    """Note that nothing connects what is given by hand with a row that comes in a file."""
    [claim] = batch.files
    return [noted("counts_by_itself")] if row.given and claim.sums else []


def _requests(context: JobContext, job: ImportJob, outbox: FrameFile) -> list[Exchange]:
    """Pack an outbox into requests, as sending does; a cohort gets its name first."""
    found: list[Exchange] = []
    cohort = job.cohort
    if cohort and outbox.rows:
        path = COHORTS.replace("{name}", cohort.partner)
        found.append(Exchange("POST", path, creation(cohort, context.clock.now()).decode()))
    for part in outbox.frames([ENDPOINT, OBJECT]):
        for (name,), rows in part.group_by(ENDPOINT, maintain_order=True):
            endpoint = endpoint_named(str(name))
            for batch in bodies(rows[OBJECT], context.batch_size, endpoint).batches:
                keyed = cohort is not None and endpoint.packed == "cohort"
                body = with_keys(batch.body, cohort) if cohort and keyed else batch.body
                found += [
                    Exchange(method, endpoint.address, bytes(body).decode())
                    for method in endpoint.methods
                ]
    return found


def _overheard(context: JobContext, heard: Callable[[Exchange], None]) -> JobContext:
    """Let somebody hear what is said to Braze, and what it answers."""

    def hear(call: Call, answer: Answer | None) -> None:
        status, said = (answer.status, answer.body) if answer else (0, b"")
        body = (call.body or b"").decode(errors="replace")
        heard(Exchange(call.method, call.endpoint, body, status, said.decode(errors="replace")))

    def braze() -> Braze:
        client = context.braze()
        client.listen(hear)
        return client

    return replace(context, braze=braze)
