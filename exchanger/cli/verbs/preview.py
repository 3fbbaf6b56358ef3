"""``exchanger preview``."""

from __future__ import annotations

from typing import Annotated

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, JobName, Level


def preview(
    job: JobName,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="Show so many rows.")] = 20,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show the first rows that wait for an import, as they would be read; nothing is written or sent.

    With SQL in the job's source, these are the rows that it makes. Where no file waits, they are of
    the newest one.

    Example: exchanger preview crm_profiles --rows 5
    """
    from exchanger.app.messages.rows import describe_rows
    from exchanger.app.wiring import open_context, prepare
    from exchanger.cli.choosing import import_job_of
    from exchanger.cli.exit import print_result
    from exchanger.jobs.reading.first_rows import first_rows

    loaded = prepare(config, log_level, as_json=as_json)
    wanted = import_job_of(loaded, job)
    with open_context(loaded, loaded.connection_of(job)) as context:
        content = first_rows(context, job, wanted, rows).to_dict()
    print_result(content, describe_rows, as_json=as_json)
