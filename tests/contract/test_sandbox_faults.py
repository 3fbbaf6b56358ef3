"""The local Braze when it is slow, busy or broken: its limits, delays and faults."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.sandbox_calls import IDS, TRACK, call, people, track

from exchanger.sandbox import Sandbox


def test_epoch_rate_limit(braze: Sandbox) -> None:
    """The limit counts clock windows, tells their end as an instant, and refuses what is over."""
    braze.change(lookup_requests=1, lookup_window=3600)
    body = {"external_ids": ["a"], "fields_to_export": ["email"]}
    status, headers, _ = call(braze, "POST", IDS, body)
    assert (201, "1", "0") == (
        status, headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]
    )  # fmt: skip
    assert 0 == int(headers["x-ratelimit-reset"]) % 3600
    status, _, answer = call(braze, "POST", IDS, body)
    assert (429, {"message": "Rate Limited"}) == (status, answer)
    braze.advance(3600)
    assert 201 == call(braze, "POST", IDS, body)[0]


def test_relative_rate_limit(braze: Sandbox) -> None:
    """MAU contracts: the reset is in seconds, and a 429 tells only how long to wait."""
    braze.change(header_dialect="relative", track_requests=1, track_window=3600)
    _, headers, _ = call(braze, "POST", TRACK, {"attributes": [{"external_id": "a"}]})
    assert 0 < int(headers["x-ratelimit-reset"]) <= 3600
    status, headers, _ = call(braze, "POST", TRACK, {"attributes": [{"external_id": "b"}]})
    told = {name for name in headers if "ratelimit" in name}
    assert (429, {"x-ratelimit-retry-after"}) == (status, told)
    assert {"a"} == set(braze.users())


def test_apply_delay(braze: Sandbox) -> None:
    """With a delay the profile shows an accepted request only later."""
    braze.change(apply_delay=60)
    track(braze, {"external_id": "a"})
    assert {} == braze.users()
    braze.advance(61)
    assert {"a"} == set(braze.users())


def test_reordered_requests(braze: Sandbox) -> None:
    """With reordering, requests for one user may apply in another order than sent."""
    braze.change(apply_delay=60, apply_reorder=True)
    for n in range(8):
        track(braze, {"external_id": "a", f"n{n}": n})
    braze.advance(121)
    applied = list(braze.users()["a"]["custom_attributes"])
    assert [f"n{n}" for n in range(8)] == sorted(applied) != applied


@pytest.mark.parametrize(
    ("fault", "status", "applied"),
    [
        ({"status": 503}, 503, False),
        ({"status": 504, "applied": True}, 504, True),
        ({"delay": 0.01}, 201, True),
        ({"drop": "before"}, None, False),
        ({"drop": "after"}, None, True),
        ({"truncate": True}, None, True),
    ],
)
def test_faults(braze: Sandbox, fault: dict[str, Any], status: int | None, applied: bool) -> None:
    """A fault hits the next request of its endpoint only, before or after it takes effect."""
    braze.faults(TRACK, **fault)
    if status is None:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            track(braze, {"external_id": "a"})
    else:
        assert status == track(braze, {"external_id": "a"})[0]
    assert applied == ("a" in braze.users())
    assert 201 == track(braze, {"external_id": "b"})[0]
    assert 2 == braze.requests(TRACK)


def test_fault_body_and_headers(braze: Sandbox) -> None:
    """A fault can answer any body and headers, after letting some requests pass."""
    braze.faults("*", skip=1, status=429, body="<html>", headers={"Retry-After": "7"})
    assert 201 == track(braze, {"external_id": "a"})[0]
    connection = http.client.HTTPConnection(urlsplit(braze.url).netloc, timeout=10)
    connection.request("POST", TRACK, b"{}")
    answer = connection.getresponse()
    assert (429, "7", b"<html>") == (answer.status, answer.getheader("retry-after"), answer.read())
    connection.close()


def test_random_errors_repeat_with_the_seed(braze: Sandbox) -> None:
    """A share of requests fails by chance, the same ones after each reset."""
    braze.change(error_rate=0.3)
    seen = []
    for _ in range(2):
        braze.reset()
        seen.append([track(braze, {"external_id": "a"})[0] for _ in range(20)])
    assert seen[0] == seen[1]
    assert {201} < set(seen[0]) <= {201, 500, 502, 503, 504}


def test_a_429_by_chance_applies_nothing_and_gives_no_hint(braze: Sandbox) -> None:
    """The share of 429 is answered before anything is processed, without a header that helps."""
    braze.change(too_many_rate=1.0)
    status, headers, _ = call(braze, "POST", TRACK, {"attributes": people(1)})
    assert status == 429
    assert braze.users() == {}
    assert [name for name in headers if "limit" in name.lower() or "retry" in name.lower()] == []
