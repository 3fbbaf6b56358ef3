from datetime import UTC, datetime

import polars as pl
import pytest

from exchanger.profiles.casting.times import cast_datetimes

USUAL = [
    "2026-09-15T10:00:00.123Z",
    "2026-09-15T10:00:00Z",
    "2026-09-15T10:00:00",
    "2026-09-15 10:00:00",
    "2026-09-15",
    "2026-09-15T10:00:00.000000+0000",
    "2026-09-15 10:00:00.5+02:00",
    "2026-09-15 10:00:00+00",
    "2026-09-15T10:00:00-05:30",
    "2026-09-15T10:00:00.5",
    "2026-09-15 10:00:00.123456789Z",
]
ODD = "2026-09-15T10:00"
"""In none of the usual formats, so that no quick way is tried for its column."""
TEXTS = [
    *USUAL,
    ODD,
    None,
    "2024-02-29T23:59:59.999Z",
    "2023-02-29T10:00:00.000Z",
    "2026-03-29T02:30:00",
    "2026-03-29 02:30:00",
    "2026-09-15T24:00:00Z",
    "2026-09-15T10:60:00.000Z",
    "2026-09-15T10:00:60Z",
    "2026-09-15T10:00:60.000Z",
    "2026-09-15T10:00:00.1234Z",
    "2026-09-15T10:00:00.123+02:00",
    "1969-12-31T23:59:59.999999+0200",
    "2026-09-15T10:00:00.000000-0330",
    "2026-02-29T10:00:00.000000+0000",
    "2026-09-15T24:00:00.000000+0000",
    "0000-01-01T00:00:00.000000+0100",
    "3000-12-31T23:59:59.999999-0100",
    "9999-12-31T23:59:59.999999-9999",
    "2026-09-15 10:00:00.5-05:00",
    "2026-03-29 02:30:00.5+01:00",
    "2026-09-15 10:00:00-05",
    "2026-09-15T10:00:00+05:30",
    "2026-03-29T02:30:00.5",
    "2026-10-25T02:30:00.5",
    "2026-09-15T10:00:00.5 Z",
    "2026-09-15 10:00:00.987654321Z",
    "1969-12-31 23:59:59.999999999Z",
    "0000-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00Z",
    "3000-12-31T23:59:59.999Z",
    "3001-01-01T00:00:00.000Z",
    "9999-12-31",
    " 2026-09-15T10:00:00.123Z",
    "09/15/2026",
    "05/04/2026",
    "1789466400",
    "soon",
]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris"])
@pytest.mark.parametrize("first", USUAL)
def test_a_time_is_read_alike_in_every_company(first, zone):
    """Whether a column is read the quick way changes no value, and no reason why there is none."""
    quick = cast_datetimes(pl.Series([first, *TEXTS]), zone)
    closely = cast_datetimes(pl.Series([ODD, *TEXTS]), zone)

    assert closely.values[1:].equals(quick.values[1:])
    assert closely.faults[1:].to_list() == quick.faults[1:].to_list()


def test_a_text_in_brazes_own_spelling_keeps_its_milliseconds():
    """What an export of Braze's says of a time is that time, to the millisecond."""
    read = cast_datetimes(pl.Series(["2026-09-15T10:00:00.123Z", None]), "UTC")

    assert [datetime(2026, 9, 15, 10, 0, 0, 123_000, UTC), None] == read.values.to_list()
    assert [None, None] == read.faults.to_list()
