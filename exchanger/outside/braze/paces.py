"""How fast each endpoint of Braze may be asked."""

from __future__ import annotations

from collections.abc import Mapping

from exchanger.braze.endpoints import (
    CATALOG_ITEM,
    CATALOG_ITEMS,
    CATALOGS,
    COHORT_USERS,
    COHORTS,
    EMAIL_STATUS,
    ENDPOINTS,
    IN_ONE_POOL,
    REMOVE_IDS,
    RENAME_IDS,
    SET_GROUPS,
    TRACK,
    TRACK_STATUS,
)
from exchanger.braze.limits import (
    CATALOGS_RATE,
    IDENTITY_RATE,
    ITEMS_RATE,
    RENAME_RATE,
    SHARED_RATE,
    STATUS_RATE,
    SUBSCRIPTION_RATE,
)
from exchanger.config.models import RateLimit

IDENTITY_POOL = RateLimit(requests=IDENTITY_RATE[0], per=IDENTITY_RATE[1])
SHARED_POOL = RateLimit(requests=SHARED_RATE[0], per=SHARED_RATE[1])
_STATUS_POOL = RateLimit(requests=STATUS_RATE[0], per=STATUS_RATE[1])
_RENAME_POOL = RateLimit(requests=RENAME_RATE[0], per=RENAME_RATE[1])
_ITEMS_POOL = RateLimit(requests=ITEMS_RATE[0], per=ITEMS_RATE[1])
_CATALOGS_POOL = RateLimit(requests=CATALOGS_RATE[0], per=CATALOGS_RATE[1])
_SUBSCRIPTION_POOL = RateLimit(requests=SUBSCRIPTION_RATE[0], per=SUBSCRIPTION_RATE[1])


def written_paths() -> frozenset[str]:
    """Return the paths that objects are sent to."""
    return frozenset(endpoint.path for endpoint in ENDPOINTS.values())


def limits_by_path(rate_limit: RateLimit) -> Mapping[str, RateLimit]:
    """
    Return the limit of each path that has one of its own, or shares one with few others.

    Args:
        rate_limit: That of ``/users/track``.
    """
    return {
        **dict.fromkeys(written_paths(), rate_limit),
        **dict.fromkeys((RENAME_IDS, REMOVE_IDS), _RENAME_POOL),
        **dict.fromkeys(IN_ONE_POOL, IDENTITY_POOL),
        CATALOG_ITEMS: _ITEMS_POOL,
        CATALOGS: _CATALOGS_POOL,
        CATALOG_ITEM: _CATALOGS_POOL,
        SET_GROUPS: _SUBSCRIPTION_POOL,
        **dict.fromkeys((EMAIL_STATUS, COHORTS, COHORT_USERS), SHARED_POOL),
        TRACK_STATUS: _STATUS_POOL,
    }


def sending_seconds(
    requests_to: Mapping[str, int], rate_limit: RateLimit, hourly: int | None = None
) -> float:
    """
    Return how long requests take at the limits of where they go, one after the other.

    Args:
        requests_to: How many go where.
        rate_limit: That of ``/users/track``.
        hourly: How many may go there in a clock hour; None for no limit.
    """
    limits = limits_by_path(rate_limit)
    seconds = sum(limits[path].seconds(count) for path, count in requests_to.items())
    hours = max(requests_to.get(TRACK, 0) - 1, 0) // hourly if hourly else 0
    return max(seconds, hours * 3_600.0)
