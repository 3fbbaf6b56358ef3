"""
Requests that change a cohort of a partner (braze-api.md 11).

An outbox has an object for each person, as of attributes: a change of this one alone. Braze wants
those who come together, and those who leave. Its keys are put in when a request is sent, so that
no outbox holds them.
"""

from __future__ import annotations

from typing import Any

import orjson

LEAVES = "should_remove"
"""The person leaves the cohort."""


def body_of_cohort(members: bytes | memoryview) -> bytes:
    """
    Build a request to ``/partners/PARTNER/cohorts/users``, without its keys.

    Args:
        members: JSON objects with commas in between.
    """
    found = orjson.loads(b"".join((b"[", members, b"]")))
    come, leave = (
        [who for one in found if one.get(LEAVES, False) is left for who in one["user_ids"]]
        for left in (False, True)
    )
    changes: list[dict[str, Any]] = [{"user_ids": come}] if come else []
    changes += [{"user_ids": leave, LEAVES: True}] if leave else []
    return orjson.dumps({"cohort_changes": changes})
