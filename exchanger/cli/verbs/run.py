"""``exchanger run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, Level, Wait, wait_seconds

if TYPE_CHECKING:
    from exchanger.app.runner import Story
    from exchanger.config.models import Job
    from exchanger.jobs.runtime.options import ImportOptions


def run(  # noqa: PLR0913 - one for each option
    names: Annotated[list[str], typer.Argument(metavar="JOB", help="One or more jobs.")],
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also apply files that wait as their sums may count twice."),
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Ask Braze for a new export even while one is waited for."),
    ] = False,
    one_run: Annotated[
        bool,
        typer.Option("--one-run", help="End after one run of an import, even if more files wait."),
    ] = False,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Do exactly what this plan says, which plan --save kept, or nothing.",
        ),
    ] = None,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Run jobs once, now.

    Example: exchanger run crm_profiles
    """
    from exchanger.cli.lean import load_arrow
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        load_arrow()
        from exchanger.app.outcome import worst
        from exchanger.app.wiring import prepare
        from exchanger.cli.choosing import job_of
        from exchanger.cli.execution import carry_out, show_outcomes
        from exchanger.errors import Stopped
        from exchanger.jobs.runtime.options import ImportOptions
        from exchanger.jobs.runtime.saved_plan import SavedPlan

        if plan is not None and (force or one_run or len(names) > 1):
            message = "it stands alone, with one job: the plan says which files are taken, and how"
            raise typer.BadParameter(message, param_hint="--plan")
        saved = None if plan is None else SavedPlan.read(plan)
        options = ImportOptions(
            force=force,
            wait=wait_seconds(wait),
            one_run=one_run or saved is not None,
            saved=saved,
        )
        loaded = prepare(config, log_level, as_json=as_json)
        stories = {name: _story(name, job_of(loaded, name), options, fresh=fresh) for name in names}
        outcomes = [
            carry_out(loaded, name, story, stopping=stopping, as_json=as_json)
            for name, story in stories.items()
            if not stopping.is_set()
        ]
    # Who was stopped before the first job was begun gets an empty list.
    as_list = len(stories) > 1 or not outcomes
    code = show_outcomes(outcomes, as_json=as_json, as_list=as_list)
    if left := [*stories][len(outcomes) :]:
        typer.echo(f"Stopped as asked before {', '.join(left)} began. Run it again.", err=True)
        code = worst([code, Stopped.exit_code])
    raise typer.Exit(code)


def _story(name: str, job: Job, options: ImportOptions, *, fresh: bool) -> Story:
    from exchanger.app.runner import story_of
    from exchanger.config.models import ImportJob

    if isinstance(job, ImportJob):
        if fresh:
            raise typer.BadParameter(f"{name} is an import", param_hint="--fresh")
    else:
        given = {"--plan": options.saved, "--force": options.force, "--one-run": options.one_run}
        for option, is_given in given.items():
            if is_given:
                raise typer.BadParameter(f"{name} is an export", param_hint=option)
    return story_of(name, job, options, fresh=fresh)
