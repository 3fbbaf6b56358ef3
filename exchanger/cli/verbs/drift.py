"""``exchanger drift``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, JobName, Level

if TYPE_CHECKING:
    from exchanger.jobs.drift import DriftOptions


def drift(  # noqa: PLR0913 - one for each option
    job: JobName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="Compare so many profiles, chosen at random; 1000 if left out."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Compare all profiles.")] = False,
    seed: Annotated[int, typer.Option(help="Another number chooses other profiles.")] = 0,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show what others changed in Braze since it was delivered, field by field; nothing is sent.

    What was seen is remembered, so that the next run does what on_drift says.

    Example: exchanger drift crm_profiles --sample 5000
    """
    from exchanger.cli.signals import stopping_on_signals

    options = _options(sample, seed, full=full)
    with stopping_on_signals() as stopping:
        from exchanger.app.messages.comparisons import describe_drift
        from exchanger.app.messages.notes.words import worded
        from exchanger.app.wiring import open_context, prepare
        from exchanger.cli.choosing import import_job_of
        from exchanger.cli.exit import print_result
        from exchanger.cli.progress import shown_progress
        from exchanger.jobs.drift import find_drift
        from exchanger.notes import as_plain

        loaded = prepare(config, log_level, as_json=as_json)
        wanted = import_job_of(loaded, job)
        with (
            shown_progress(as_json=as_json) as progress,
            open_context(
                loaded, loaded.connection_of(job), progress=progress, stopping=stopping
            ) as context,
        ):
            found = find_drift(context, job, wanted, options)
            content = worded(asdict(found, dict_factory=as_plain), context.option)
    content["checked_at"] = content["checked_at"].isoformat()
    print_result(content, describe_drift, as_json=as_json)


def _options(sample: int | None, seed: int, *, full: bool) -> DriftOptions:
    from exchanger.jobs.drift import SAMPLE, DriftOptions

    if full and sample is not None:
        message = "say how many profiles, or all of them, but not both"
        raise typer.BadParameter(message, param_hint="--full")
    return DriftOptions(None if full else sample or SAMPLE, seed)
