"""Which requests came in, for whoever asks afterwards."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any


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
    Counts all requests and keeps the newest.

    Args:
        keep: How many bodies to keep.
    """

    def __init__(self, keep: int) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: deque[Received] = deque(maxlen=keep)

    def note(self, endpoint: str, body: bytes) -> None:
        """Write a request down, whatever will be answered."""
        self.counts[endpoint] += 1
        self.kept.append(Received(endpoint, body))

    def newest(self, endpoint: str | None = None, last: int | None = None) -> list[Received]:
        """The kept requests, oldest first: all or the *last* ones, of one endpoint or any."""
        found = [one for one in self.kept if endpoint is None or one.endpoint == endpoint]
        return found if last is None else found[max(0, len(found) - last) :]
