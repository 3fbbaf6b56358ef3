"""Plans a run, lets guards look at what the plan would do, and makes it count: of every story."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NoReturn, TypeVar

import structlog

from exchanger.errors import RunUnsuitable
from exchanger.jobs.intake.requests import FileRequest, HeldFile
from exchanger.jobs.inventory.corrected_jobs import GUARDED
from exchanger.jobs.inventory.planned_files import refuse
from exchanger.jobs.lifecycle.hold import hold_back
from exchanger.jobs.planning.commit import commit
from exchanger.jobs.planning.guards import guard_of_plan
from exchanger.jobs.planning.parts import MadeParts, parts_of
from exchanger.jobs.planning.plan import planned
from exchanger.jobs.runtime.import_context import ImportContext, numbered_report
from exchanger.notes import Note, noted
from exchanger.state.runs.log import LEFT_OUT

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.planning.guards import Guard
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.log import VersionedRun

log = structlog.get_logger()

T = TypeVar("T")


def create_run(  # noqa: PLR0913 - what is planned, and who may say no
    call: ImportContext,
    report: RunReport,
    batch: InputBatch,
    *,
    hold: Callable[[Sequence[Note], Exposure], T],
    guards: Sequence[Guard] = (),
    parent: int = 0,
    takes_back: int = 0,
    releases: int = 0,
    parts: MadeParts = parts_of,
) -> VersionedRun | T:
    """
    Plan a run and make it count, unless a guard holds it back: then nothing of it is sent.

    Args:
        call: The job.
        report: A new one, with the run's number.
        batch: What was read; its rows are forgotten on the way.
        hold: Does in place of the run what this story does when it is held back; told why, and
            what the plan would do.
        guards: Look at what the plan would do.
        parent: The run that this one takes up, if it does.
        takes_back: The run whose changes it takes back, if it does.
        releases: The run in which its corrected rows waited, if they did.
        parts: Finds what the plan has to know, and what decides.

    Raises:
        BrazeError: A look-up failed.
        PlanMoved: It comes to something else than the plan that a person saved.
        StorageChanged: Another process created a run of this number first.
    """
    plan = planned(call, report, batch, parts)
    saved = call.options.saved
    shadow = call.job.delivery.shadow
    if guards or saved is not None or shadow:
        exposure = plan.exposure(report, call.context.batch_size)
        if saved is not None and (moved := guard_of_plan(saved)(exposure)):
            plan.give_up()
            refuse(call, moved)
        reasons = [*chain.from_iterable(guard(exposure) for guard in guards)]
        if shadow:
            _rehearse(report, exposure, reasons)
        elif reasons:
            log.warning("run.guarded", seq=report.seq, reasons=[each.code for each in reasons])
            plan.give_up()
            return hold(reasons, exposure)
    return commit(
        call, report, batch, plan, parent=parent, takes_back=takes_back, releases=releases
    )


def _rehearse(report: RunReport, exposure: Exposure, reasons: Sequence[Note]) -> None:
    """Note what a run that sends nothing would have sent, and whether a guard would hold it."""
    report.facts.append(
        noted(
            "shadow_run",
            objects=exposure.objects,
            data_points=exposure.data_points,
            requests=exposure.requests,
        )
    )
    report.facts += [*reasons, noted("shadow_would_wait")] if reasons else []
    report.by_field = {}  # Nothing was saved by it.


def hold_files(
    call: ImportContext,
    report: RunReport,
    batch: InputBatch,
    reasons: Sequence[Note],
    exposure: Exposure,
) -> VersionedRun | None:
    """
    Let the files of a plan wait for a person, in a run in place of the planned one.

    Args:
        call: The job.
        report: Of the planned run.
        batch: Its files, which are read again: nothing is left of their rows.
        reasons: Why.
        exposure: What the plan would do.

    Returns:
        None if none of the files is there any more.
    """
    held = numbered_report(call, report.seq or 1)
    held.facts += reasons
    files = [
        HeldFile(
            replace(claim, outcome=GUARDED, facts=tuple(reasons), rows=0, rejected=0),
            FileRequest(claim.key, claim.etag, kept=claim.kept),
        )
        for claim in batch.files
        if claim.outcome not in LEFT_OUT  # They are once more, as the others are known by then.
    ]
    return hold_back(call, held, files, plan=exposure.to_dict())


def demand_live(job: ImportJob, seq: int, verb: str) -> None:
    """
    Check that a job sends what a person decides: in shadow it would only seem to be done.

    Raises:
        RunUnsuitable: It sends nothing.
    """
    if job.delivery.shadow:
        detail = (
            "its job is in shadow and sends nothing, so it would be decided and not be done; take "
            "'shadow' out of its delivery first"
        )
        raise RunUnsuitable(str(seq), verb, detail)


def leave_as_it_is(
    call: ImportContext, seq: int, verb: str, reasons: Sequence[Note], _exposure: Exposure
) -> NoReturn:
    """
    Leave a run as it is that was to be taken up: it still waits, or still has its quarantine.

    Raises:
        RunUnsuitable: Always.
    """
    raise RunUnsuitable(str(seq), verb, " ".join(map(call.context.words, reasons)))
