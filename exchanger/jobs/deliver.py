"""
Sends the outbox of one run, and keeps what Braze said of each object.

Objects carry absolute values (law 1), so whatever has no acknowledgement is simply sent again. A
run has one object per profile, so no two objects of a profile are ever in flight.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import BrazeError, BrazeRefused
from exchanger.jobs.stopping import until_stopped
from exchanger.profiles.columns import ITEM, OBJECT
from exchanger.profiles.payloads import Batch, bodies

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchanger.files.frame_file import FrameFile
    from exchanger.jobs.acknowledgements import Acknowledgements, Refusal
    from exchanger.jobs.world import World
    from exchanger.outside.braze import Braze

log = structlog.get_logger()

IN_FLIGHT = 48
"""Requests under way at once: Braze's default 1,000 requests/s at about 50 ms each."""
WINDOW = 15_000
"""Objects between two writes of acknowledgements: what a crash sends again at most."""
TOO_LARGE = "The object is larger than a request to Braze may be (4 MB)."
_MAY_BE_SPLIT = (400, 413)


@dataclass(frozen=True)
class Delivery:
    """
    How far a delivery came.

    Args:
        requests: Requests that this process sent to ``/users/track``.
        complete: Every object is acknowledged; otherwise the process was asked to stop.
    """

    requests: int
    complete: bool


async def deliver(
    world: World, outbox: FrameFile, acks: Acknowledgements, confirm: Callable[[], None]
) -> Delivery:
    """
    Send what is not yet acknowledged.

    Args:
        world: The outside.
        outbox: ``@item`` and ``@object`` at least.
        acks: Where outcomes are kept, a part for every window.
        confirm: Called before every window; raises if the run is no longer ours to deliver.

    Raises:
        BrazeError: Braze refused the key, or gave no usable answer after all retries. What was
            acknowledged until then is kept.
        LeaseLost: Another process may be sending.
    """
    done = acks.read(acks.parts()).items
    world.progress.step("sending to Braze", outbox.rows)
    world.progress.advance(done.len())
    async with world.braze() as braze:
        acks.requests = lambda: braze.requests
        braze.permit = world.may_send
        for rows in outbox.frames([ITEM, OBJECT], rows=WINDOW):
            window = rows.filter(~rows[ITEM].is_in(done.implode()))
            if window.is_empty():
                continue
            if world.stopping.is_set():
                return Delivery(braze.requests, complete=False)
            await asyncio.to_thread(confirm)
            first, last = window[ITEM][0], window[ITEM][-1]
            await asyncio.to_thread(acks.begin, first, last)
            complete = await _send_window(world, braze, window, acks)
            if not complete:
                return Delivery(braze.requests, complete=False)
        return Delivery(braze.requests, complete=True)


async def send_again(world: World, rows: pl.DataFrame) -> int:
    """
    Send objects whose acknowledgements are kept already.

    Returns:
        How many requests that took.

    Raises:
        BrazeError: As for *deliver*.
        LeaseLost: As for *deliver*.
    """
    async with world.braze() as braze:
        braze.permit = world.may_send
        for batch in bodies(rows[OBJECT], world.batch_size).batches:
            chosen = range(batch.first_item, batch.first_item + batch.count)
            await _send(braze, rows[OBJECT], chosen, batch.body)
        return braze.requests


async def _send_window(
    world: World, braze: Braze, window: pl.DataFrame, acks: Acknowledgements
) -> bool:
    """Send one window; its acknowledgements are kept even when some request failed."""
    gate = asyncio.Semaphore(IN_FLIGHT)
    packed = bodies(window[OBJECT], world.batch_size)
    answered: list[pl.Series] = [window[ITEM].gather(packed.too_large)]
    refused: list[Refusal] = [(i, TOO_LARGE, False) for i in packed.too_large]
    failures: list[BaseException] = []
    unsure: set[int] = set()

    async def send(batch: Batch) -> None:
        async with gate:
            if failures or world.stopping.is_set():
                return
            chosen = range(batch.first_item, batch.first_item + batch.count)
            unsure.update(chosen)
            try:
                refused.extend(await _send(braze, window[OBJECT], chosen, batch.body))
            except Exception as error:  # noqa: BLE001 - raised again below, once all others ended
                failures.append(error)
                if isinstance(error, BrazeError) and not error.uncertain:
                    unsure.difference_update(chosen)
                return
            unsure.difference_update(chosen)
            answered.append(window[ITEM].slice(batch.first_item, batch.count))
            world.progress.advance(batch.count)

    sending = asyncio.gather(*(send(batch) for batch in packed.batches))
    await until_stopped(sending, world.stopping)
    items = pl.concat(answered)
    named = [(int(window[ITEM][i]), reason, doubtful) for i, reason, doubtful in refused]
    await asyncio.to_thread(acks.write, items, named)
    if items.len() < window.height:
        left = window[ITEM].gather(sorted(unsure)).to_list()
        await asyncio.to_thread(acks.leave, window[ITEM][0], window[ITEM][-1], left)
    if failures:
        log.warning("delivery.interrupted", acknowledged=items.len(), error=str(failures[0]))
        raise failures[0]
    return items.len() == window.height


async def _send(
    braze: Braze, objects: pl.Series, chosen: range | list[int], body: bytes | None = None
) -> list[Refusal]:
    """
    Send some objects until each is accepted or refused, and tell who was refused.

    A refusal that names objects is theirs alone; one that names none is narrowed down by halves.
    """
    if not chosen:
        return []
    try:
        answer = await braze.track(body or _body(objects, chosen))
    except BrazeRefused as error:
        if error.status not in _MAY_BE_SPLIT:
            raise
        return await _narrowed(braze, objects, chosen, error.detail)
    for warning in answer.warnings:
        log.warning("delivery.warning", said=warning)
    named = {at: reason for at, reason in answer.refused.items() if at < len(chosen)}
    if len(named) < len(answer.refused):
        log.warning("delivery.warning", said="refused objects that were not sent")
        if not answer.accepted and not named:
            return await _narrowed(braze, objects, chosen, "; ".join(answer.refused.values()))
    refused: list[Refusal] = [
        (chosen[index], reason, answer.uncertain) for index, reason in named.items()
    ]
    if answer.accepted:
        return refused
    others = [item for index, item in enumerate(chosen) if index not in named]
    return refused + await _send(braze, objects, others)


async def _narrowed(
    braze: Braze, objects: pl.Series, chosen: range | list[int], reason: str
) -> list[Refusal]:
    """Send in halves what was refused without naming an object, down to the one it is about."""
    if len(chosen) == 1:
        # Whether an earlier attempt took effect is not known here: look it up before use.
        return [(chosen[0], reason, True)]
    middle = len(chosen) // 2
    left = await _send(braze, objects, chosen[:middle])
    try:
        return left + await _send(braze, objects, chosen[middle:])
    except BrazeError as failed:
        failed.uncertain = True  # Of the other half, some objects were accepted.
        raise


def _body(objects: pl.Series, chosen: range | list[int]) -> bytes:
    """Render some objects, which fitted into one request before, as a request of their own."""
    packed = bodies(objects.gather(list(chosen)), len(chosen))
    return packed.batches[0].body
