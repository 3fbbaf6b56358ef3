"""``exchanger check``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, Level


def check(
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connect: Annotated[
        bool,
        typer.Option("--connect", help="Also try credentials, permissions, bucket and segments."),
    ] = False,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Check the configuration, and say in words what each job will do.

    Example: exchanger check --connect
    """
    from exchanger.app.alerts.channels import check_channels
    from exchanger.app.connectivity import doubtful_columns, try_connections
    from exchanger.app.messages.errors import words_for
    from exchanger.app.outcome import worst
    from exchanger.app.wiring import demand_queries, prepare
    from exchanger.cli.exit import print_json
    from exchanger.config.describing.jobs import describe_job
    from exchanger.errors import NoRoom
    from exchanger.outside.scratch import demand_room

    loaded = prepare(config, log_level, as_json=as_json)
    check_channels(loaded, str(config))
    demand_queries(loaded)
    jobs = {name: describe_job(loaded, name) for name in loaded.jobs}
    try:
        demand_room()
    except NoRoom as error:
        # Enough for small files, so that nothing is wrong yet.
        typer.echo(words_for(error), err=True)
    trials = try_connections(loaded) if connect else []
    for name, lines in (doubtful_columns(loaded) if connect else {}).items():
        jobs[name] += lines
    code = worst(trial.exit_code for trial in trials)
    if as_json:
        content: dict[str, Any] = {"ok": code == 0, "jobs": jobs}
        if connect:
            content["trials"] = [asdict(trial) for trial in trials]
        print_json(content)
    else:
        for name, lines in jobs.items():
            typer.echo("\n  ".join([f"{name}:", *lines]))
        for trial in trials:
            mark = ("ok  " if trial.ok else "NOT ") if trial.tried else "    "
            typer.echo(f"{mark} {trial.connection}: {trial.what}")
            if trial.problem:
                typer.echo("      " + trial.problem.replace("\n", "\n      "))
        skipped = not all(trial.tried for trial in trials)
        typer.echo(_verdict(str(config), code, connect=connect, skipped=skipped))
    raise typer.Exit(code)


def _verdict(config: str, code: int, *, connect: bool, skipped: bool) -> str:
    if code:
        return f"{config} is sound, but not everything that it names works."
    works = "everything that was tried works" if skipped else "everything that it names works"
    tried = f" and {works}" if connect else ""
    then = "" if connect else ". To try keys, bucket and segments: exchanger check --connect"
    return f"{config} is sound{tried}{then}"
