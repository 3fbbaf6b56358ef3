"""Tries what a configuration names: keys, permissions, bucket, segments, and a cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from exchanger.app.messages.errors import words_for
from exchanger.app.outcome import exit_code
from exchanger.app.wiring import open_context
from exchanger.braze.endpoints import COHORT, EMAIL_STATES, GROUPS
from exchanger.config.describing.notifications import channel_name
from exchanger.config.loading.shorthand import REGISTER
from exchanger.config.models import Config, ExportJob, ImportJob, S3Config
from exchanger.errors import (
    BrazeError,
    BrazeForbidden,
    BrazeRefused,
    ExchangerError,
    StorageMissing,
)
from exchanger.jobs.column_types import kept_columns
from exchanger.jobs.planning.catalogs import find_catalog
from exchanger.jobs.runtime.recognition import recognise
from exchanger.jobs.segments.users import baseline_segment
from exchanger.jobs.segments.wait import find_segment
from exchanger.outside.s3.probe import probe, probe_moving
from exchanger.outside.sqs.queue import Queue
from exchanger.profiles.reading.field_columns import column_nulls
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.braze.client import Braze

_NOBODY = "exchanger-check"
"""A profile and a segment that do not exist: asking for them shows whether asking is allowed."""


@dataclass(frozen=True)
class Trial:
    """
    One thing that was tried.

    Args:
        connection: Of which connection.
        what: What was tried.
        ok: Whether it works.
        problem: What is wrong and what to do, if it does not.
        exit_code: Of the error, if it does not.
        tried: Whether it was tried at all; what was skipped counts as working.
    """

    connection: str
    what: str
    ok: bool
    problem: str = ""
    exit_code: int = 0
    tried: bool = True


def try_connections(config: Config) -> list[Trial]:
    """Try everything that the jobs of each enabled connection need; nothing is sent to profiles."""
    trials: list[Trial] = []
    for name, connection in config.connections.items():
        if not connection.enabled:
            what = "nothing was tried, as the connection has enabled: false"
            trials.append(Trial(name, what, ok=True, tried=False))
            continue
        with open_context(config, name) as context:
            jobs = config.jobs_of(name).values()
            imports = [job for job in jobs if isinstance(job, ImportJob)]
            exports = [job for job in jobs if isinstance(job, ExportJob)]
            if imports and config.engine is not None:
                what = f"plan large runs on {config.engine.dask}"
                trials.append(_tried(context, what, partial(_reach_engine, context)))
            trials += _try_bucket(context, imports, exports)
            trials += _try_queues(context, connection.s3, imports)
            trials += asyncio.run(_try_braze(context, imports, exports))
    told = [(name, one) for name in config.connections for one in _channels(config, name)]
    return trials + [
        # To try it is to tell people something.
        Trial(name, f"{one} was not tried: exchanger alerts --try", ok=True, tried=False)
        for name, one in told
    ]


def _channels(config: Config, connection: str) -> Iterator[str]:
    """Name the channels that are told of a job of a connection."""
    for one in config.notifications:
        if any(one.hears_of(job) for job in config.jobs_of(connection)):
            yield channel_name(config, one)


def doubtful_columns(config: Config) -> dict[str, list[str]]:
    """
    Describe which columns of a job are kept as text because of a few words.

    Returns:
        Sentences by job; nothing of a connection that is disabled, or that cannot be read.
    """
    found: dict[str, list[str]] = {}
    for name, connection in config.connections.items():
        if not connection.enabled:
            continue
        with open_context(config, name) as context, suppress(ExchangerError):
            for key, job in config.imports_of(name).items():
                words = kept_columns(context, key).words
                found[key] = [
                    f"column {column!r} is text, as earlier files say "
                    f"{' or '.join(map(repr, stray))} in it: exchanger types {key}"
                    for column, stray in words.items()
                    if not set(stray).issubset(column_nulls(job, column))
                ]
    return found


def _try_bucket(
    context: JobContext, imports: list[ImportJob], exports: list[ExportJob]
) -> Iterator[Trial]:
    bucket = context.bucket
    root = f"s3://{bucket.name}/"
    state = context.state_prefix
    what = f"keep state in {root}{state}, with conditional writes"
    yield _tried(context, what, partial(probe, bucket, state))
    yield _tried(context, f"recognise whose state {root}{state} is", partial(_recognise, context))
    for prefix in dict.fromkeys(job.source.prefix for job in imports):
        yield _tried(context, f"list {root}{prefix}", partial(_list_and_look, context, prefix))
    tags = {job.after.move_to: job.after.tag for job in imports if job.after.move_to}
    for prefix, given in tags.items():
        trying = partial(probe_moving, bucket, prefix, given)
        yield _tried(context, f"move files to {root}{prefix}", trying)
    if exports or _baselines(imports):
        what = f"list {root}{context.export_root}/, where segment exports of Braze are looked for"
        yield _tried(context, what, partial(_list, context, f"{context.export_root}/"))
    for prefix in dict.fromkeys(job.target.prefix for job in exports):
        yield _tried(context, f"write to {root}{prefix}", partial(probe, bucket, prefix))


def _try_queues(context: JobContext, config: S3Config, imports: list[ImportJob]) -> Iterator[Trial]:
    for notices in dict.fromkeys(filter(None, (job.source.notices for job in imports))):
        what = f"look at the queue {notices.sqs}"
        yield _tried(context, what, Queue(notices, config).probe)


def _baselines(imports: list[ImportJob]) -> list[str]:
    """Name the segments that imports learn from, or let only members of through."""
    baselines = [baseline_segment(job) for job in imports]
    learnt = [baseline.segment for baseline in baselines if baseline and baseline.segment]
    return [*learnt, *(job.gate_segment for job in imports if job.gate_segment)]


def _recognise(context: JobContext) -> None:
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    if state.workspace.found is None:
        # A first run will write there.
        next(iter(context.bucket.list(REGISTER)), None)


def _list(context: JobContext, prefix: str) -> None:
    next(iter(context.bucket.list(prefix)), None)


def _list_and_look(context: JobContext, prefix: str) -> None:
    """List a folder, and look at the first file: who may list may yet not be allowed to read."""
    files = (item for item in context.bucket.list(prefix) if item.size)
    if first := next(files, None):
        with suppress(StorageMissing):
            context.bucket.head(first.key)


def _reach_engine(context: JobContext) -> None:
    with context.engine():
        pass


def _tried(context: JobContext, what: str, action: Callable[[], object]) -> Trial:
    try:
        action()
    except ExchangerError as error:
        return _failed(context, what, error)
    return Trial(context.connection, what, ok=True)


def _failed(context: JobContext, what: str, error: ExchangerError) -> Trial:
    return Trial(context.connection, what, False, str(words_for(error)), exit_code(error))


async def _try_braze(
    context: JobContext, imports: list[ImportJob], exports: list[ExportJob]
) -> list[Trial]:
    segments = [*(job.segment for job in exports), *_baselines(imports)]
    async with context.braze() as braze:
        trials = []
        if segments:
            trials += await _try_segments(context, braze, segments)
            export = braze.export_segment(_NOBODY, ["external_id"])
            trials.append(await _allowed(context, "export segments", export))
        trials += await _try_catalogs(context, braze, [job for job in imports if job.catalog])
        if any(not job.catalog and not job.cohort_alone for job in imports):
            empty = json.dumps({"attributes": []}).encode()
            trials.append(await _allowed(context, "update profiles", braze.track(empty)))
        if any(not job.catalog for job in imports):
            look_up = braze.export_ids([_NOBODY], ["external_id"])
            trials.append(await _allowed(context, "look up profiles", look_up))
        if any(job.object == "subscriptions" for job in imports):
            nobody = braze.track(b'{"subscription_groups":[]}', GROUPS["external_id"])
            trials.append(await _allowed(context, "set states in subscription groups", nobody))
            look_up_states = braze.group_states([_NOBODY])
            trials.append(await _allowed(context, "look up subscription groups", look_up_states))
        if any(job.object == "email_state" for job in imports):
            none = braze.track(b'{"email":[],"subscription_state":"x"}', EMAIL_STATES["subscribed"])
            trials.append(await _allowed(context, "set states of e-mail addresses", none))
        for key in dict.fromkeys(job.cohort.key for job in imports if job.cohort is not None):
            nobody = braze.track(b'{"cohort_changes":[]}', replace(COHORT, of=key))
            trials.append(await _allowed(context, f"change the cohort '{key}'", nobody))
        if not trials:
            # No job needs anything of it: a key that lacks a permission is known as well.
            trials.append(await _allowed(context, "use the key", braze.segments(), BrazeForbidden))
        return trials


async def _try_catalogs(context: JobContext, braze: Braze, jobs: list[ImportJob]) -> list[Trial]:
    """Try whether the catalogs of jobs are there; what may be done to items shows in a run."""
    if not jobs:
        return []
    try:
        listed = await braze.catalogs()
    except ExchangerError as error:
        return [_failed(context, "list the catalogs of Braze", error)]
    named = dict.fromkeys(job.one_catalog for job in jobs if job.catalog_column is None)
    trials = [
        _tried(context, f"find the catalog '{name}'", partial(find_catalog, listed, name))
        for name in named
    ]
    return trials or [Trial(context.connection, "list the catalogs of Braze", ok=True)]


async def _allowed(
    context: JobContext,
    what: str,
    request: Coroutine[Any, Any, object],
    unless: type[BrazeError] = BrazeRefused,
) -> Trial:
    """Send a request that cannot do anything: a refusal of its content means that it is allowed."""
    what = f"{what} in Braze"
    try:
        with suppress(unless):
            await request
    except ExchangerError as error:
        return _failed(context, what, error)
    return Trial(context.connection, what, ok=True)


async def _try_segments(context: JobContext, braze: Braze, wanted: list[str]) -> list[Trial]:
    try:
        segments = await braze.segments()
    except ExchangerError as error:
        return [_failed(context, "list the segments of Braze", error)]
    return [
        _tried(context, f"find the segment '{name}'", partial(find_segment, segments, name))
        for name in dict.fromkeys(wanted)
    ]
