"""``group_id`` and ``/users/track/status`` of the local Braze (braze-api.md 2.11)."""

from __future__ import annotations

from typing import Any

import pytest
from support.sandbox_calls import call, people, track

from exchanger.sandbox import Sandbox
from exchanger.sandbox.times import read_time

STATUS = "/users/track/status?group_id="
DAY = 24 * 3600
GOOD = {"external_id": "a", "x": 1}
BAD = {"external_id": "b", "email": "no address"}
FORBIDDEN = (403, {"message": "Access Denied"})
NOT_ENABLED = (403, {"message": "API request status is not enabled for this app group."})


@pytest.fixture
def tracking(braze: Sandbox) -> Sandbox:
    """A workspace whose beta is switched on."""
    braze.change(group_status="on")
    return braze


def ask(braze: Sandbox, group: str) -> tuple[int, Any]:
    status, _, answer = call(braze, "GET", STATUS + group)
    return status, answer


def counts(braze: Sandbox, group: str) -> tuple[str, int, int, int]:
    """Read the only result: status, received, done, processing."""
    status, answer = ask(braze, group)
    (told,) = answer["results"]
    assert (200, group) == (status, told["group_id"])
    return told["status"], told["received"], told["done"], told["processing"]


def test_a_group_is_completed_once_all_its_requests_are_processed(tracking: Sandbox) -> None:
    """Requests are counted, not objects; a further one sets the group back to processing."""
    track(tracking, *people(3), group_id="run-1")
    assert ("completed", 1, 1, 0) == counts(tracking, "run-1")
    tracking.change(apply_delay=60)
    track(tracking, *people(3), group_id="run-1")
    assert ("processing", 2, 1, 1) == counts(tracking, "run-1")
    assert ask(tracking, "run-1")[1]["results"][0]["final_completion_time"] is None
    tracking.advance(60)
    assert ("completed", 2, 2, 0) == counts(tracking, "run-1")
    assert read_time(ask(tracking, "run-1")[1]["results"][0]["final_completion_time"])


def test_refused_objects_count_and_refused_requests_do_not(tracking: Sandbox) -> None:
    """A request is received once it is accepted, whatever becomes of some of its objects."""
    status, answer = track(tracking, BAD, GOOD, group_id="g")
    assert (201, [0]) == (status, [error["index"] for error in answer["errors"]])
    assert 400 == track(tracking, BAD, group_id="g")[0]
    assert ("completed", 1, 1, 0) == counts(tracking, "g")


def test_a_group_is_known_for_a_day_from_its_first_request(tracking: Sandbox) -> None:
    """Reuse does not extend it, and afterwards its requests are not tracked."""
    track(tracking, GOOD, group_id="g")
    tracking.advance(DAY - 60)
    track(tracking, GOOD, group_id="g")
    assert ("completed", 2, 2, 0) == counts(tracking, "g")
    tracking.advance(120)
    assert (200, {"results": []}) == ask(tracking, "g") == ask(tracking, "never-seen")
    status, answer = track(tracking, GOOD, group_id="g")
    assert (201, [{"type": "request_status_not_tracked"}]) == (status, answer["errors"])


@pytest.mark.parametrize("group", ["", "a b", "é", "x" * 129, 7, None])
def test_an_id_that_is_none_harms_no_object(tracking: Sandbox, group: Any) -> None:
    """The trouble stands after the errors of objects, without an index."""
    status, answer = track(tracking, GOOD, BAD, group_id=group)
    assert (201, 1) == (status, answer["attributes_processed"])
    assert [1, None] == [error.get("index") for error in answer["errors"]]
    assert {"type": "invalid_group_id"} == answer["errors"][-1]
    assert {"a"} == set(tracking.users())


def test_an_id_that_is_none_cannot_be_asked_for(tracking: Sandbox) -> None:
    """Signs that no group has, or none at all, are a 400."""
    assert (400, {"message": "Invalid group_id"}) == ask(tracking, "a%20b") == ask(tracking, "")


def test_without_the_beta_nothing_is_tracked_and_nobody_may_ask(braze: Sandbox) -> None:
    """It is off unless a setting says otherwise; the permission is looked at before."""
    status, answer = track(braze, GOOD, group_id="g")
    assert (201, [{"type": "request_status_not_tracked"}]) == (status, answer["errors"])
    assert {"a"} == set(braze.users())
    assert NOT_ENABLED == ask(braze, "g")
    braze.change(api_keys={"sandbox-key": ["users.track"]})
    assert FORBIDDEN == ask(braze, "g")


def test_it_may_be_forbidden_to_ask(tracking: Sandbox) -> None:
    """By the setting whoever asks; requests are tracked all the same."""
    tracking.change(group_status="forbidden")
    assert "errors" not in track(tracking, GOOD, group_id="g")[1]
    assert FORBIDDEN == ask(tracking, "g")
    tracking.change(group_status="on")
    assert ("completed", 1, 1, 0) == counts(tracking, "g")


def test_requests_may_count_late(tracking: Sandbox) -> None:
    """By the setting a request that was accepted shows a minute later: nothing is no proof."""
    tracking.change(group_status="late")
    track(tracking, GOOD, group_id="g")
    assert ({"a"}, {"results": []}) == (set(tracking.users()), ask(tracking, "g")[1])
    tracking.advance(60)
    assert ("completed", 1, 1, 0) == counts(tracking, "g")


def test_a_group_may_be_stuck(tracking: Sandbox) -> None:
    """By the setting it is processing until its day is over, though everything is applied."""
    tracking.change(group_status="stuck")
    track(tracking, GOOD, group_id="g")
    tracking.advance(DAY - 60)
    assert ({"a"}, ("processing", 1, 0, 1)) == (set(tracking.users()), counts(tracking, "g"))
    tracking.advance(120)
    assert (200, {"results": []}) == ask(tracking, "g")
