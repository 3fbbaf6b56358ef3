"""How the null Braze counts requests against a limit: by one of three kinds of server."""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field


@dataclass
class FixedWindows:
    """
    Counts in windows that begin at whole multiples of their length.

    Args:
        requests: Most of them in a window.
        seconds: The window.
    """

    requests: int
    seconds: float
    window: int = -1
    used: int = 0

    def take(self, now: float) -> tuple[bool, int, float]:
        """Count a request; tells whether it passes, how many remain, and when there are more."""
        window = int(now // self.seconds)
        if window != self.window:
            self.window, self.used = window, 0
        passes = self.used < self.requests
        self.used += passes
        return passes, self.requests - self.used, (window + 1) * self.seconds


@dataclass
class SlidingWindow:
    """Counts what passed in the last window before each request."""

    requests: int
    seconds: float
    passed: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> tuple[bool, int, float]:
        """Count a request, as fixed windows do."""
        while self.passed and self.passed[0] <= now - self.seconds:
            self.passed.popleft()
        passes = len(self.passed) < self.requests
        if passes:
            self.passed.append(now)
        return passes, self.requests - len(self.passed), self.passed[0] + self.seconds


@dataclass
class TokenBucket:
    """Takes a token from a bucket that is as large as the limit, and filled steadily."""

    requests: int
    seconds: float
    tokens: float = -1.0
    before: float = 0.0

    def take(self, now: float) -> tuple[bool, int, float]:
        """Count a request, as fixed windows do."""
        rate = self.requests / self.seconds
        filled = self.tokens + (now - self.before) * rate if self.tokens >= 0 else self.requests
        tokens = min(self.requests, filled)
        passes = tokens >= 1
        self.tokens, self.before = tokens - passes, now
        return passes, int(self.tokens), now + (self.requests - self.tokens) / rate


KINDS = {"fixed": FixedWindows, "sliding": SlidingWindow, "bucket": TokenBucket}


@dataclass
class Behaviour:
    """
    What the null Braze does with requests.

    Args:
        latency: Mean seconds until the answer; of each request between three quarters and five.
        refused: Part of the requests that are answered 429 although others remain.
        failing: Part of the requests that are answered 503.
        limit: The limit that answers tell where nothing counts.
        counter: What counts them; None for no limit.
    """

    latency: float = 0.0
    refused: float = 0.0
    failing: float = 0.0
    limit: int = 1_000_000
    counter: FixedWindows | SlidingWindow | TokenBucket | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret

    def delay(self) -> float:
        """Draw how long one request takes."""
        return self.latency * self.chance.uniform(0.75, 1.25) if self.latency else 0.0

    def take(self, now: float) -> tuple[int, bytes]:
        """Count a request; tells the status and the headers of its answer."""
        limit, remaining, reset = self.limit, self.limit - 1, now + 2.0
        passes = True
        if self.counter:
            passes, remaining, reset = self.counter.take(now)
            limit = self.counter.requests
        if self.refused and self.chance.random() < self.refused:
            passes = False
        status = 201 if passes else 429
        if self.failing and self.chance.random() < self.failing:
            status = 503
        told = (limit, remaining, math.ceil(reset))
        return status, b"X-RateLimit-Limit: %d\r\nX-RateLimit-Remaining: %d\r\n" % told[:2] + (
            b"X-RateLimit-Reset: %d\r\n" % told[2]
        )


def behaviour(query: dict[str, str]) -> Behaviour:
    """Read a behaviour: ``latency`` in ms, ``refused``, ``failing``, and the limit it counts."""
    kind = KINDS.get(query.get("kind", ""))
    counter = kind(int(query["requests"]), float(query["seconds"])) if kind else None
    latency = float(query.get("latency", 0)) / 1_000
    refused, failing = float(query.get("refused", 0)), float(query.get("failing", 0))
    limit = int(query.get("requests", 1_000_000))
    return Behaviour(latency, refused, failing, limit, counter)
