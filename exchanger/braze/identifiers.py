"""What can name a profile, and what Braze does with each (braze-api.md 2.3, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from exchanger.braze.limits import IDS_PER_REQUEST, LONGEST_ALIAS, LONGEST_IDENTIFIER, LONGEST_TEXT

IdentifierKind = Literal["external_id", "braze_id", "alias", "email", "phone"]
KINDS: tuple[IdentifierKind, ...] = get_args(IdentifierKind)

SHARED: frozenset[IdentifierKind] = frozenset({"email", "phone"})
"""
Several profiles may have the same one. Braze then takes the one that was updated last, of those
with an ``external_id`` if there are any (braze-api.md 2.3).
"""
NEVER_CREATED: frozenset[IdentifierKind] = frozenset({"braze_id"})
"""An unknown one is skipped without a word, whatever the request says (braze-api.md 2.3)."""
CREATED_ON_DEMAND: frozenset[IdentifierKind] = frozenset({"alias"})
"""A profile is created only where the object says so (braze-api.md 2.3)."""
NAMES_IN_COHORTS: frozenset[IdentifierKind] = frozenset({"external_id", "alias"})
"""What a person may be given to a cohort by; devices, too, which name no profile elsewhere (11)."""

LONGEST: Mapping[IdentifierKind, int] = {
    "external_id": LONGEST_IDENTIFIER,
    "braze_id": LONGEST_IDENTIFIER,
    "alias": LONGEST_ALIAS,
    "email": LONGEST_TEXT,
    "phone": LONGEST_TEXT,
}
"""Bytes of each; of an alias, of its name and of its label."""

PER_LOOK_UP: Mapping[IdentifierKind, int] = {
    "external_id": IDS_PER_REQUEST,
    "braze_id": 1,
    "alias": IDS_PER_REQUEST,
    "email": 1,
    "phone": 1,
}
"""How many of each one request to ``/users/export/ids`` takes (braze-api.md 5)."""
