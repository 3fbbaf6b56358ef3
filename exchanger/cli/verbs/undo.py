"""``exchanger undo``."""

from __future__ import annotations

from typing import Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level, RunName, Wait, typed


def undo(  # noqa: PLR0913 - one for each option
    run: RunName,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Send it; without it, only show what would go back.")
    ] = False,
    rows: Annotated[
        int | None, typer.Option(min=0, help="Show so many changes of each field; else a few.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show what taking a run back would send; with --yes, send it.

    Values go back to those before where the run was the last that changed them, sums lose its part,
    and lists the members that it brought. What stays as it is, is told with the run that changed it
    since. The undo is a run itself, and can be taken back as any other.

    Example: exchanger undo 12 --yes
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        from exchanger.cli.past_runs import act_on_run
        from exchanger.jobs.undo import undo_run

        if yes:
            code = act_on_run(
                "undo",
                run,
                undo_run,
                config=config,
                connection=connection,
                wait=wait,
                as_json=as_json,
                log_level=log_level,
                stopping=stopping,
            )
            raise typer.Exit(code)
        from exchanger.app.wiring import prepare
        from exchanger.cli.past_runs import import_of_run
        from exchanger.cli.verbs.plan import show_plan
        from exchanger.jobs.undo import plan_undo

        loaded = prepare(config, log_level, as_json=as_json)
        found = import_of_run(loaded, "undo", run, connection, as_json=as_json)
        if isinstance(found, int):
            raise typer.Exit(found)
        name, job, seq = found
        show_plan(
            loaded,
            name,
            lambda context: plan_undo(context, name, job, seq, rows=rows),
            as_json=as_json,
        )
    if not as_json:
        typer.echo(f"To send it: {typed('undo', run, '--yes', connection=connection)}")
