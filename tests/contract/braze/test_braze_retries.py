"""When the client tries again, how long it waits, and when it gives up."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest
from pydantic import SecretStr

from exchanger.braze.endpoints import ENDPOINTS, Endpoint
from exchanger.config.models import BrazeConfig, RateLimit
from exchanger.errors import BrazeRefused, BrazeUnreachable
from exchanger.outside.braze.client import Braze
from exchanger.outside.braze.retry import (
    ATTEMPTS,
    FIRST_LIMIT_PAUSE,
    LIMIT_PAUSE,
    LIMIT_WAITING,
    REPEATED,
)

BODY = b'{"attributes":[{"external_id":"a"}]}'
FAULTS = [
    {"status": 500, "body": {"message": "Internal Server Error"}},
    {"status": 502, "body": "<html>Bad Gateway</html>"},
    {"status": 503, "body": ""},
    {"status": 504},
    {"status": 408},
    {"status": 201, "body": ""},
    {"status": 201, "body": '{"message":"succ'},
    {"status": 201, "body": "[]"},
    {"status": 201, "body": '{"message":"success"', "cut": True},
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_tried_again(workspace, fault):
    """After a fault the same body is sent again, and the answer says that it was uncertain."""
    async with workspace(fault, fault, {}) as w:
        answer = await w.braze.track(BODY)
    assert (True, True) == (answer.accepted, answer.uncertain)
    assert [BODY] * 3 == [asked.body for asked in w.asked]
    assert 3 == w.braze.requests
    assert 0 < w.waited <= 0.5 + 1.0


@pytest.mark.parametrize("fault", FAULTS)
async def test_faults_end_after_some_attempts(workspace, fault):
    """A fault that stays is raised as unreachable, after a bounded number of attempts and time."""
    async with workspace(fault) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.track(BODY)
    assert ATTEMPTS == len(w.asked)
    assert (True, True) == (unreachable.value.retryable, unreachable.value.uncertain)
    assert w.waited < 16


@pytest.fixture
def tallies(monkeypatch):
    """An endpoint whose objects count once more with every request."""
    endpoint = Endpoint("tallies", "/tallies", "tallies", objects=3, size=1_000, idempotent=False)
    monkeypatch.setitem(ENDPOINTS, endpoint.name, endpoint)
    return endpoint


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault["status"] != 503])
async def test_what_may_have_counted_is_never_sent_again_by_itself(workspace, tallies, fault):
    """Of an endpoint that is not idempotent, a lost answer ends the request, and says so."""
    async with workspace(fault, {}) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.track(BODY, tallies)
    assert 1 == len(w.asked)
    assert unreachable.value.uncertain


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}])
async def test_what_surely_did_not_count_is_tried_again(workspace, tallies, fault):
    """503 and 429 say that nothing was processed; the answer after them is certain."""
    async with workspace(fault, fault, {}) as w:
        answer = await w.braze.track(BODY, tallies)
    assert (True, False) == (answer.accepted, answer.uncertain)
    assert 3 == len(w.asked)


async def test_a_service_that_stays_busy_has_counted_nothing(workspace, tallies):
    """After all attempts it is unreachable, and nothing is in doubt."""
    async with workspace({"status": 503}) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.track(BODY, tallies)
    assert (ATTEMPTS, False) == (len(w.asked), unreachable.value.uncertain)


async def test_no_connection_is_certain(stepped_clock):
    """Where nobody listens nothing can have taken effect."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        config = BrazeConfig(endpoint=url, api_key=SecretStr("dummy"))
        async with Braze(config, clock=stepped_clock) as braze:
            with pytest.raises(BrazeUnreachable) as unreachable:
                await braze.track(BODY)
    assert (0, False) == (unreachable.value.status, unreachable.value.uncertain)
    assert ATTEMPTS == braze.requests


async def test_a_refusal_after_a_fault_is_uncertain(workspace):
    """A refusal says whether an earlier attempt may have gone through."""
    async with workspace({"status": 503}, {"status": 413}) as w:
        with pytest.raises(BrazeRefused) as refused:
            await w.braze.track(BODY)
    assert refused.value.uncertain


NOW = 1789466400  # The stand-in's clock begins at 2026-09-15T10:00:00Z.


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"X-Ratelimit-Retry-After": "3"}, 3),
        ({"x-ratelimit-retry-after": "3", "retry-after": "60"}, 3),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "7", "X-RateLimit-Reset": "20"}, 7),
        ({"X-RateLimit-Reset": "20"}, 20),
        ({"X-RateLimit-Reset": str(NOW + 90)}, 90),
        (
            {
                "X-RateLimit-Limit": "3000",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": str(NOW + 2),
            },
            2,
        ),
        ({"X-RateLimit-Reset": str(NOW - 90)}, 0),
        ({"X-Ratelimit-Retry-After": "3540"}, 3540),
    ],
)
async def test_429_waits_as_told(workspace, headers, waited):
    """Both dialects of rate limit headers are understood, relative and as a time."""
    async with workspace({"status": 429, "headers": headers}, {}) as w:
        answer = await w.braze.track(BODY)
    assert pytest.approx(waited) == w.waited
    assert (True, False, 2) == (answer.accepted, answer.uncertain, len(w.asked))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": "Tue, 15 Sep 2026 10:00:30 GMT"},
        {"Retry-After": "soon"},
        {"X-RateLimit-Reset": "nan"},
        {"X-RateLimit-Reset": "-5"},
    ],
)
async def test_429_that_does_not_say_how_long(workspace, headers):
    """Without a readable header the wait is very short at first, then a second or more."""
    busy = {"status": 429, "headers": headers}
    async with workspace(busy, {}) as w:
        await w.braze.track(BODY)
    assert 0 < w.waited <= FIRST_LIMIT_PAUSE
    async with workspace(busy, busy, {}) as w:
        await w.braze.track(BODY)
    assert LIMIT_PAUSE <= w.waited <= LIMIT_PAUSE + 1 + FIRST_LIMIT_PAUSE


async def until_held_back(w):
    """Seconds for which another request waits while one that was refused waits for itself."""
    waits, go_on = asyncio.Event(), asyncio.Event()
    real = w.clock.wait

    async def wait(seconds):
        waits.set()
        await go_on.wait()
        await real(seconds)

    w.clock.wait = wait
    refused = asyncio.ensure_future(w.braze.track(BODY))
    await waits.wait()
    w.clock.wait = real
    begun = w.waited
    await w.braze.track(BODY)
    waited = w.waited - begun
    go_on.set()
    await refused
    return waited


RESET = str(NOW + 2)


@pytest.mark.parametrize(
    ("headers", "held_back"),
    [
        ({}, 0),
        ({"X-RateLimit-Reset": "2"}, 0),
        ({"X-RateLimit-Remaining": "2999", "X-RateLimit-Reset": RESET}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}, 2),
        ({"X-RateLimit-Remaining": "0"}, LIMIT_PAUSE),
        ({"X-RateLimit-Remaining": "2999", "Retry-After": "2"}, 2),
        ({"X-RateLimit-Retry-After": "2"}, 2),
    ],
)
async def test_a_single_429_holds_back_others_only_if_it_says_so(workspace, headers, held_back):
    """A 429 is about its own request, unless it tells when to retry or that none remain."""
    async with workspace({"status": 429, "headers": headers}, {}) as w:
        assert pytest.approx(held_back) == await until_held_back(w)


async def test_a_429_although_requests_remain_is_tried_again_soon(workspace):
    """A reset is no reason to wait where the same answer says that requests remain."""
    headers = {"X-RateLimit-Remaining": "2999", "X-RateLimit-Reset": RESET}
    async with workspace({"status": 429, "headers": headers}, {}) as w:
        await w.braze.track(BODY)
    assert 0 < w.waited <= FIRST_LIMIT_PAUSE


async def test_many_429_hold_back_everything(workspace):
    """Where several of the last answers were 429, requests that were not refused wait as well."""
    async with workspace(*[{"status": 429}] * REPEATED, {}) as w:
        await asyncio.gather(*(w.braze.track(BODY) for _ in range(REPEATED)))
        assert LIMIT_PAUSE <= w.waited


async def test_a_window_that_we_used_up_ourselves_is_not_closed(workspace):
    """None left of a window that is kept anyway: its reset, rounded up, changes nothing."""
    limit = RateLimit(requests=10, per=timedelta(seconds=3))
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4"}
    async with workspace(*[{}] * 9, {"headers": headers}, {}, rate_limit=limit) as w:
        w.braze.expect(10)
        for _ in range(11):
            await w.braze.track(BODY)
    assert pytest.approx(3) == w.waited


async def test_429_is_no_attempt(workspace):
    """More 429 than attempts still end well."""
    busy = {"status": 429, "headers": {"Retry-After": "1"}}
    async with workspace(*[busy] * (ATTEMPTS * 2), {}) as w:
        answer = await w.braze.track(BODY)
    assert answer.accepted
    assert ATTEMPTS * 2 + 1 == len(w.asked)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "300"}])
async def test_429_without_end_is_given_up(workspace, headers):
    """Waiting for a rate limit is bounded, even if it always says that there is no wait."""
    async with workspace({"status": 429, "headers": headers}) as w:
        with pytest.raises(BrazeUnreachable) as unreachable:
            await w.braze.track(BODY)
    assert (429, False) == (unreachable.value.status, unreachable.value.uncertain)
    assert LIMIT_WAITING - 300 <= w.waited <= LIMIT_WAITING
    assert len(w.asked) < 600


async def test_429_for_longer_than_an_hour_is_not_waited_for(workspace):
    """A limit that opens tomorrow is given up at once."""
    async with workspace({"status": 429, "headers": {"Retry-After": "86400"}}) as w:
        with pytest.raises(BrazeUnreachable):
            await w.braze.track(BODY)
    assert (1, 0) == (len(w.asked), w.waited)


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}, 12),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 12)}, 12),
        ({"X-RateLimit-Remaining": "0"}, 0),
        ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "12"}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 86400)}, 0),
        ({"X-RateLimit-Reset": "12"}, 0),
        ({}, 0),
    ],
)
async def test_none_left_makes_the_next_request_wait(workspace, headers, waited):
    """When an answer says that no request is left, the next one waits for the reset."""
    async with workspace({"headers": headers}, {}) as w:
        await w.braze.track(BODY)
        assert 0 == w.waited
        await w.braze.track(BODY)
    assert pytest.approx(waited) == w.waited


async def test_requests_keep_to_the_configured_rate(workspace):
    """However many are sent at once, they are spread at the rate of the limit."""
    limit = RateLimit(requests=10, per=timedelta(seconds=3))
    async with workspace({}, rate_limit=limit) as w:
        await asyncio.gather(*(w.braze.track(BODY) for _ in range(35)))
    # Here time leaps while requests are under way, which makes latencies seem long.
    assert 9 <= w.waited <= 18
    assert 35 == w.braze.requests


async def test_look_ups_have_a_rate_of_their_own(workspace):
    """Look-ups wait for their own limit and do not slow down deliveries."""
    limit = RateLimit(requests=1, per=timedelta(minutes=1))
    async with workspace({"body": {"users": []}}, lookup_limit=limit) as w:
        for _ in range(3):
            await w.braze.export_ids(["a"], ["email"])
        assert pytest.approx(120) == w.waited
        await w.braze.track(BODY)
        assert pytest.approx(120) == w.waited
    assert {"/users/track": 1, "/users/export/ids": 3} == w.braze.requests_by_endpoint


@pytest.mark.parametrize("url", ["http://rest.iad-01.braze.com", "ftp://127.0.0.1", "rest"])
def test_the_key_is_never_sent_in_the_clear(url):
    """Only https, or this machine, is spoken to."""
    with pytest.raises(ValueError, match="https"):
        Braze(BrazeConfig(endpoint=url, api_key=SecretStr("dummy")))


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ({"status": 504}, 1),
        ({"status": 408}, 1),
        ({"status": 201, "body": '{"message":"succ'}, 1),
        ({"status": 201, "body": '{"message":"success"', "cut": True}, 1),
        ({"status": 500}, 0),
        ({"status": 503}, 0),
        ({"status": 429}, 0),
    ],
)
async def test_attempts_whose_answer_was_lost_are_told(workspace, fault, lost):
    """Braze may have billed what nobody answered for; of what it says it did not take, nothing."""
    async with workspace(fault, fault, {}) as w:
        assert 2 * lost == (await w.braze.track(BODY)).lost
    async with workspace(fault, {"status": 400}) as w:
        with pytest.raises(BrazeRefused) as refused:
            await w.braze.track(BODY)
    assert lost == refused.value.lost
    async with workspace({}) as w:
        assert 0 == (await w.braze.track(BODY)).lost
