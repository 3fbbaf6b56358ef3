"""How long requests take at Braze's limits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchanger.braze.endpoints import MERGE, RENAME_IDS, TRACK
from exchanger.config.models import RateLimit
from exchanger.outside.braze.paces import sending_seconds

A_SECOND = RateLimit(requests=10, per=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("requests_to", "hourly", "seconds"),
    [
        ({}, None, 0),
        ({TRACK: 10}, None, 0),
        ({TRACK: 30}, None, 2),
        ({TRACK: 30}, 29, 3_600),
        ({TRACK: 30}, 30, 2),
        ({RENAME_IDS: 2_000}, 5, 60),
        ({MERGE: 40_000, TRACK: 20}, None, 61),
    ],
)
def test_what_fits_into_the_first_window_goes_at_once(requests_to, hourly, seconds):
    """All else waits for its turn, at the limit of where it goes."""
    assert seconds == pytest.approx(sending_seconds(requests_to, A_SECOND, hourly))
