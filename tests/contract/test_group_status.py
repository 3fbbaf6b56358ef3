"""The client asks whether Braze is done with a group of requests, and believes no odd answer."""

from __future__ import annotations

import json

import pytest
from support.workspaces import BAD, GOOD, body, workspace

from exchanger.braze.limits import LARGEST_BODY
from exchanger.errors import BrazeForbidden, BrazeRefused, BrazeUnreachable

TRACK, STATUS = "/users/track", "/users/track/status"
DAY = 24 * 3600
DONE = {
    "group_id": "g",
    "status": "completed",
    "received": 4,
    "done": 4,
    "processing": 0,
    "final_completion_time": "2026-09-23T18:58:57.123Z",
}


async def test_what_braze_is_done_with_is_counted():
    """Every request carries the group, and counts once Braze has processed all of them."""
    async with workspace(group_status="on", apply_delay=60) as (braze, sandbox):
        braze.group = "run-1"
        await braze.track(body(GOOD))
        assert {"attributes": [json.loads(GOOD)], "group_id": "run-1"} == sandbox.bodies(TRACK)[0]
        assert 0 == await braze.done_with("run-1")
        sandbox.advance(60)
        assert 1 == await braze.done_with("run-1")
        await braze.track(body(GOOD))
        assert 0 == await braze.done_with("run-1")
        sandbox.advance(60)
        assert 2 == await braze.done_with("run-1") == braze.taken_at_most


async def test_a_group_that_braze_does_not_know_proves_nothing():
    """Neither one that it never saw, nor one whose day is over."""
    async with workspace(group_status="on") as (braze, sandbox):
        braze.group = "g"
        await braze.track(body(GOOD))
        assert 0 == await braze.done_with("never-seen")
        sandbox.advance(DAY)
        assert 0 == await braze.done_with("g")


@pytest.mark.parametrize("setting", ["off", "forbidden"])
async def test_who_may_not_ask_is_told_so_at_once(setting):
    """403, whatever the reason; asked once."""
    async with workspace(group_status=setting) as (braze, sandbox):
        with pytest.raises(BrazeForbidden):
            await braze.done_with("g")
        assert 1 == sandbox.requests(STATUS)


async def test_trouble_with_tracking_refuses_no_object_and_ends_the_group():
    """What has no index is about no object; later requests carry no group."""
    async with workspace(group_status="off") as (braze, sandbox):
        braze.group = "g"
        answer = await braze.track(body(BAD, GOOD))
        assert (True, {0}, False) == (answer.accepted, set(answer.refused), answer.tracked)
        assert braze.group == ""
        assert (await braze.track(body(GOOD))).tracked
        assert ["g", None] == [sent.get("group_id") for sent in sandbox.bodies(TRACK)]


@pytest.mark.parametrize(
    "results",
    [
        [],
        [DONE, DONE],
        [DONE | {"group_id": "h"}],
        [DONE | {"status": "processing"}],
        [DONE | {"status": None}],
        [DONE | {"done": 3}],
        [DONE | {"done": 3, "processing": 1}],
        [DONE | {"processing": 1}],
        [DONE | {"received": "4", "done": "4"}],
        [DONE | {"received": True, "done": True}],
        [DONE | {"received": 0, "done": 0}],
        [DONE | {"received": -1, "done": -1}],
        [DONE | {"final_completion_time": None}],
        [DONE | {"final_completion_time": "soon"}],
        [DONE | {"final_completion_time": 1_780_000_000}],
        [{"group_id": "g", "status": "completed"}],
        ["completed"],
        [None],
    ],
    ids=str,
)
async def test_an_odd_status_counts_as_none(results):
    """Only what says without contradiction that all is done says it."""
    async with workspace(group_status="on") as (braze, sandbox):
        sandbox.faults(STATUS, status=200, body={"results": [DONE]})
        assert 4 == await braze.done_with("g")
        sandbox.faults(STATUS, status=200, body={"results": results})
        assert 0 == await braze.done_with("g")


@pytest.mark.parametrize("said", ["<html>", "[]", "{}", '{"results": null}', '{"results": {}}'])
async def test_an_answer_without_results_is_no_answer(said):
    """It is asked for again, and then given up, like any other that cannot be read."""
    async with workspace(group_status="on") as (braze, sandbox):
        sandbox.faults(STATUS, status=200, body=said, times=100)
        with pytest.raises(BrazeUnreachable):
            await braze.done_with("g")


async def test_every_request_counts_that_braze_may_have_received():
    """Lost answers and refused requests do; what met a rate limit does not."""
    async with workspace(group_status="on") as (braze, sandbox):
        braze.group = "g"
        sandbox.faults(TRACK, status=429, times=2)
        await braze.track(body(GOOD))
        assert 1 == braze.taken_at_most
        sandbox.faults(TRACK, drop="after")
        await braze.track(body(GOOD))
        assert 3 == await braze.done_with("g") == braze.taken_at_most
        sandbox.faults(TRACK, drop="before")
        await braze.track(body(GOOD))
        assert 5 == braze.taken_at_most
        assert 4 == await braze.done_with("g")
        sandbox.faults(TRACK, status=400, body={"message": "no"})
        with pytest.raises(BrazeRefused):
            await braze.track(body(GOOD))
        assert 6 == braze.taken_at_most
        sandbox.stop()
        with pytest.raises(BrazeUnreachable):
            await braze.track(body(GOOD))
        # A connection that was open may have broken under a request; none was opened again.
        assert braze.taken_at_most <= 7 < braze.requests


async def test_a_body_that_has_no_room_for_a_group_goes_without():
    """Rather that Braze is not asked about it than that it refuses the request."""
    async with workspace(group_status="on") as (braze, sandbox):
        braze.group = "g"
        full = b'{"attributes":[{"external_id":"a","x":"' + b"x" * LARGEST_BODY
        full = full[: LARGEST_BODY - 4] + b'"}]}'
        assert (await braze.track(full)).accepted
        assert [full] == sandbox.raw_bodies(TRACK)
