"""How many users a segment of the local Braze has, day by day."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from support.sandbox_calls import call, people, track

from exchanger.sandbox import Sandbox, SandboxSettings

A_DAY = 86_400


def series(braze: Sandbox, segment: str, **parameters: Any) -> tuple[int, Any]:
    asked = {"segment_id": segment, "length": 10} | parameters
    given = {name: value for name, value in asked.items() if value is not None}
    status, _, body = call(braze, "GET", f"/segments/data_series?{urlencode(given)}")
    return status, body


def sizes(braze: Sandbox, segment: str, **parameters: Any) -> list[int]:
    status, body = series(braze, segment, **parameters)
    assert (200, "success") == (status, body["message"])
    assert sorted(body["data"], key=lambda one: one["time"]) == body["data"]
    return [one["size"] for one in body["data"]]


def test_each_day_has_the_size_that_the_segment_had(braze: Sandbox) -> None:
    """One entry a day since the segment was made, the oldest first; today counts as it is now."""
    segment = braze.add_segment("All users")
    braze.seed(people(2))
    assert [2] == sizes(braze, segment)
    braze.advance(A_DAY)
    braze.seed(people(5))
    braze.advance(2 * A_DAY)
    track(braze, {"external_id": "late"})
    assert [2, 5, 5, 6] == sizes(braze, segment)
    assert [5, 6] == sizes(braze, segment, length=2)


def test_a_series_may_end_earlier(braze: Sandbox) -> None:
    """The series ends on the day asked for; of days to come nothing is known."""
    segment = braze.add_segment("All users")
    braze.seed(people(1))
    first = series(braze, segment)[1]["data"][0]["time"]
    braze.advance(A_DAY)
    braze.seed(people(3))
    assert [1] == sizes(braze, segment, ending_at=f"{first}T12:00:00Z")
    assert [] == sizes(braze, segment, ending_at="2999-01-01", length=100)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"segment_id": "nobody"}, "segment_id is not valid"),
        ({"segment_id": None}, "segment_id is not valid"),
        ({"length": None}, "length must be an integer between 1 and 100"),
        ({"length": 0}, "length must be an integer between 1 and 100"),
        ({"length": 101}, "length must be an integer between 1 and 100"),
        ({"length": "x"}, "length must be an integer between 1 and 100"),
        ({"ending_at": "yesterday"}, "ending_at must be a valid ISO 8601 datetime"),
    ],
)
def test_a_series_that_cannot_be_asked_for(
    braze: Sandbox, parameters: dict[str, Any], message: str
) -> None:
    """Segment and length are demanded, the length has bounds, and the end is a time."""
    segment = braze.add_segment("All users")
    assert (400, {"message": message}) == series(braze, segment, **parameters)


def test_the_size_needs_a_permission_of_its_own(braze: Sandbox) -> None:
    """A key that may list segments need not be one that may ask how large they are."""
    segment = braze.add_segment("All users")
    braze.give_key("weak", lacking={"segments.data_series"})
    assert (403, {"message": "Access Denied"}) == series(braze, segment)


@pytest.mark.parametrize(
    ("how", "users", "expected"),
    [
        ("estimated", 99, [0, 0]),
        ("estimated", 1000, None),
        ("gaps", 3, [3]),
        ("none", 3, []),
    ],
)
def test_sizes_are_as_good_as_the_settings_say(
    how: str, users: int, expected: list[int] | None
) -> None:
    """Estimates are about right, and 0 for few users; days may have no value."""
    with Sandbox(SandboxSettings(size_series=how)) as braze:
        segment = braze.add_segment("All users")
        braze.seed(people(users))
        braze.advance(A_DAY)
        found = sizes(braze, segment, length=2)
        assert found == (found if expected is None else expected)
        assert expected is not None or all(900 <= size <= 1100 for size in found)
