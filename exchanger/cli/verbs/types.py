"""``exchanger types``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, JobName, Level, Wait

if TYPE_CHECKING:
    from exchanger.state.inputs.column_types import KeptColumns


def types(  # noqa: PLR0913 - one for each option
    job: JobName,
    *,
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="COLUMN", help="Tell its type anew; may be repeated."),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show the types that are kept of a job's columns, or reset some of them.

    What is in Braze stays until a file or 'exchanger backfill JOB --full' says otherwise.

    Example: exchanger types crm_profiles --forget points
    """
    from exchanger.app.wiring import open_context, prepare
    from exchanger.cli.choosing import import_job_of
    from exchanger.cli.exit import print_json
    from exchanger.cli.options import wait_seconds
    from exchanger.jobs.column_types import forget_columns, kept_columns

    loaded = prepare(config, log_level, as_json=as_json)
    import_job_of(loaded, job)
    with open_context(loaded, loaded.connection_of(job)) as context:
        kept = kept_columns(context, job)
        if forget:
            _demand(forget, kept)
            kept = forget_columns(context, job, forget, wait_seconds(wait))
    columns = _columns(kept)
    if as_json:
        print_json({"job": job, "columns": columns, "csv": kept.layout, "forgotten": forget or []})
        return
    for column in forget or []:
        typer.echo(f"{column}: forgotten; the next file that has it tells its type")
    for line in _lines(columns):
        typer.echo(line)
    if kept.layout:
        written = ", ".join(f"{name} {value!r}" for name, value in sorted(kept.layout.items()))
        typer.echo(f"CSV is read with {written}, as earlier files have shown.")


def _demand(columns: list[str], kept: KeptColumns) -> None:
    from exchanger.config.findings import closest, listed

    for column in columns:
        if column not in kept.types:
            guess = closest(column, kept.types)
            there = f"there are {listed(sorted(kept.types), 'and')}" if kept.types else "of none"
            hint = f"did you mean {guess}?" if guess else there
            message = f"no type of a column '{column}' is kept; {hint}"
            raise typer.BadParameter(message, param_hint="--forget")


def _columns(kept: KeptColumns) -> list[dict[str, Any]]:
    return [
        {"column": column, "type": kind, "words": kept.words.get(column, [])}
        for column, kind in sorted(kept.types.items())
    ]


def _lines(columns: list[dict[str, Any]]) -> list[str]:
    if not columns:
        return ["No type is kept: those of the next file count."]
    return [
        f"{entry['column']}  {entry['type']}"
        + (f"  (text because of {', '.join(map(repr, entry['words']))})" if entry["words"] else "")
        for entry in columns
    ]
