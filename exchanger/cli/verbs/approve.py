"""``exchanger approve``."""

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


def approve(  # noqa: PLR0913 - one for each option
    run: RunName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Release a run that was held back: it is planned again on what is held now, and applied.

    If it would add more than was shown when it was held back, it is held back again.

    Example: exchanger approve 12
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        from exchanger.cli.past_runs import act_on_run
        from exchanger.jobs.approve import approve_run

        code = act_on_run(
            "approve",
            run,
            approve_run,
            config=config,
            connection=connection,
            wait=wait,
            as_json=as_json,
            log_level=log_level,
            stopping=stopping,
        )
    raise typer.Exit(code)
