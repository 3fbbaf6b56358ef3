"""Reads the states of people in subscription groups (braze-api.md 10)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from exchanger.outside.braze.answers import Answer, message_of, object_of, unreadable
from exchanger.profiles.spelling.profile_key import parts_of

PAGE = 100
"""Users on a page."""
Params = tuple[tuple[str, str], ...]


def people_named(keys: Sequence[str]) -> Params:
    """Name people of one kind in the query of a request."""
    kind = parts_of(keys[0])[0]
    return tuple((f"{kind}[]", parts_of(key)[1]) for key in keys)


def read_users(answer: Answer, keys: Sequence[str]) -> tuple[dict[str, list[dict[str, str]]], int]:
    """
    Read a page of users with their groups.

    Returns:
        By key, of each user who has it the state in each group, in small letters; and how many
        users there are on all pages.

    Raises:
        Fault: There is no list of users.
    """
    content = object_of(answer)
    users, total = content.get("users"), content.get("total_count")
    if not isinstance(users, list) or not all(isinstance(user, dict) for user in users):
        raise unreadable(answer, "no list of users")
    kind = parts_of(keys[0])[0]
    wanted = {_plain(kind, parts_of(key)[1]): key for key in keys}
    found: dict[str, list[dict[str, str]]] = {}
    for user in users:
        key = wanted.get(_plain(kind, str(user.get(kind) or "")))
        if key is not None:
            found.setdefault(key, []).append(_states(user))
    return found, total if isinstance(total, int) else len(users)


def read_states(answer: Answer, keys: Sequence[str]) -> dict[str, str]:
    """
    Read the states of identifiers in one group; of whom it is unknown, nothing.

    Raises:
        Fault: There are no states.
    """
    states = object_of(answer).get("status")
    if not isinstance(states, dict):
        raise unreadable(answer, "no states")
    told = {key: str(states.get(parts_of(key)[1], "")).lower() for key in keys}
    return {key: state for key, state in told.items() if state in ("subscribed", "unsubscribed")}


def names_group(answer: Answer) -> bool:
    """Check whether an answer is about a group that there is, or at least does not deny it."""
    return answer.status < 300 or "group" not in message_of(answer).lower()


def _states(user: dict[str, Any]) -> dict[str, str]:
    groups = user.get("subscription_groups") or []
    return {
        str(group["id"]): str(group.get("status", "")).lower()
        for group in groups
        if isinstance(group, dict) and "id" in group
    }


def _plain(kind: str, value: str) -> str:
    """Spell an identifier as it is compared: Braze returns a number as it was imported."""
    if kind == "phone":
        return re.sub(r"\D", "", value)
    return value.lower() if kind == "email" else value
