"""Who is told of what: a channel, and the troubles that it hears of."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field, SecretStr

from exchanger.config.models.base import Strict

Trouble = Literal["failed", "partial", "held_back", "missed", "overdue"]
"""Kinds of trouble that a job may have; each is an incident, which begins and is over."""
Telling = Literal["failed", "partial", "held_back", "missed", "overdue", "recovered", "succeeded"]
"""What a channel may be told of."""

TROUBLES: tuple[Telling, ...] = (
    "failed",
    "partial",
    "held_back",
    "missed",
    "overdue",
    "recovered",
)


class AtLeast(Strict):
    """From which size on a trouble is told."""

    rejected_percent: float = Field(
        default=0,
        ge=0,
        le=100,
        description=(
            "a run that is done in part is not told while fewer of its rows were rejected, and"
            " nothing else is wrong"
        ),
    )


class Notification(Strict):
    """
    A channel by which people are told, and of what.

    Each trouble of a job is told once, and once more when it is over (``recovered``).
    """

    url: SecretStr = Field(
        description=(
            "where to send it, as Apprise writes it, such as `slack://...` or `mailto://...`;"
            " best as the name of a variable of the environment"
        ),
        json_schema_extra={"format": "uri"},
    )
    when: tuple[Telling, ...] = Field(
        default=TROUBLES, min_length=1, description="what it is told of"
    )
    jobs: tuple[str, ...] = Field(
        default=("*",), min_length=1, description="of which jobs; `*` stands for any text"
    )
    at_least: AtLeast = Field(default=AtLeast(), description="from which size on")

    def hears_of(self, job: str) -> bool:
        """Return whether it is told of a job."""
        return any(fnmatchcase(job, pattern) for pattern in self.jobs)

    def wants(self, kind: str, rejected_percent: float | None = None) -> bool:
        """
        Return whether it is told of a kind of trouble.

        Args:
            kind: The kind, ``recovered`` or ``succeeded``.
            rejected_percent: How many rows were rejected, where nothing else is wrong.
        """
        small = rejected_percent is not None and rejected_percent < self.at_least.rejected_percent
        return kind in self.when and not (kind == "partial" and small)
