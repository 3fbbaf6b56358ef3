"""Named segments: a filter over profiles (braze-api.md 8)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exchanger.sandbox.attributes.nested import same
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.json_text import is_number

PAGE = 100
_WORKSPACES = uuid.UUID("7d1f0a52-4f7e-4f0c-9c3c-6d1d5a6f2b10")
_CONDITIONS = frozenset({"equals", "exists", "greater", "less", "contains"})


@dataclass(frozen=True)
class Segment:
    """
    A segment; without conditions and members it holds all users.

    Args:
        id: UUID made from the workspace and the name: no other workspace has it.
        name: As in the dashboard.
        where: Conditions, all of which must hold: an ``attribute`` and any of ``equals``,
            ``exists``, ``greater``, ``less``, ``contains``.
        members: External ids; ``None`` for any.
        created_at: Epoch seconds.
        tags: Tags.
    """

    id: str
    name: str
    where: tuple[Mapping[str, Any], ...] = ()
    members: frozenset[str] | None = None
    created_at: float = 0.0
    tags: tuple[str, ...] = field(default=())

    def holds(self, profile: Profile) -> bool:
        """Whether the profile is in the segment."""
        if self.members is not None and profile.external_id not in self.members:
            return False
        return all(_meets(profile, condition) for condition in self.where)

    def listed(self) -> dict[str, Any]:
        """The element of ``/segments/list``."""
        return {
            "id": self.id,
            "name": self.name,
            "analytics_tracking_enabled": True,
            "tags": list(self.tags),
        }


def new_segment(  # noqa: PLR0913 (what a segment is)
    name: str,
    where: Iterable[Mapping[str, Any]] = (),
    members: Iterable[str] | None = None,
    created_at: float = 0.0,
    tags: Iterable[str] = (),
    *,
    workspace: str,
) -> Segment:
    """
    A segment under its own id, which is the same each time it is made in one *workspace*.

    Raises:
        ValueError: A condition has no attribute or a comparison that does not exist.
    """
    conditions = tuple(where)
    for condition in conditions:
        if "attribute" not in condition or set(condition) - {"attribute"} - _CONDITIONS:
            allowed = ", ".join(sorted(_CONDITIONS))
            raise ValueError(f"a condition has an attribute and some of {allowed}")
    return Segment(
        id=str(uuid.uuid5(uuid.uuid5(_WORKSPACES, workspace), name)),
        name=name,
        where=conditions,
        members=None if members is None else frozenset(members),
        created_at=created_at,
        tags=tuple(tags),
    )


def _meets(profile: Profile, condition: Mapping[str, Any]) -> bool:
    value = _value(profile, condition["attribute"])
    return all(
        _compares(value, comparison, wanted)
        for comparison, wanted in condition.items()
        if comparison != "attribute"
    )


def _value(profile: Profile, name: str) -> Any:
    if name in profile.standard:
        return profile.standard[name]
    if name in ("external_id", "random_bucket"):
        return getattr(profile, name)
    return profile.custom.get(name)


def _compares(value: Any, comparison: str, wanted: Any) -> bool:
    if comparison == "exists":
        return (value is not None) == bool(wanted)
    if comparison == "equals":
        return same(value, wanted)
    if comparison == "contains":
        return isinstance(value, list) and any(same(member, wanted) for member in value)
    comparable = (is_number(value) and is_number(wanted)) or (
        isinstance(value, str) and isinstance(wanted, str)
    )
    if not comparable:
        return False
    return bool(value > wanted) if comparison == "greater" else bool(value < wanted)
