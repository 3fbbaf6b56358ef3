"""``exchanger rebuild``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, JobName, Level, Wait, wait_seconds

if TYPE_CHECKING:
    from exchanger.config.models import Baseline, ImportJob


def rebuild(  # noqa: PLR0913 - one for each option
    job: JobName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    segment: Annotated[
        str | None,
        typer.Option(help="The name or id of a segment; if left out, that of the job's baseline."),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option("--complete", help="Who is not in the segment does not exist in Braze."),
    ] = False,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Rebuild what is held of the job's connection from an export of a segment; nothing is sent.

    It says what differed. Safe to stop and to start again.

    Example: exchanger rebuild crm_profiles --segment "All users" --complete
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        from exchanger.app.messages.comparisons import describe_rebuild
        from exchanger.app.messages.notes.words import worded
        from exchanger.app.wiring import open_context, prepare
        from exchanger.cli.choosing import import_job_of
        from exchanger.cli.exit import print_result
        from exchanger.cli.progress import shown_progress
        from exchanger.jobs.rebuild import rebuild as tell
        from exchanger.notes import as_plain

        seconds = wait_seconds(wait)
        loaded = prepare(config, log_level, as_json=as_json)
        wanted = import_job_of(loaded, job)
        source = _source(job, wanted, segment, complete=complete)
        with (
            shown_progress(as_json=as_json) as progress,
            open_context(
                loaded, loaded.connection_of(job), progress=progress, stopping=stopping
            ) as context,
        ):
            learnt = tell(context, job, wanted, source, seconds)
            content = worded(asdict(learnt, dict_factory=as_plain), context.option)
    content["asked_at"] = content["asked_at"].isoformat()
    print_result(content, describe_rebuild, as_json=as_json)


def _source(name: str, job: ImportJob, segment: str | None, *, complete: bool) -> Baseline:
    from exchanger.app.messages.errors import words_for
    from exchanger.errors import SegmentUnnamed
    from exchanger.jobs.rebuild import source_of

    try:
        return source_of(name, job, segment, complete=complete)
    except SegmentUnnamed as error:
        message = words_for(error).next
        said = message[0].lower() + message[1:]
        raise typer.BadParameter(said, param_hint="--segment") from error
