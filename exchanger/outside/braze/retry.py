"""How long one request is tried again, and how long it waits in between. No I/O."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from exchanger.outside.clock import Clock

ATTEMPTS = 6
"""How often one request is sent when it meets faults, the first time included."""

SHORTEST_CAP = 0.5
LONGEST_CAP = 30.0
"""Seconds: the pause after the n-th fault is drawn from 0 to ``SHORTEST_CAP`` times 2 to the n - 1,
but never from more than ``LONGEST_CAP`` (exponential backoff with full jitter)."""

LIMIT_WAITING = 65 * 60.0
"""Seconds for which one request puts up with 429. Hourly limits reset at the top of the clock hour
(braze-api.md 1.5), so a little more than an hour always reaches the next one."""

FIRST_LIMIT_PAUSE = 0.2
"""Seconds, at most, after a first 429 of a request that does not say how long to wait."""
LIMIT_PAUSE = 1.0
"""Seconds, at least, after further ones; and the time for which all requests to an endpoint are
held back at first, where many of them are answered 429."""
RECENT = 50
REPEATED = 5
"""From so many 429 among the last ``RECENT`` answers on, they are more than single ones."""


class CircuitState:
    """
    Whether an endpoint takes anything at all, seen over all requests to it.

    Args:
        clock: Time.
        bearable: Seconds for which an endpoint may take nothing before requests give up.
    """

    def __init__(self, clock: Clock, bearable: float) -> None:
        self._clock = clock
        self._bearable = bearable
        self._accepted_at = float("-inf")

    def accepted(self) -> None:
        """Keep that something was taken just now."""
        self._accepted_at = self._clock.monotonic()

    def worth_waiting(self, since: float, pause: float) -> bool:
        """
        Return whether a request that fails since then should wait once more.

        Not if others are taken meanwhile: then it is not the endpoint that fails.
        """
        lasts_too_long = self._clock.monotonic() + pause - since > self._bearable
        return self._accepted_at < since and not lasts_too_long


class LimitState:
    """How many of the last answers of an endpoint were 429: a few of them, or a crowd."""

    def __init__(self) -> None:
        self._refused: deque[bool] = deque(maxlen=RECENT)
        self._in_a_row = 0

    def accepted(self) -> None:
        """Keep that a request was answered otherwise."""
        self._refused.append(False)

    def refused(self) -> float:
        """
        Keep that a request was answered 429.

        Returns:
            The seconds for which all requests should be held back; 0 where it is a single one. That
            is twice as long each time if nothing else was answered since.
        """
        self._refused.append(True)
        if sum(self._refused) < REPEATED:
            return 0.0
        self._in_a_row = self._in_a_row + 1 if all(self._refused) else 1
        self._refused.clear()
        return min(LONGEST_CAP, LIMIT_PAUSE * 2.0 ** min(self._in_a_row - 1, 16))


class LostAnswers:
    """
    What follows where answers are lost to requests that may not be sent again, over an endpoint.

    A single one is told as in doubt, and others go on. After several in a row each further request
    would be in doubt as well, so they go one at a time with pauses between, until one is answered,
    or none is worth sending any more.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._alone = asyncio.Lock()
        self._in_a_row = 0
        self._probing: RetryState | None = None
        self._until = 0.0
        self.over = False
        """Whether nothing is worth sending any more."""

    def answered(self) -> None:
        """Keep that a request was answered."""
        self._in_a_row, self._probing = 0, None

    def lost(self, begun: float) -> None:
        """Keep that a request, begun at a time, was not: what was under way then tells no more."""
        self._in_a_row += 1
        if self._in_a_row < REPEATED or (self._probing is not None and begun < self._until):
            return
        self._probing = self._probing or RetryState(self._clock, self._random)
        pause = self._probing.after_fault()
        self.over = pause is None
        self._until = self._clock.monotonic() + (pause or 0.0)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until one more request may go; the context is open while it is under way."""
        while self._probing is not None:
            async with self._alone:
                if self._probing is None:
                    continue
                await self._clock.wait(self._until - self._clock.monotonic())
                yield
                return
        yield


class RetryState:
    """
    What is left of the patience for one request.

    Faults (no answer, 5xx, an answer that cannot be read) are counted; answers of 429 are not, but
    the time since the first of them is bounded.

    Args:
        clock: Time.
        random: Source of jitter.
        limit_waiting: Seconds to put up with 429.
        outage: What is known of the endpoint; without it a request ends after ``ATTEMPTS``.
    """

    def __init__(
        self,
        clock: Clock,
        random: Random,
        limit_waiting: float = LIMIT_WAITING,
        outage: CircuitState | None = None,
    ) -> None:
        self._clock = clock
        self._random = random
        self._limit_waiting = limit_waiting
        self._faults = 0
        self._limits = 0
        self._limited_since = 0.0
        self._outage = outage
        self._failing_since = 0.0

    def after_fault(self) -> float | None:
        """
        Return the seconds to wait after one more fault; None when it was the last attempt.

        That is after ``ATTEMPTS``, or later in an outage that may be waited for.
        """
        if not self._faults:
            self._failing_since = self._clock.monotonic()
        self._faults += 1
        pause = self._jitter(self._faults)
        if self._faults < ATTEMPTS:
            return pause
        if self._outage is None or not self._outage.worth_waiting(self._failing_since, pause):
            return None
        return pause

    def after_limit(self, told: float | None) -> float | None:
        """
        Return the seconds to wait after one more 429; None when it is not worth waiting any longer.

        Args:
            told: What the answer said, in seconds, if it said anything.
        """
        now = self._clock.monotonic()
        if not self._limits:
            self._limited_since = now
        self._limits += 1
        pause = self._limit_pause(told)
        waited = now - self._limited_since
        return None if waited + pause > self._limit_waiting else pause

    def _limit_pause(self, told: float | None) -> float:
        if told is None:
            if self._limits == 1:
                return self._random.uniform(0, FIRST_LIMIT_PAUSE)
            return LIMIT_PAUSE + self._jitter(self._limits)
        # Told once, it is believed. Told again and again, there is a crowd at the door: more is
        # waited each time, so that a limit that always says "0 seconds" is not asked for ever.
        return told if self._limits == 1 else max(told, self._jitter(self._limits))

    def _jitter(self, times: int) -> float:
        return self._random.uniform(0, min(LONGEST_CAP, SHORTEST_CAP * 2.0 ** min(times - 1, 16)))
