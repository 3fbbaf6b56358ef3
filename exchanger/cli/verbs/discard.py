"""``exchanger discard``."""

from __future__ import annotations

import typer

from exchanger.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    ConnectionName,
    Level,
    RunName,
    Wait,
)


def discard(  # noqa: PLR0913 - one for each option
    run: RunName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Drop a run that was held back, or that cannot be delivered.

    What Braze acknowledged of it stays. Its files are not planned again.

    Example: exchanger discard 12
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        from exchanger.cli.past_runs import act_on_run
        from exchanger.jobs.discard import discard_run

        code = act_on_run(
            "discard",
            run,
            lambda world, name, _job, seq, wait: discard_run(world, name, seq, wait),
            config=config,
            connection=connection,
            wait=wait,
            as_json=as_json,
            log_level=log_level,
            stopping=stopping,
        )
    raise typer.Exit(code)
