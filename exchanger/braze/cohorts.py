"""Cohorts of partners, and what it costs to be given to one (braze-api.md 11, 13)."""

from __future__ import annotations

BILLED = frozenset({"amplitude", "appsflyer", "hightouch", "mixpanel"})
"""Partners at which each person who comes into a cohort costs a data point; at others nobody."""


def is_billed(key: str) -> bool:
    """
    Return whether somebody who comes into a cohort costs a data point.

    Args:
        key: The name of the partner, a slash, and the id of the cohort.
    """
    return key.partition("/")[0].lower() in BILLED
