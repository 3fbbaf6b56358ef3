"""The document by which a daemon shows that it is alive, as the bucket has it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Heartbeat:
    """
    One daemon, as it was a moment ago. Times are ISO 8601, by the clock of its machine.

    Args:
        daemon: Its name, which no other daemon has.
        host, pid, version: Where it runs, and what.
        config: The path of its configuration there.
        started_at: When it began.
        at: When it wrote this.
        counter: How often it has written.
        last_look: When it last looked into a folder; None if it has not, or never does.
        next: When each job is due next.
        expecting: For each job that something is expected of, since when a daemon knows of that.
        failing: Of jobs whose last run failed or died: ``exit_code``, ``at`` and ``error``.
        stopped_at: When it was stopped, as asked.
        refused: If its configuration changed and cannot be used, ``since`` when, and the first
            ``problem``; it goes on with the one before.
    """

    daemon: str
    host: str
    pid: int
    version: str
    config: str
    started_at: str
    at: str
    counter: int = 0
    last_look: str | None = None
    next: dict[str, str | None] = field(default_factory=dict)
    expecting: dict[str, str] = field(default_factory=dict)
    failing: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopped_at: str | None = None
    refused: dict[str, str] | None = None

    def to_bytes(self) -> bytes:
        """Render as stored."""
        return json.dumps({"format": 1, **asdict(self)}, indent=2).encode()

    @staticmethod
    def from_bytes(body: bytes) -> Heartbeat:
        """
        Read what *to_bytes* wrote; what a later version adds is passed over.

        Raises:
            ValueError: It is something else.
        """
        content = json.loads(body)
        known = Heartbeat.__dataclass_fields__
        try:
            return Heartbeat(**{name: content[name] for name in known if name in content})
        except TypeError as error:
            raise ValueError("this is no heartbeat") from error
