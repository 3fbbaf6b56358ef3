"""``exchanger plan``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from exchanger.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, JobName, Level

if TYPE_CHECKING:
    from exchanger.config.models import Config, ImportJob
    from exchanger.jobs.preview import PlanReport
    from exchanger.jobs.unfinished import UnfinishedRun


def plan(
    job: JobName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show what a run would send, field by field, with data points; nothing is written anywhere.

    Example: exchanger plan crm_profiles
    """
    from exchanger.cli.ending import print_json
    from exchanger.cli.reports import describe_plan
    from exchanger.cli.wiring import import_job_of, prepare

    loaded = prepare(config, log_level, as_json=as_json)
    wanted = import_job_of(loaded, job)
    planned = _planned(loaded, job, wanted, as_json=as_json)
    content: dict[str, Any] = {
        "report": planned.report.to_json(),
        "fields": [asdict(field) for field in planned.fields],
        "lookups": planned.lookups,
        "rejected": [asdict(row) for row in planned.rejected],
        "unfinished": _first(planned.unfinished),
        "unclaimed": [each.to_json() for each in planned.unclaimed],
    }
    if as_json:
        print_json(content)
        return
    from exchanger.jobs.unclaimed import unclaimed_in_words

    for line in describe_plan(content):
        typer.echo(line)
    for line in unclaimed_in_words(planned.unclaimed):
        typer.echo(f"  note: {line}")


def _first(run: UnfinishedRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {name: value for name, value in asdict(run).items() if name != "claimed"}


def _planned(config: Config, name: str, job: ImportJob, *, as_json: bool) -> PlanReport:
    from exchanger.cli.progress import shown_progress
    from exchanger.cli.wiring import open_world
    from exchanger.jobs.imports import plan_import

    with (
        shown_progress(as_json=as_json) as progress,
        open_world(config, config.connection_of(name), progress=progress) as world,
    ):
        return plan_import(world, name, job)
