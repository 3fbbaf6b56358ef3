"""Rate limits that no setting of its own has (braze-api.md 1.5)."""

from __future__ import annotations

from collections.abc import Mapping

MINUTE, HOUR = 60, 3600

POOLS: Mapping[str, tuple[int, int]] = {
    "status": (1_500, MINUTE),
    "identity": (20_000, MINUTE),
    "rename": (1_000, MINUTE),
    "remove": (1_000, MINUTE),
    "subscriptions": (5_000, MINUTE),
    "catalog_items": (16_000, MINUTE),
    "catalog_reads": (50, MINUTE),
    "catalogs": (50, MINUTE),
    "cohorts": (250_000, HOUR),
    "listings": (1_000, HOUR),
}
"""Pool to the requests that pass in each window, and its seconds."""
