"""
Requests that carry one ``group_id``, and what Braze tells of them (braze-api.md 2.11). No I/O.

The status counts what has arrived, so what is still on its way is in no count: that Braze is done
with a group proves something only beside the number of requests that were sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exchanger.outside.braze.answers import Answer, object_of, unreadable


def with_group(body: bytes, group_id: str) -> bytes:
    """Put a ``group_id``, made of plain signs, into the JSON object that a request is."""
    return body[:-1] + b',"group_id":"' + group_id.encode() + b'"}'


def read_done(answer: Answer, group_id: str) -> int:
    """
    Read an answer of ``/users/track/status``.

    Returns:
        How many requests Braze has received of the group, if it is done with all of them; 0 unless
        it says so of this very group and without contradiction.

    Raises:
        Fault: There is no list of results.
    """
    told = _told(answer, group_id)
    received, done, processing = (told.get(name) for name in ("received", "done", "processing"))
    if type(received) is not int or (done, processing) != (received, 0):
        return 0
    completed = told.get("status") == "completed" and _is_time(told.get("final_completion_time"))
    return max(received, 0) if completed else 0


def read_received(answer: Answer, group_id: str) -> int:
    """
    Read how many requests of a group Braze has taken; 0 if it says nothing of this very group.

    Raises:
        Fault: There is no list of results.
    """
    received = _told(answer, group_id).get("received")
    return max(received, 0) if type(received) is int else 0


def _told(answer: Answer, group_id: str) -> dict[str, Any]:
    results = object_of(answer).get("results")
    if not isinstance(results, list):
        raise unreadable(answer, "no list of results")
    told = results[0] if len(results) == 1 else None
    return told if isinstance(told, dict) and told.get("group_id") == group_id else {}


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
