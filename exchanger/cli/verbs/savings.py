"""``exchanger savings``."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import TIME_FORMS, AsJson, ConfigPath, ConnectionName, Level


def savings(  # noqa: PLR0913 - one for each option
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Only this job; all if left out.")
    ] = None,
    *,
    since: Annotated[
        datetime | None,
        typer.Option(formats=TIME_FORMS, help="Runs that began then or later, UTC."),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show how many data points were sent, and what sending every row whole would have cost.

    By job, month and field; with the price of the budget also in money.

    Example: exchanger savings crm_profiles --since 2026-09-01
    """
    from exchanger.app.asking import ask_each
    from exchanger.app.messages.plans import describe_savings
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of, job_of
    from exchanger.cli.exit import end_with
    from exchanger.jobs.runtime.options import in_utc
    from exchanger.jobs.savings import savings as read_savings

    loaded = prepare(config, log_level, as_json=as_json)
    if job is not None:
        job_of(loaded, job)
        connection = connection or loaded.connection_of(job)
    found, faults = ask_each(
        loaded,
        connections_of(loaded, connection),
        lambda context: read_savings(context, job, in_utc(since)).to_dict(),
    )
    known = [*found.values()]
    code = end_with(
        "savings",
        known,
        faults,
        as_json=as_json,
        describe=lambda: chain.from_iterable(map(describe_savings, known)),
    )
    raise typer.Exit(code)
