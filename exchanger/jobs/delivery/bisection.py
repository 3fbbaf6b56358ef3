"""
Sends some objects until each of them is accepted or refused.

Braze answers for a request as a whole, or names objects by their position in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import BrazeError, BrazeRefused
from exchanger.profiles.planning.payloads import bodies
from exchanger.state.runs.acknowledgements import IN_DOUBT

if TYPE_CHECKING:
    import polars as pl

    from exchanger.braze.endpoints import Endpoint
    from exchanger.outside.braze.client import Braze
    from exchanger.state.runs.acknowledgements import Refusal

log = structlog.get_logger()

_MAY_BE_SPLIT = (400, 413)

Again = Callable[["range | list[int]", int], None]
"""Told which objects were sent again as answers were lost, and how often: seldom more than 0."""


def _not_kept(_chosen: range | list[int], _times: int) -> None:
    """Take no notice."""


@dataclass(frozen=True)
class Bisection:
    """
    Sends some objects until each is accepted or refused.

    A refusal that names objects is theirs alone; one that names none is narrowed down by halves.
    Objects of an endpoint that is not idempotent, and that may have been taken, are in doubt: they
    are told like refused ones of which that is uncertain, and not sent again.

    Args:
        braze: The workspace.
        objects: JSON texts.
        endpoint: Where they are sent.
        again: Called where objects were sent again because answers were lost.
    """

    braze: Braze
    objects: pl.Series
    endpoint: Endpoint
    again: Again = _not_kept

    async def send(
        self, chosen: range | list[int], body: bytes | None = None, group: str = ""
    ) -> list[Refusal]:
        """
        Send objects, and return who was refused, by their position.

        Args:
            chosen: Positions of those to send.
            body: The request of exactly these, if it is made already.
            group: The ``group_id`` of that request. What is sent again of it is another one.

        Raises:
            BrazeError: Braze refused the key, or gave no usable answer after all retries.
        """
        if not chosen:
            return []
        try:
            answer = await self.braze.track(body or self._body(chosen), self.endpoint, group)
        except BrazeError as error:
            if error.uncertain and not self.endpoint.idempotent:
                return [(at, IN_DOUBT, True) for at in chosen]
            if not isinstance(error, BrazeRefused) or error.status not in _MAY_BE_SPLIT:
                # Of the last one nobody knows what became: that is told of those in doubt.
                self.again(chosen, error.lost - 1)
                raise
            self.again(chosen, error.lost)
            return await self._narrowed(chosen, error.detail)
        self.again(chosen, answer.lost)
        for warning in answer.warnings:
            log.warning("delivery.warning", said=warning)
        named = {at: reason for at, reason in answer.refused.items() if at < len(chosen)}
        if len(named) < len(answer.refused):
            log.warning("delivery.warning", said="refused objects that were not sent")
            if not answer.accepted and not named:
                return await self._narrowed(chosen, "; ".join(answer.refused.values()))
        refused: list[Refusal] = [
            (chosen[index], reason, answer.uncertain) for index, reason in named.items()
        ]
        if answer.accepted:
            return refused
        others = [item for index, item in enumerate(chosen) if index not in named]
        return refused + await self.send(others)

    async def _narrowed(self, chosen: range | list[int], reason: str) -> list[Refusal]:
        """Send in halves what was refused without naming an object, down to the one it is about."""
        if len(chosen) == 1:
            # Whether an earlier attempt took effect is not known here: look it up before use.
            return [(chosen[0], reason, self.endpoint.idempotent)]
        middle = len(chosen) // 2
        left = await self.send(chosen[:middle])
        try:
            return left + await self.send(chosen[middle:])
        except BrazeError as failed:
            failed.uncertain = True  # Of the other half, some objects were accepted.
            raise

    def _body(self, chosen: range | list[int]) -> bytes:
        """Render objects, which fitted into one request before, as a request of their own."""
        packed = bodies(self.objects.gather(list(chosen)), len(chosen), self.endpoint)
        return packed.batches[0].body
