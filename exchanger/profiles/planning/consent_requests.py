"""
Requests that set states of subscriptions (braze-api.md 10).

An outbox has an object for each person, as of attributes: who it is, and each state under the name
of its field. Braze wants them the other way round: a state, and all who get it.
"""

from __future__ import annotations

from typing import Any

import orjson

from exchanger.profiles.frames.columns import EMAIL_STATE, GROUP

_PEOPLE = {"external_id": "external_ids", "email": "emails", "phone": "phones"}
"""What names a person, and the member of a request that lists them."""
ASKING = "use_double_opt_in_logic"
"""The person is asked first (of SMS groups)."""


def body_of_groups(members: bytes | memoryview) -> bytes:
    """
    Build a request to ``/v2/subscription/status/set``.

    Args:
        members: JSON objects with commas in between.
    """
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for one in _objects(members):
        kind = next(kind for kind in _PEOPLE if kind in one)
        for name, state in one.items():
            if not name.startswith(GROUP):
                continue
            group = name.removeprefix(GROUP)
            entry = entries.setdefault(
                (group, state), {"subscription_group_id": group, "subscription_state": state}
            )
            entry.setdefault(_PEOPLE[kind], []).append(one[kind])
            if one.get(ASKING) and state == "subscribed":
                entry[ASKING] = True
    return orjson.dumps({"subscription_groups": [*entries.values()]})


def body_of_addresses(members: bytes | memoryview) -> bytes:
    """
    Build a request to ``/email/status``: of its objects, all have one state.

    Args:
        members: JSON objects with commas in between.
    """
    found = _objects(members)
    emails = [one["email"] for one in found]
    return orjson.dumps({"email": emails, "subscription_state": found[0][EMAIL_STATE]})


def _objects(members: bytes | memoryview) -> list[dict[str, Any]]:
    # At most fifty, of which Braze takes a few thousand in a second.
    found: list[dict[str, Any]] = orjson.loads(b"".join((b"[", members, b"]")))
    return found
