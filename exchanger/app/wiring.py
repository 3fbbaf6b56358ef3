"""Builds the real things that a verb works with, and nothing else does."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchanger.app.defaults import LogLevel
from exchanger.app.logs import set_up_logs
from exchanger.app.messages.notes.words import in_words
from exchanger.config.answers import answers_of
from exchanger.config.loading.load import load_config
from exchanger.config.loading.shorthand import default_state_prefix
from exchanger.config.models import AudienceCohort, Config, ExportJob, ImportJob
from exchanger.errors import ConfigError, EngineMissing, ExchangerError, Problem
from exchanger.files.folders import Folders, Reader, reader_of
from exchanger.jobs.runtime.context import JobContext, Progress, SilentProgress
from exchanger.jobs.runtime.executor import PlanExecutor, local_executor

if TYPE_CHECKING:
    from exchanger.outside.braze.client import Braze


def prepare(path: Path, level: LogLevel | None, *, as_json: bool) -> Config:
    """
    Load the configuration and set up the logs, whose events then hold none of its secrets.

    Args:
        path: The configuration file.
        level: The least level that is logged. If None: warning for a person, who sees progress
            and a report, and info for a program.
        as_json: Whether a program reads the result.

    Raises:
        ConfigError: Everything that is wrong with it.
    """
    level = level or (LogLevel.info if as_json else LogLevel.warning)
    set_up_logs(level)
    config = load_config(path, os.environ)
    set_up_logs(level, config)
    return config


@contextmanager
def from_connection(config: Config, connection: str) -> Iterator[None]:
    """Let errors name the connection that they come from, in the commands that are proposed."""
    try:
        yield
    except ExchangerError as error:
        error.option = config.option_of(connection)
        raise


@contextmanager
def open_context(
    config: Config,
    connection: str,
    *,
    progress: Progress | None = None,
    stopping: threading.Event | None = None,
) -> Iterator[JobContext]:
    """
    Build the outside of one connection, with a folder that goes when the context closes.

    Args:
        config: The configuration.
        connection: A connection of it.
        progress: Told how far a run is; nobody if left out.
        stopping: Set when the process is asked to stop.

    Raises:
        ConfigError: The SQL of a source is none.
    """
    demand_queries(config)
    from exchanger.outside.clock import SystemClock
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.outside.scratch import scratch_folder
    from exchanger.outside.surroundings import configured_alone
    from exchanger.state.hourly_quota import HourlyQuotas
    from exchanger.state.lease import MARGIN
    from exchanger.state.store import open_state
    from exchanger.state.workspace import Account

    settings = config.connections[connection]
    clock = SystemClock()
    lease = settings.lease.total_seconds()
    stopping = stopping or threading.Event()

    def braze() -> Braze:
        # Its HTTP client takes a seventh of a second to load, and many runs have nothing to send.
        from exchanger.outside.braze.client import Braze
        from exchanger.outside.braze.transport import REQUEST_SECONDS

        timeout = min(REQUEST_SECONDS, lease * MARGIN)
        cohorts = _cohorts_of(config, connection)
        quotas = _quotas()
        return Braze(settings.braze, clock=clock, timeout=timeout, quotas=quotas, cohorts=cohorts)

    def _quotas() -> HourlyQuotas | None:
        limit = settings.braze.hourly_limit
        # With the memory: whoever shares an adopted state shares its hour, too.
        hour = open_state(bucket, state_prefix).names.hour if limit else ""
        return HourlyQuotas(bucket, hour, limit, clock=clock) if limit else None

    bucket = Bucket(settings.s3, clock=clock)
    state_prefix = settings.s3.state_prefix or default_state_prefix(connection)
    option = config.option_of(connection)
    with (
        from_connection(config, connection),
        configured_alone(own_keys=settings.s3.access_key_id is not None),
        scratch_folder() as workdir,
    ):
        yield JobContext(
            connection=connection,
            bucket=bucket,
            braze=braze,
            state_prefix=state_prefix,
            export_root=settings.s3.export_root,
            account=Account(settings.braze.endpoint, settings.braze.api_key.get_secret_value()),
            clock=clock,
            workdir=workdir,
            progress=progress or SilentProgress(),
            stopping=stopping,
            batch_size=settings.braze.batch_size,
            spacing=settings.braze.spacing.total_seconds(),
            grace=settings.braze.grace.total_seconds(),
            lease_seconds=lease,
            rate_limit=settings.braze.rate_limit,
            hourly_limit=settings.braze.hourly_limit,
            lookup_limit=settings.braze.lookup_limit,
            max_plan_age=settings.max_plan_age.total_seconds(),
            retention=settings.retention,
            budget=settings.budget,
            engine=_engine(config, stopping),
            folders=folders_of(config, connection),
            option=option,
            words=partial(in_words, of=option),
            pages=partial(_pages, of=option),
        )


def _cohorts_of(config: Config, connection: str) -> dict[str, AudienceCohort]:
    """Return the cohorts of a connection, of any job: each run may end one of another job."""
    ours = config.imports_of(connection).values()
    return {job.cohort.key: job.cohort for job in ours if job.cohort is not None}


def _pages(facts: Mapping[str, Any], of: str) -> tuple[str, str]:
    # Many processes end no run.
    from exchanger.app.messages.pages.report import report_files

    return report_files(facts, of)


def demand_queries(config: Config) -> None:
    """
    Check the SQL of all sources, as far as that needs no files.

    Raises:
        ConfigError: A query can be applied to no file, whatever its columns.
    """
    queries = {
        name: job.source.sql
        for name, job in config.jobs.items()
        if isinstance(job, ImportJob) and job.source.sql is not None
    }
    if not queries:
        return
    # Whoever has none loads no tables for it.
    from exchanger.files.formats.sql import query_fault

    faults = {name: query_fault(query) for name, query in queries.items()}
    if any(faults.values()):
        raise ConfigError(
            [Problem(f"jobs.{name}.source.sql", said) for name, said in faults.items() if said]
        )


def folders_of(config: Config, connection: str) -> Folders:
    """Return who reads and writes what of the bucket of a connection, whoever's jobs they are."""
    ours = config.connections[connection].s3
    readers: list[Reader] = []
    written: list[str] = []
    states: dict[str, str] = {}
    for name, other in config.connections.items():
        if other.s3.place == ours.place:
            states[name] = other.s3.state_prefix or default_state_prefix(name)
            written += [states[name], f"{other.s3.export_root}/"]
    answers = answers_of(config, *states)
    for name, job in config.jobs.items():
        home = config.connection_of(name)
        if home in states and isinstance(job, ImportJob):
            readers.append(reader_of(name, job, states[home], answers))
        elif home in states and isinstance(job, ExportJob):
            written.append(job.target.prefix)
    return Folders(tuple(readers), (*written, *answers), answers)


def _engine(
    config: Config, stopping: threading.Event
) -> Callable[[], AbstractContextManager[PlanExecutor]]:
    """Choose who plans parts of runs; the package for a cluster is loaded when it is needed."""
    if config.engine is None:
        return local_executor
    address = config.engine.dask

    def cluster() -> AbstractContextManager[PlanExecutor]:
        try:
            from exchanger.outside.dask_engine import dask_engine
        except ModuleNotFoundError as error:
            raise EngineMissing(address, str(error)) from error
        return dask_engine(address, stopping)

    return cluster
