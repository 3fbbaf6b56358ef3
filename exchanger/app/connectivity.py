"""Tries what a configuration names: keys, permissions, bucket, segments, and a cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from exchanger.app.messages.errors import words_for
from exchanger.app.outcome import exit_code
from exchanger.app.wiring import open_world
from exchanger.config.models import Config, ExportJob, ImportJob
from exchanger.errors import BrazeForbidden, BrazeRefused, ExchangerError
from exchanger.jobs.column_types import kept_columns
from exchanger.jobs.runtime.recognition import recognise
from exchanger.jobs.segments.users import baseline_segment
from exchanger.jobs.segments.wait import find_segment
from exchanger.outside.s3.probe import probe
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
        with open_world(config, name) as world:
            jobs = [job for key, job in config.jobs.items() if config.connection_of(key) == name]
            imports = [job for job in jobs if isinstance(job, ImportJob)]
            exports = [job for job in jobs if isinstance(job, ExportJob)]
            if imports and config.engine is not None:
                what = f"plan large runs on {config.engine.dask}"
                trials.append(_tried(world, what, partial(_reach_engine, world)))
            trials += _try_bucket(world, imports, exports)
            trials += asyncio.run(_try_braze(world, imports, exports))
    return trials


def doubtful_columns(config: Config) -> dict[str, list[str]]:
    """
    Say which columns of a job are kept as text because of a few words.

    Returns:
        Sentences by job; nothing of a connection that is disabled, or that cannot be read.
    """
    found: dict[str, list[str]] = {}
    for name, connection in config.connections.items():
        if not connection.enabled:
            continue
        with open_world(config, name) as world, suppress(ExchangerError):
            for key, job in config.jobs.items():
                if isinstance(job, ImportJob) and config.connection_of(key) == name:
                    words = kept_columns(world, key).words
                    found[key] = [
                        f"column {column!r} is text, as earlier files say "
                        f"{' or '.join(map(repr, stray))} in it: exchanger types {key}"
                        for column, stray in words.items()
                        if not set(stray).issubset(column_nulls(job, column))
                    ]
    return found


def _try_bucket(
    world: JobContext, imports: list[ImportJob], exports: list[ExportJob]
) -> Iterator[Trial]:
    bucket = world.bucket
    root = f"s3://{bucket.name}/"
    state = world.state_prefix
    what = f"keep state in {root}{state}, with conditional writes"
    yield _tried(world, what, partial(probe, bucket, state))
    yield _tried(world, f"recognise whose state {root}{state} is", partial(_recognise, world))
    for prefix in dict.fromkeys(job.source.prefix for job in imports):
        yield _tried(world, f"list {root}{prefix}", partial(_list, world, prefix))
    if exports or _baselines(imports):
        what = f"list {root}{world.export_root}/, where segment exports of Braze are looked for"
        yield _tried(world, what, partial(_list, world, f"{world.export_root}/"))
    for prefix in dict.fromkeys(job.target.prefix for job in exports):
        yield _tried(world, f"write to {root}{prefix}", partial(probe, bucket, prefix))


def _baselines(imports: list[ImportJob]) -> list[str]:
    """Name the segments that imports learn from."""
    baselines = [baseline_segment(job) for job in imports]
    return [baseline.segment for baseline in baselines if baseline and baseline.segment]


def _recognise(world: JobContext) -> None:
    state = open_state(world.bucket, world.state_prefix)
    recognise(world, state)
    if state.workspace.found is None:
        # A first run will write there.
        next(iter(world.bucket.list(state.register.FOLDER)), None)


def _list(world: JobContext, prefix: str) -> None:
    next(iter(world.bucket.list(prefix)), None)


def _reach_engine(world: JobContext) -> None:
    with world.engine():
        pass


def _tried(world: JobContext, what: str, action: Callable[[], object]) -> Trial:
    try:
        action()
    except ExchangerError as error:
        return _failed(world, what, error)
    return Trial(world.connection, what, ok=True)


def _failed(world: JobContext, what: str, error: ExchangerError) -> Trial:
    return Trial(world.connection, what, False, str(words_for(error)), exit_code(error))


async def _try_braze(
    world: JobContext, imports: list[ImportJob], exports: list[ExportJob]
) -> list[Trial]:
    segments = [*(job.segment for job in exports), *_baselines(imports)]
    async with world.braze() as braze:
        trials = []
        if segments:
            trials += await _try_segments(world, braze, segments)
            export = braze.export_segment(_NOBODY, ["external_id"])
            trials.append(await _allowed(world, "export segments", export))
        if imports:
            empty = json.dumps({"attributes": []}).encode()
            trials.append(await _allowed(world, "update profiles", braze.track(empty)))
            look_up = braze.export_ids([_NOBODY], ["external_id"])
            trials.append(await _allowed(world, "look up profiles", look_up))
        if not trials:
            trials.append(await _try_key(world, braze))
        return trials


async def _allowed(world: JobContext, what: str, request: Coroutine[Any, Any, object]) -> Trial:
    """Make a request that cannot do anything: a refusal of its content means that it is allowed."""
    what = f"{what} in Braze"
    try:
        await request
    except BrazeRefused:
        return Trial(world.connection, what, ok=True)
    except ExchangerError as error:
        return _failed(world, what, error)
    return Trial(world.connection, what, ok=True)


async def _try_key(world: JobContext, braze: Braze) -> Trial:
    """Try a key of which no job needs anything: one that lacks a permission is known as well."""
    what = "use the key in Braze"
    try:
        await braze.segments()
    except BrazeForbidden:
        return Trial(world.connection, what, ok=True)
    except ExchangerError as error:
        return _failed(world, what, error)
    return Trial(world.connection, what, ok=True)


async def _try_segments(world: JobContext, braze: Braze, wanted: list[str]) -> list[Trial]:
    try:
        segments = await braze.segments()
    except ExchangerError as error:
        return [_failed(world, "list the segments of Braze", error)]
    return [
        _tried(world, f"find the segment '{name}'", partial(find_segment, segments, name))
        for name in dict.fromkeys(wanted)
    ]
