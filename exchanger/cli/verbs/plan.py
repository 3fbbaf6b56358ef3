"""``exchanger plan``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, JobName, Level

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.planning.preview import PlanReport
    from exchanger.jobs.runtime.context import JobContext


def plan(  # noqa: PLR0913 - one for each option
    job: JobName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    rows: Annotated[
        int | None,
        typer.Option(
            min=0, help="Show so many changes of each field, and rejected rows; else a few."
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Keep what was looked up in Braze, so that a run need not ask again."
        ),
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="Keep the plan in a file here, for run --plan.",
        ),
    ] = None,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show what a run would send, field by field, with data points; nothing is written anywhere.

    Only with --record, what was looked up in Braze to tell is kept; with --save, the plan.

    Example: exchanger plan crm_profiles --rows 20
    """
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import import_job_of
    from exchanger.jobs.plan import plan_import

    loaded = prepare(config, log_level, as_json=as_json)
    wanted = import_job_of(loaded, job)
    show_plan(
        loaded,
        job,
        lambda context: plan_import(
            context, job, wanted, record=record, rows=rows, kept=save is not None
        ),
        as_json=as_json,
        record=record,
        save=save,
    )


def show_plan(  # noqa: PLR0913 - a plan, and what becomes of it
    config: Config,
    name: str,
    story: Callable[[JobContext], PlanReport],
    *,
    as_json: bool,
    record: bool = False,
    save: Path | None = None,
) -> None:
    """
    Plan a job and print what it would do.

    Args:
        config: The configuration.
        name: The job.
        story: Plans it in its context.
        as_json: Whether to print JSON.
        record: Whether the story keeps what it looked up.
        save: Where the plan is kept.
    """
    from exchanger.app.messages.files import describe_first_unclaimed
    from exchanger.app.messages.notes.words import worded_plan
    from exchanger.app.messages.plans import describe_plan
    from exchanger.app.wiring import open_context
    from exchanger.cli.exit import print_result
    from exchanger.cli.progress import shown_progress
    from exchanger.jobs.runtime.saved_plan import demand_place

    if save is not None:
        demand_place(save)
    with (
        shown_progress(as_json=as_json) as progress,
        open_context(config, config.connection_of(name), progress=progress) as context,
    ):
        planned = story(context)
    content = worded_plan(planned.to_dict(), context.option)
    content["recorded"] = record and planned.lookups > 0
    if save is not None:
        planned.save(save)
        content["saved"] = str(save)
    notes = [f"  note: {line}" for line in describe_first_unclaimed(planned.unclaimed)]
    print_result(content, lambda told: [*describe_plan(told), *notes], as_json=as_json)
