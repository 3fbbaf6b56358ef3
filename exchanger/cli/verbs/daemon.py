"""``exchanger daemon``."""

from __future__ import annotations

import sys

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import ConfigPath, Level


def daemon(*, config: ConfigPath = DEFAULT_CONFIG, log_level: Level = None) -> None:
    """
    Run the schedules until told to stop.

    SIGHUP, or a changed file, reloads the configuration; SIGTERM ends what is in flight.

    Example: exchanger daemon --config config/exchanger.yaml
    """
    import structlog

    from exchanger.app.wiring import prepare
    from exchanger.outside.scratch import sweep
    from exchanger.service.daemon import run_daemon

    try:
        # What reads a daemon's log is a program.
        prepare(config, log_level, as_json=True)
        if not sys.stderr.isatty():
            from exchanger.app.logs import log_everything

            log_everything()
        if swept := sweep():
            structlog.get_logger().info("scratch.swept", folders=swept)
        code = run_daemon(config)
    except Exception as error:
        if sys.stderr.isatty():
            raise
        from exchanger.cli.exit import log_failure

        code = log_failure(error)
    raise typer.Exit(code)
