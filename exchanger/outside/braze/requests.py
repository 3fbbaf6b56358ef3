"""
Requests to Braze, each sent until there is an answer worth having.

What answers mean is in ``answers``, how long to try is in ``retry``, how fast in ``rate_limit``,
the HTTP client is in ``transport``. Sources are named by section of ``braze-api.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import NoReturn, TypeVar

from exchanger.braze.endpoints import (
    COHORTS,
    ENDPOINTS,
    EXPORT_IDS,
    IN_ONE_POOL,
    PERMISSIONS,
    TRACK,
)
from exchanger.config.models import BrazeConfig
from exchanger.errors import (
    BrazeError,
    BrazeForbidden,
    BrazeKeyRefused,
    BrazeRefused,
    BrazeUnreachable,
)
from exchanger.outside.braze.answers import (
    REMAINING,
    Answer,
    Fault,
    RateLimited,
    is_told_to_all,
    message_of,
    remaining,
    told_to_wait,
)
from exchanger.outside.braze.paces import IDENTITY_POOL, SHARED_POOL, limits_by_path, written_paths
from exchanger.outside.braze.rate_limit import (
    MOST_IN_FLIGHT,
    HourlyQuota,
    OwnQuotas,
    Quotas,
    RateLimiter,
)
from exchanger.outside.braze.retry import (
    LIMIT_PAUSE,
    LIMIT_WAITING,
    CircuitState,
    LimitState,
    LostAnswers,
    RetryState,
)
from exchanger.outside.braze.transport import Call, Transport
from exchanger.outside.clock import Clock
from exchanger.redaction import Redactor

T = TypeVar("T")

DOWNLOAD = "export download"
"""What stands for an endpoint in errors and counts, where an export is fetched from its address."""

_LOCKED = 423
"""A cohort that still changes (braze-api.md 11): nothing was processed."""
_REFUSALS: Mapping[int, type[BrazeError]] = {401: BrazeKeyRefused, 403: BrazeForbidden}


class BrazeRequests:
    """
    Paces requests, tries again, and turns what cannot be helped into a ``BrazeError``.

    Args:
        config: Key and limits.
        clock: Time.
        random: Source of jitter.
        timeout: Seconds after which a request without an answer counts as lost.
        quotas: Where requests are counted by the hour, if there is a limit; this process counts
            for itself if left out.
        secrets: Others than the key, which stand in bodies.
    """

    def __init__(  # noqa: PLR0913 - what a client is given
        self,
        config: BrazeConfig,
        *,
        clock: Clock,
        random: Random | None,
        timeout: float,
        quotas: Quotas | None,
        secrets: Iterable[str] = (),
    ) -> None:
        self._redactor = Redactor([config.api_key.get_secret_value(), *secrets])
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter is no secret
        self.wire = Transport(timeout)
        self.sent: Counter[str] = Counter()
        """Requests to each endpoint, every attempt counted."""
        self.not_taken: Counter[str] = Counter()
        """Those of them that certainly did not come in: no connection, or 429."""
        self.permit: Callable[[], None] = lambda: None
        """Called before every attempt to write; raises if this process may not write now."""
        self.heard: Callable[[Call, Answer | None], None] = lambda _call, _answer: None
        """Called after every attempt to write, with the answer if there was one."""
        own = OwnQuotas(config.hourly_limit, clock) if config.hourly_limit else None
        self._hourly = HourlyQuota(quotas or own, clock)
        give_up = config.give_up.total_seconds()
        written = written_paths()
        self._outages = {name: CircuitState(clock, give_up) for name in (*written, EXPORT_IDS)}
        limits = {**limits_by_path(config.rate_limit), EXPORT_IDS: config.lookup_limit}
        endpoints = {*PERMISSIONS, *written, COHORTS, DOWNLOAD}
        self._paces = {
            name: RateLimiter(limits.get(name, SHARED_POOL), clock, spread=name in written)
            for name in endpoints
        } | dict.fromkeys(IN_ONE_POOL, RateLimiter(IDENTITY_POOL, clock, spread=True))
        self._limited = {name: LimitState() for name in endpoints}
        self._lost = {name: LostAnswers(clock, self._random) for name in endpoints}
        self._held_back: Counter[str] = Counter()
        """Requests that wait by themselves, as they were answered 429."""

    async def close(self) -> None:
        """Close the HTTP client, and return requests that were reserved and not sent."""
        await self.wire.close()
        await self._hourly.close()

    def expect(self, requests: int) -> None:
        """Let so many requests that write go at once, where a limit has room for all of them."""
        for endpoint in ENDPOINTS.values():
            self._paces[endpoint.path].expect(requests)

    def in_flight(self, endpoint: str) -> int:
        """Return how many requests to an endpoint should be under way at once."""
        return min(self._paces[endpoint].in_flight + self._held_back[endpoint], MOST_IN_FLIGHT)

    async def send(
        self,
        call: Call,
        read: Callable[[Answer], T],
        *,
        reads: Sequence[int] = (),
        limit_waiting: float = LIMIT_WAITING,
    ) -> T:
        """
        Send a request until there is an answer worth having.

        Args:
            call: The request.
            read: Makes the result of a 2xx, and of a status in *reads*.
            reads: Further statuses that are answers.
            limit_waiting: Seconds to put up with 429, or 423.

        Raises:
            BrazeError: There was none.
        """
        pace = self._paces[call.endpoint]
        outage = self._outages.get(call.endpoint)
        patience: RetryState | None = None
        uncertain, lost = False, 0
        fault: Fault | RateLimited
        while True:
            if call.writes and call.endpoint == TRACK:
                await self._hourly.take()
            taken_at = await pace.take()
            try:
                async with self._turn(call, pace, taken_at):
                    answer = await self._exchange(call, pace, taken_at)
                    answer = replace(answer, uncertain=True, lost=lost) if uncertain else answer
                    judged = self._judge(call, answer, read, reads)
            except (Fault, RateLimited) as error:
                fault = error
                self.not_taken[call.endpoint] += not error.uncertain
            else:
                self._limited[call.endpoint].accepted()
                if outage is not None:
                    outage.accepted()
                return judged
            patience = patience or RetryState(self._clock, self._random, limit_waiting, outage)
            if isinstance(fault, Fault):
                may_count = fault.uncertain if call.idempotent else not fault.untaken
                twice = not fault.untaken if call.counts_again else fault.lost
                uncertain, lost = uncertain or may_count, lost + twice
                # What may have been taken is sent again only where that changes nothing more.
                once = may_count and not call.idempotent
                pause = None if once else patience.after_fault()
            else:
                pause = patience.after_limit(fault.told)
                self._hold_back(call.endpoint, fault, bearable=pause is not None)
            if pause is None:
                detail = self.clean(fault.detail)
                raise BrazeUnreachable(
                    call.endpoint, fault.status, detail, uncertain=uncertain, lost=lost
                )
            await self._wait_out(pause, call.endpoint, fault)

    @asynccontextmanager
    async def _turn(self, call: Call, pace: RateLimiter, taken_at: float) -> AsyncIterator[None]:
        """
        Let a request go that is sent once, unless the answers to those before it are all lost.

        Raises:
            BrazeUnreachable: They are, and so would be this one's.
        """
        if call.idempotent:
            yield
            return
        losses = self._lost[call.endpoint]
        async with losses.turn():
            begun = self._clock.monotonic()
            if losses.over:
                pace.end(taken_at)
                raise BrazeUnreachable(
                    call.endpoint, 0, "the answers to several requests were lost"
                )
            try:
                yield
            except Fault as fault:
                if not fault.untaken:
                    losses.lost(begun)
                raise
            except (RateLimited, BrazeError):
                losses.answered()
                raise
            losses.answered()

    async def _exchange(self, call: Call, pace: RateLimiter, taken_at: float) -> Answer:
        """Send a request once, if it may still be sent."""
        try:
            if call.writes:
                self.permit()
            self.sent[call.endpoint] += 1
            answer = await self.wire.exchange(call)
        except Fault:
            self._hear(call, None)
            raise
        finally:
            pace.end(taken_at)
        self._hear(call, answer)
        if REMAINING in answer.headers:
            self._heed(pace, answer)
        return answer

    def _hear(self, call: Call, answer: Answer | None) -> None:
        if call.writes:
            self.heard(call, answer)

    async def _wait_out(self, pause: float, endpoint: str, fault: Fault | RateLimited) -> None:
        limited = isinstance(fault, RateLimited)
        self._held_back[endpoint] += limited
        try:
            await self._clock.wait(pause)
        finally:
            self._held_back[endpoint] -= limited

    def _judge(
        self, call: Call, answer: Answer, read: Callable[[Answer], T], reads: Sequence[int]
    ) -> T:
        status = answer.status
        if 200 <= status < 300 or status in reads:
            return read(answer)
        if status == _LOCKED:
            raise RateLimited(status, message_of(answer), None, for_all=False)
        if status == 429:
            told = told_to_wait(answer.headers, self._clock.now())
            for_all = is_told_to_all(answer.headers)
            raise RateLimited(status, message_of(answer), told, for_all=for_all)
        if status == 408 or status >= 500:
            raise Fault(status, message_of(answer), uncertain=True)
        return self.refuse(call.needs, answer)

    def refuse(self, endpoint: str, answer: Answer) -> NoReturn:
        """Raise the error that an answer is."""
        detail = self.clean(message_of(answer))
        kind = _REFUSALS.get(answer.status, BrazeRefused)
        raise kind(endpoint, answer.status, detail, uncertain=answer.uncertain, lost=answer.lost)

    def clean(self, text: str) -> str:
        """Take the key out of a text."""
        return self._redactor.clean(text)

    def _heed(self, pace: RateLimiter, answer: Answer) -> None:
        """Let the next request wait where an answer that is no 429 says that none are left."""
        left = remaining(answer.headers)
        if left is None or answer.status == 429:
            return
        pace.heed(left)
        if left:
            return
        pause = told_to_wait(answer.headers, self._clock.now()) or 0.0
        # A longer one would be a mistake of somebody's clock; then a 429 will tell.
        if 0 < pause <= LIMIT_WAITING and not pace.explains(pause):
            pace.close(pause)

    def _hold_back(self, endpoint: str, fault: RateLimited, *, bearable: bool) -> None:
        """Hold back all requests, if a 429 says so or many were; otherwise it is about its own."""
        repeated = self._limited[endpoint].refused()
        if not bearable:
            return
        if fault.for_all:
            self._paces[endpoint].close(LIMIT_PAUSE if fault.told is None else fault.told)
        elif repeated:
            self._paces[endpoint].close(fault.told or repeated)
