"""Cohorts that partners made, as the workspace keeps them (braze-api.md 11)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Cohort:
    """
    One cohort.

    Args:
        partner: Whose it is.
        id: The partner's own.
        name: As the dashboard shows it.
        members: Ids of profiles.
        waiting: How many changes are accepted and not made yet.
    """

    partner: str
    id: str
    name: str
    members: set[str] = field(default_factory=set)
    waiting: int = 0


class Cohorts:
    """All cohorts of a workspace, by partner and id."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Cohort] = {}
