"""Answers that go wrong on purpose: a tape of faults, and seeded random ones."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from exchanger.sandbox.settings import SandboxSettings

ANY_ENDPOINT = "*"
_SERVER_ERRORS = (500, 502, 503, 504)


@dataclass
class Fault:
    """
    What happens to the next requests of an endpoint instead of, or after, being answered.

    Args:
        endpoint: Its path, or ``*`` for any.
        times: For how many requests.
        skip: How many requests pass before the first.
        status: Answer this status; nothing is applied unless *applied*.
        applied: Whether the request takes effect before *status* is answered.
        body: JSON body of that answer; a string is sent as it is.
        headers: Headers of that answer.
        drop: Drop the connection ``before`` or ``after`` the request takes effect.
        truncate: Send half of the answer's body, then drop the connection.
        delay: Seconds before the answer.
        late: Seconds by the sandbox's clock between the acceptance of the request and its effect.
    """

    endpoint: str
    times: int = 1
    skip: int = 0
    status: int | None = None
    applied: bool = False
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: Literal["before", "after"] | None = None
    truncate: bool = False
    delay: float = 0.0
    late: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a fault that would do nothing."""
        if self.drop not in (None, "before", "after"):
            raise ValueError("drop is 'before' or 'after'")
        if not (self.status or self.drop or self.truncate or self.delay or self.late):
            raise ValueError("a fault needs a status, drop, truncate, delay or late")

    @property
    def takes_effect(self) -> bool:
        """Whether the request is processed as usual."""
        return self.drop != "before" and (self.status is None or self.applied)

    @classmethod
    def described(cls, description: Mapping[str, Any]) -> Fault:
        """
        The fault that a JSON object describes.

        Raises:
            ValueError: It has an unknown key, no endpoint, or would do nothing.
        """
        known = {known.name for known in fields(cls)}
        if unknown := sorted(set(description) - known):
            raise ValueError(f"a fault has no {', '.join(unknown)}")
        if "endpoint" not in description:
            raise ValueError("a fault needs an endpoint")
        return cls(**description)


class Faults:
    """
    The tape.

    Args:
        seed: Of the random faults.
    """

    def __init__(self, seed: int) -> None:
        self._tape: list[Fault] = []
        self._random = random.Random(seed)  # noqa: S311 (repeatable, no secret)

    def add(self, fault: Fault) -> None:
        """Put a fault on the tape, behind those that are there."""
        self._tape.append(fault)

    def waiting(self) -> list[Fault]:
        """What is still on the tape, in order; ``times`` and ``skip`` are what is left of them."""
        return list(self._tape)

    def clear(self) -> int:
        """Empty the tape; returns how many faults were on it. Chance goes on, see the settings."""
        count = len(self._tape)
        self._tape.clear()
        return count

    def next_for(self, endpoint: str, settings: SandboxSettings) -> Fault | None:
        """What happens to the request that just came in, ``None`` for nothing unusual."""
        for fault in self._tape:
            if fault.endpoint not in (endpoint, ANY_ENDPOINT):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                return None
            fault.times -= 1
            if fault.times <= 0:
                self._tape.remove(fault)
            return fault
        return self._by_chance(endpoint, settings)

    def _by_chance(self, endpoint: str, settings: SandboxSettings) -> Fault | None:
        if settings.error_rate and self._random.random() < settings.error_rate:
            return Fault(endpoint, status=self._random.choice(_SERVER_ERRORS))
        if settings.lost_answer_rate and self._random.random() < settings.lost_answer_rate:
            return Fault(endpoint, drop="after")
        if settings.too_many_rate and self._random.random() < settings.too_many_rate:
            return Fault(endpoint, status=429)
        return None
