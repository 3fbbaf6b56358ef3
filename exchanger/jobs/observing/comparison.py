"""Counts, per field, what a look at Braze told beside what is held."""

from __future__ import annotations

import dataclasses

import polars as pl

from exchanger.profiles.frames.columns import PROFILE, SEEN
from exchanger.profiles.merging.drift import verdict
from exchanger.profiles.spelling.profile_key import shown as shown_key

EXAMPLES = 3
"""Changed profiles that are shown of each field."""


@dataclasses.dataclass
class FieldComparison:
    """
    What was found of one field.

    Args:
        field: The Braze attribute.
        equal: Profiles whose value is as expected.
        changed: Profiles whose value is another one.
        new: Profiles of which nothing was known.
        examples: Profile, expected value and Braze's value (JSON), of some that changed.
    """

    field: str
    equal: int = 0
    changed: int = 0
    new: int = 0
    examples: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)

    def add(self, pairs: pl.DataFrame, base: pl.Expr, *, ordered: bool = False) -> pl.Series:
        """
        Count some more profiles.

        Args:
            pairs: What ``profiles.merging.drift.paired`` gives.
            base: What is expected.
            ordered: Whether the order of a list counts.

        Returns:
            Boolean: whose value changed.
        """
        told = pairs.select(verdict(self.field, base, ordered=ordered)).to_series()
        for kind in ("equal", "changed", "new"):
            setattr(self, kind, getattr(self, kind) + int((told == kind).sum()))
        changed = (told == "changed").fill_null(value=False)
        shown = pairs.filter(changed).head(EXAMPLES - len(self.examples))
        self.examples += shown.select(shown_key(pl.col(PROFILE)), base, SEEN + self.field).rows()
        return changed
