"""What a person may ask of one run, beyond the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchanger.jobs.runtime.saved_plan import SavedPlan


@dataclass(frozen=True)
class ImportOptions:
    """
    Which files an import run takes, and how.

    Args:
        force: Also apply files that wait because their sums may count twice; in full.
        full: Take every file as if new.
        since: Take files that arrived at this time or later, as if new.
        until: Take files that arrived before this time, as if new.
        prefix: Take files whose key begins so, as if new.
        wait: Seconds to wait for another process that writes to the same connection.
        one_run: End after one run, even if more files wait.
        saved: Do exactly what this plan says, or nothing.
    """

    force: bool = False
    full: bool = False
    since: datetime | None = None
    until: datetime | None = None
    prefix: str | None = None
    wait: float = 600.0
    one_run: bool = False
    saved: SavedPlan | None = None

    @property
    def as_if_new(self) -> bool:
        """Files already applied are taken again; what they gave to sums is not."""
        return self.full or any(x is not None for x in (self.since, self.until, self.prefix))


def in_utc(moment: datetime | None) -> datetime | None:
    """Return a time; one without a zone is taken as UTC."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
