"""What became of what was accepted, as no answer of Braze tells (braze-api.md 15.1, 25)."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Literal

Outcome = Literal["applied", "skipped", "dropped"]


class Writes:
    """Counts what was applied, skipped or dropped, and keeps the newest with profile and reason."""

    def __init__(self, keep: int) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._kept: deque[tuple[str, Outcome, str | None, str, Any]] = deque(maxlen=keep)

    def note(
        self,
        what: str,
        outcome: Outcome,
        given: Any,
        braze_id: str | None = None,
        reason: str = "",
    ) -> None:
        """
        Write down what became of one object.

        Args:
            what: ``attributes``, ``events``, ``purchases``, or the path of an endpoint.
            outcome: Whether it was applied; skipped as a whole, or dropped in part.
            given: The object.
            braze_id: Whose profile it meant, if there was one.
            reason: Why it was not applied.
        """
        self.counts[what, outcome] += 1
        self._kept.append((what, outcome, braze_id, reason, given))

    def newest(
        self, outcome: str | None = None, braze_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the kept ones, oldest first: all, or those of one outcome or one profile."""
        return [
            {"what": what, "outcome": became, "braze_id": who, "reason": reason, "given": given}
            for what, became, who, reason, given in self._kept
            if outcome in (None, became) and braze_id in (None, who)
        ]
