"""Which requests came in, for whoever asks afterwards."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

OTHERS = "others"
"""Counts the requests to whatever came after the first thousand of paths."""
_ENDPOINTS = 1000


@dataclass(frozen=True)
class Received:
    """
    One request.

    Args:
        endpoint: Its path.
        body: As received.
    """

    endpoint: str
    body: bytes

    def shown(self) -> dict[str, Any]:
        """The request as JSON can carry it."""
        return {"endpoint": self.endpoint, "body": self.body.decode(errors="replace")}


class Journal:
    """
    Counts all requests and keeps the newest, so that a long trial needs no more and more memory.

    Args:
        keep: How many bodies to keep.
        keep_bytes: How large they may be together; the newest is kept whatever its size.
    """

    def __init__(self, keep: int, keep_bytes: int) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: deque[Received] = deque()
        self._keep, self._keep_bytes = keep, keep_bytes
        self._size = 0

    def note(self, endpoint: str, body: bytes) -> None:
        """Write a request down, whatever will be answered."""
        known = endpoint in self.counts or len(self.counts) < _ENDPOINTS
        self.counts[endpoint if known else OTHERS] += 1
        self.kept.append(Received(endpoint, body))
        self._size += len(body)
        while len(self.kept) > self._keep or (self._size > self._keep_bytes and len(self.kept) > 1):
            self._size -= len(self.kept.popleft().body)

    def newest(self, endpoint: str | None = None, last: int | None = None) -> list[Received]:
        """The kept requests, oldest first: all or the *last* ones, of one endpoint or any."""
        found = [one for one in self.kept if endpoint is None or one.endpoint == endpoint]
        return found if last is None else found[max(0, len(found) - last) :]
