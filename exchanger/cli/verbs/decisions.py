"""``exchanger approve``, ``discard`` and ``retry``: what a person decides about a past run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level, RunName, Wait

if TYPE_CHECKING:
    from exchanger.cli.past_runs import Act, WithoutJob


def _decision(story: Callable[[], Act | WithoutJob]) -> Callable[..., None]:
    """Build a verb of what imports its story: it takes its name and help from there."""

    def decide(  # noqa: PLR0913 - one for each option
        run: RunName,
        *,
        config: ConfigPath = DEFAULT_CONFIG,
        connection: ConnectionName = None,
        wait: Wait = "10m",
        as_json: AsJson = False,
        log_level: Level = None,
    ) -> None:
        from exchanger.cli.signals import stopping_on_signals

        with stopping_on_signals() as stopping:
            from exchanger.cli.past_runs import act_on_run

            code = act_on_run(
                story.__name__,
                run,
                story(),
                config=config,
                connection=connection,
                wait=wait,
                as_json=as_json,
                log_level=log_level,
                stopping=stopping,
            )
        raise typer.Exit(code)

    decide.__doc__ = story.__doc__
    return decide


@_decision
def approve() -> Act:
    """
    Release a run that was held back: it is planned again on what is held now, and applied.

    If it would add more than was shown when it was held back, it is held back again.

    Example: exchanger approve 12
    """
    from exchanger.jobs.approve import approve_run

    return approve_run


@_decision
def discard() -> WithoutJob:
    """
    Drop a run that was held back, or that cannot be delivered.

    What Braze acknowledged of it stays. Its files are not planned again.

    Example: exchanger discard 12
    """
    from exchanger.cli.past_runs import WithoutJob
    from exchanger.jobs.discard import discard_run

    return WithoutJob(discard_run)


@_decision
def retry() -> Act:
    """
    Send again what Braze refused of a run, and what was rejected of it.

    Refused objects are planned again on what is held now. Rejected rows are read again from their
    file with the job as it is configured now. A second retry of the same run does nothing.

    Example: exchanger retry 12
    """
    from exchanger.jobs.retry import retry_run

    return retry_run
