"""The story of one turn among several jobs: one run of an import, and a word on what it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from exchanger.errors import StorageError
from exchanger.jobs.imports import run_import
from exchanger.jobs.waiting import backlog

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.options import ImportOptions
    from exchanger.jobs.report import RunReport
    from exchanger.jobs.world import World

log = structlog.get_logger()


def run_once(world: World, name: str, job: ImportJob, options: ImportOptions) -> RunReport:
    """
    Apply as many waiting files as one run takes.

    Returns:
        The report of the run, with ``files_waiting``: the files that wait now. It is left out if
        the process was asked to stop, or S3 did not say.

    Raises:
        ExchangerError: As for ``run_import``.
    """
    report = run_import(world, name, job, options)
    if world.stopping.is_set():
        return report
    if report.state == "nothing_to_do":
        report.files_waiting = 0
    else:
        try:
            # A file that cannot be read yet is no reason to begin again at once.
            unreadable = sum(file.outcome == "unreadable" for file in report.files)
            waiting = backlog(world, {name: job}).files[name]
            report.files_waiting = max(waiting - unreadable, 0)
        except StorageError as error:
            # The run itself is over and done.
            log.warning("waiting.unknown", error=str(error))
    return report
