"""``exchanger backfill``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import TIME_FORMS, AsJson, ConfigPath, JobName, Level

if TYPE_CHECKING:
    from exchanger.config.models import Config, Job
    from exchanger.jobs.runtime.options import ImportOptions


def backfill(  # noqa: PLR0913 - one for each option
    job: JobName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    since: Annotated[
        datetime | None,
        typer.Option(formats=TIME_FORMS, help="Files that arrived then or later, UTC."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=TIME_FORMS, help="Files that arrived before then, UTC."),
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Files whose key begins so.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Everything, as if new.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Add to sums again what was already added.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what it would send, as plan does; write nothing."),
    ] = False,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Run a job over a range of history, or over everything, as if it were new.

    Safe to stop and to start again. What a file gave to a sum is not added a second time. With
    --dry-run, what it would send is shown, and nothing is sent or written.

    Example: exchanger backfill crm_profiles --since 2026-09-01 --until 2026-10-01
    """
    from exchanger.cli.signals import stopping_on_signals

    _check_range(since, until, prefix, full=full)
    with stopping_on_signals() as stopping:
        from exchanger.app.wiring import prepare
        from exchanger.cli.choosing import job_of

        loaded = prepare(config, log_level, as_json=as_json)
        wanted = job_of(loaded, job)
        _check_prefix(wanted, prefix)
        from exchanger.jobs.runtime.options import ImportOptions, in_utc

        options = ImportOptions(
            force=force, full=full, since=in_utc(since), until=in_utc(until), prefix=prefix
        )
        if dry_run:
            _show_plan(loaded, job, options, as_json=as_json)
            return
        from exchanger.cli.execution import carry_out, show_outcomes
        from exchanger.jobs.backfill import backfill as tell

        outcome = carry_out(
            loaded,
            job,
            lambda context: tell(context, job, wanted, options),
            stopping=stopping,
            as_json=as_json,
        )
    raise typer.Exit(show_outcomes([outcome], as_json=as_json, as_list=False))


def _show_plan(config: Config, name: str, options: ImportOptions, *, as_json: bool) -> None:
    from exchanger.cli.choosing import import_job_of
    from exchanger.cli.verbs.plan import show_plan
    from exchanger.jobs.backfill import plan_backfill

    job = import_job_of(config, name)
    show_plan(
        config, name, lambda context: plan_backfill(context, name, job, options), as_json=as_json
    )


def _check_range(
    since: datetime | None, until: datetime | None, prefix: str | None, *, full: bool
) -> None:
    ranged = since is not None or until is not None or prefix is not None
    if full == ranged:
        message = "say which files: a range by --since, --until or --prefix, or else --full"
        raise typer.BadParameter(message, param_hint="--full")
    from exchanger.jobs.runtime.options import in_utc

    first, end = in_utc(since), in_utc(until)
    if first is not None and end is not None and first >= end:
        raise typer.BadParameter("this must be later than --since", param_hint="--until")


def _check_prefix(job: Job, prefix: str | None) -> None:
    """Refuse a prefix of keys that the job never reads."""
    if prefix is None or job.type != "import":
        return
    folder = job.source.prefix
    if not prefix.startswith(folder) and not folder.startswith(prefix):
        message = f"the job reads only keys that begin with {folder}, so --prefix must, too"
        raise typer.BadParameter(message, param_hint="--prefix")
