"""Fixed windows per endpoint pool, and how their state is told in headers (braze-api.md 1.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exchanger.sandbox.http.pools import HOUR, POOLS
from exchanger.sandbox.settings import SandboxSettings


@dataclass(frozen=True)
class Verdict:
    """
    Whether a request may pass.

    Args:
        passed: Otherwise the answer is a 429.
        headers: To put on the answer either way.
    """

    passed: bool
    headers: dict[str, str]


class RateLimits:
    """Counts requests in windows that begin at whole multiples of their length since the epoch."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}

    def spend(self, pool: str, settings: SandboxSettings, now: float) -> Verdict:
        """
        Count a request and say whether it may pass; a refused one costs nothing.

        Args:
            pool: ``track``, ``lookup``, ``shared``, or one of ``POOLS``.
            settings: For the limits and the header dialect.
            now: Epoch seconds.
        """
        limit, length = _limit(pool, settings)
        window = math.floor(now / length)
        known, used = self._counts.get(pool, (window, 0))
        used = used if known == window else 0
        passed = used < limit
        self._counts[pool] = (window, used + passed)
        left = max(0, limit - used - 1)
        ends = (window + 1) * length
        if pool == "track" and settings.header_dialect == "relative":
            return Verdict(passed, _relative(limit, left, math.ceil(ends - now), passed=passed))
        told = passed or settings.headers_on_429
        return Verdict(passed, _headers(limit, left, ends) if told else {})


def _limit(pool: str, settings: SandboxSettings) -> tuple[int, int]:
    if pool == "track":
        return settings.track_requests, settings.track_window
    if pool == "lookup":
        return settings.lookup_requests, settings.lookup_window
    if pool == "shared":
        return settings.shared_requests, HOUR
    requests, length = POOLS[pool]
    return settings.pool_requests.get(pool, requests), length


def _headers(limit: int, left: int, reset: int) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(reset),
    }


def _relative(limit: int, left: int, seconds: int, *, passed: bool) -> dict[str, str]:
    return _headers(limit, left, seconds) if passed else {"x-ratelimit-retry-after": str(seconds)}
