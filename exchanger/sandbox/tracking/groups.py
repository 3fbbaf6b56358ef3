"""What ``/users/track/status`` tells of requests that carry a ``group_id`` (braze-api.md 2.11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.times import spell_epoch

MEMORY = 24 * 3600.0
"""Seconds for which a group is known, from its first request on."""
MOST_REQUESTS = 6_000_000
MOST_GROUPS = 100_000
"""How many requests a group holds, and how many groups a workspace."""
NOT_ENABLED = "API request status is not enabled for this app group."
_VALID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)


@dataclass
class _Group:
    """Requests of one id: since when, how many, how many are done, and when the last one was."""

    begun: float
    received: int = 0
    done: int = 0
    done_at: float = 0.0


class Groups:
    """The groups of a workspace."""

    def __init__(self) -> None:
        self._known: dict[str, _Group] = {}

    def trouble(self, body: Mapping[str, Any], settings: SandboxSettings, now: float) -> str | None:
        """Return why an accepted request is not tracked, although it carries an id; else None."""
        if "group_id" not in body:
            return None
        group_id = body["group_id"]
        if not _is_valid(group_id):
            return "invalid_group_id"
        group = self._known.get(group_id)
        if settings.group_status == "off" or (group and _is_over(group, now)):
            return "request_status_not_tracked"
        if group is None and self._active(now) >= MOST_GROUPS:
            return "request_status_active_group_limit_exceeded"
        if group is not None and group.received >= MOST_REQUESTS:
            return "request_status_group_full"
        return None

    def receive(self, group_id: str, now: float) -> None:
        """Count a request that was accepted."""
        self._known.setdefault(group_id, _Group(now)).received += 1

    def finish(self, group_id: str, now: float) -> None:
        """Count a request that was processed."""
        group = self._known[group_id]
        group.done, group.done_at = group.done + 1, now

    def status(
        self, parameters: Mapping[str, str], settings: SandboxSettings, now: float
    ) -> Answer:
        """Answer ``/users/track/status``: nothing of a group that is unknown or over."""
        if settings.group_status == "forbidden":
            return refused(403)
        if settings.group_status == "off":
            return refused(403, NOT_ENABLED)
        group_id = parameters.get("group_id")
        if not _is_valid(group_id):
            return refused(400, "Invalid group_id")
        group = self._known.get(str(group_id))
        if group is None or _is_over(group, now):
            return Answer(200, {"results": []})
        waiting = group.received - group.done
        told = {
            "group_id": group_id,
            "status": "processing" if waiting else "completed",
            "received": group.received,
            "done": group.done,
            "processing": waiting,
            "final_completion_time": None if waiting else spell_epoch(group.done_at),
        }
        return Answer(200, {"results": [told]})

    def _active(self, now: float) -> int:
        if len(self._known) < MOST_GROUPS:
            return len(self._known)
        return sum(not _is_over(group, now) for group in self._known.values())


def _is_valid(group_id: Any) -> bool:
    return isinstance(group_id, str) and _VALID.fullmatch(group_id) is not None


def _is_over(group: _Group, now: float) -> bool:
    return now >= group.begun + MEMORY
