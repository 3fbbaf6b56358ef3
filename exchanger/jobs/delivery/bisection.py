"""
Sends some objects until each of them is accepted or refused.

Braze answers for a request as a whole, or names objects by their position in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import BrazeError, BrazeRefused
from exchanger.profiles.planning.payloads import bodies

if TYPE_CHECKING:
    import polars as pl

    from exchanger.outside.braze.client import Braze
    from exchanger.state.runs.acknowledgements import Refusal

log = structlog.get_logger()

_MAY_BE_SPLIT = (400, 413)

Again = Callable[["range | list[int]", int], None]
"""Told which objects were sent again as answers were lost, and how often: seldom more than 0."""


def _not_kept(_chosen: range | list[int], _times: int) -> None:
    """Take no notice."""


async def send_objects(
    braze: Braze,
    objects: pl.Series,
    chosen: range | list[int],
    body: bytes | None = None,
    *,
    again: Again = _not_kept,
) -> list[Refusal]:
    """
    Send some objects until each is accepted or refused, and tell who was refused.

    A refusal that names objects is theirs alone; one that names none is narrowed down by halves.

    Args:
        braze: The workspace.
        objects: JSON texts.
        chosen: Positions of those to send.
        body: The request of exactly these, if it is made already.
        again: Called where objects were sent again because answers were lost.

    Returns:
        The refused ones by their position in *objects*.

    Raises:
        BrazeError: Braze refused the key, or gave no usable answer after all retries.
    """
    if not chosen:
        return []
    try:
        answer = await braze.track(body or _body(objects, chosen))
    except BrazeError as error:
        if not isinstance(error, BrazeRefused) or error.status not in _MAY_BE_SPLIT:
            # Of the last one nobody knows what became: that is told of those left unsure.
            again(chosen, error.lost - 1)
            raise
        again(chosen, error.lost)
        return await _narrowed(braze, objects, chosen, error.detail, again)
    again(chosen, answer.lost)
    for warning in answer.warnings:
        log.warning("delivery.warning", said=warning)
    named = {at: reason for at, reason in answer.refused.items() if at < len(chosen)}
    if len(named) < len(answer.refused):
        log.warning("delivery.warning", said="refused objects that were not sent")
        if not answer.accepted and not named:
            reason = "; ".join(answer.refused.values())
            return await _narrowed(braze, objects, chosen, reason, again)
    refused: list[Refusal] = [
        (chosen[index], reason, answer.uncertain) for index, reason in named.items()
    ]
    if answer.accepted:
        return refused
    others = [item for index, item in enumerate(chosen) if index not in named]
    return refused + await send_objects(braze, objects, others, again=again)


async def _narrowed(
    braze: Braze, objects: pl.Series, chosen: range | list[int], reason: str, again: Again
) -> list[Refusal]:
    """Send in halves what was refused without naming an object, down to the one it is about."""
    if len(chosen) == 1:
        # Whether an earlier attempt took effect is not known here: look it up before use.
        return [(chosen[0], reason, True)]
    middle = len(chosen) // 2
    left = await send_objects(braze, objects, chosen[:middle], again=again)
    try:
        return left + await send_objects(braze, objects, chosen[middle:], again=again)
    except BrazeError as failed:
        failed.uncertain = True  # Of the other half, some objects were accepted.
        raise


def _body(objects: pl.Series, chosen: range | list[int]) -> bytes:
    """Render some objects, which fitted into one request before, as a request of their own."""
    packed = bodies(objects.gather(list(chosen)), len(chosen))
    return packed.batches[0].body
