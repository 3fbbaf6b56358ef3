"""``exchanger retry``."""

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


def retry(  # noqa: PLR0913 - one for each option
    run: RunName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    wait: Wait = "10m",
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Give again what Braze refused of a run, and what was rejected of it.

    Refused objects are planned again on what is held now. Rejected rows are read again from their
    file with the job as it is configured now. A second retry of the same run does nothing.

    Example: exchanger retry 12
    """
    from exchanger.cli.signals import stopping_on_signals

    with stopping_on_signals() as stopping:
        from exchanger.cli.past_runs import act_on_run
        from exchanger.jobs.retry import retry_run

        code = act_on_run(
            "retry",
            run,
            retry_run,
            config=config,
            connection=connection,
            wait=wait,
            as_json=as_json,
            log_level=log_level,
            stopping=stopping,
        )
    raise typer.Exit(code)
