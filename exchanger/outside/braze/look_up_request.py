"""How profiles are named in one request to look them up (5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchanger.braze.identifiers import PER_LOOK_UP
from exchanger.profiles.spelling.profile_key import parts_of

_ALONE = {"braze_id": "braze_id", "email": "email_address", "phone": "phone"}
"""Members of a request that hold a single text."""


def look_up_request(keys: Sequence[str]) -> dict[str, Any]:
    """
    Build the members of a request that name profiles.

    Args:
        keys: Of profiles, at least one.

    Raises:
        ValueError: They are more than one request takes.
    """
    parts = [parts_of(key) for key in keys]
    if len(keys) > min(PER_LOOK_UP[kind] for kind, _, _ in parts):
        raise ValueError(f"{len(keys)} identifiers are more than one request takes")
    kind, value, _ = parts[0]
    if kind in _ALONE:
        return {_ALONE[kind]: value}
    ids = [value for kind, value, _ in parts if kind == "external_id"]
    aliases = [
        {"alias_name": value, "alias_label": label}
        for kind, value, label in parts
        if kind == "alias"
    ]
    named = {"external_ids": ids, "user_aliases": aliases}
    return {member: identifiers for member, identifiers in named.items() if identifiers}
