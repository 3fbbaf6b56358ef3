"""How long the client waits for a Braze that takes nothing, and the limit of a clock hour."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from exchanger.braze.endpoints import EVENTS, RENAMES
from exchanger.errors import BrazeUnreachable
from exchanger.outside.braze.retry import ATTEMPTS, LONGEST_CAP, REPEATED

BODY = b'{"attributes":[{"external_id":"a"}]}'
EVENT = b'{"events":[{"external_id":"a","name":"x","time":"2026-09-01T08:00:00Z"}]}'
DOWN = {"status": 503}
TEN_MINUTES = timedelta(minutes=10)


async def test_an_outage_shorter_than_the_limit_is_waited_for(workspace):
    """With give_up a request outlives more faults than it has attempts, if nothing is taken."""
    async with workspace(*[DOWN] * (3 * ATTEMPTS), {}, give_up=TEN_MINUTES) as w:
        answer = await w.braze.track(BODY)
    assert (True, True) == (answer.accepted, answer.uncertain)
    assert 3 * ATTEMPTS + 1 == w.braze.requests


async def test_an_outage_ends_in_an_error_once_it_lasted_as_long_as_configured(workspace):
    """After give_up without one accepted answer the request fails, and may be tried again later."""
    async with workspace(DOWN, give_up=TEN_MINUTES) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.track(BODY)
    assert unreachable.value.retryable
    assert TEN_MINUTES.total_seconds() - LONGEST_CAP <= w.waited <= TEN_MINUTES.total_seconds()


async def test_a_request_that_fails_alone_is_not_waited_for(workspace):
    """While others are taken it is the request that fails: it ends after its attempts."""
    taken_between = [DOWN, *[{}, DOWN] * (ATTEMPTS - 1), {}]
    async with workspace(*taken_between, give_up=TEN_MINUTES) as w:
        wait = w.clock.wait

        async def wait_while_another_is_taken(seconds):
            await w.braze.track(BODY)
            await wait(seconds)

        w.clock.wait = wait_while_another_is_taken
        with pytest.raises(BrazeUnreachable):
            await w.braze.track(BODY)
    assert 2 * ATTEMPTS - 1 == w.braze.requests


async def test_lost_answers_in_a_row_put_few_objects_in_doubt(workspace):
    """
    What may not be sent again goes one at a time once answers are lost, with pauses between.

    After as many of these as a request has attempts nothing more is sent, so nothing is in doubt.
    """
    async with workspace({"status": 500}) as w:
        uncertain = []
        for _ in range(30):
            with pytest.raises(BrazeUnreachable) as unreachable:
                await w.braze.track(EVENT, EVENTS)
            uncertain.append(unreachable.value.uncertain)
    assert REPEATED - 1 + ATTEMPTS == sum(uncertain) == w.braze.requests
    assert sorted(uncertain, reverse=True) == uncertain


async def test_an_answer_ends_the_waiting(workspace):
    """From the first answer on lost ones are counted anew."""
    lost = [{"status": 500}] * (REPEATED + 2)
    async with workspace(*lost, {}, *lost, {}) as w:
        for _ in range(2):
            for _ in lost:
                with pytest.raises(BrazeUnreachable):
                    await w.braze.track(EVENT, EVENTS)
            assert (await w.braze.track(EVENT, EVENTS)).accepted


async def test_no_clock_hour_holds_more_than_its_limit(workspace):
    """The request beyond the hourly limit waits for the top of the next clock hour."""
    async with workspace({}, hourly_limit=3) as w:
        w.clock.sleep(50 * 60)
        await asyncio.gather(*(w.braze.track(BODY) for _ in range(3)))
        assert 50 * 60 == w.waited
        await w.braze.track(BODY)
        assert 60 * 60 == w.waited
        await asyncio.gather(*(w.braze.track(BODY) for _ in range(3)))
        assert 2 * 60 * 60 == w.waited


async def test_the_hourly_limit_is_of_updates_of_users_alone(workspace):
    """It is a contract's limit of /users/track: renames take nothing of it, and do not wait."""
    async with workspace({}, hourly_limit=1) as w:
        w.clock.sleep(50 * 60)
        for _ in range(3):
            await w.braze.track(b'{"external_id_renames":[]}', RENAMES)
        assert 50 * 60 == w.waited
