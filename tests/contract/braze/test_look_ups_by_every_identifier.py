"""Look-ups by every identifier, against the sandbox: who is found, who is not, who is several."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import polars as pl
import pytest
from pydantic import SecretStr
from support.contexts import job_context
from support.sandbox_calls import track

from exchanger.app.messages.notes.words import in_words
from exchanger.config.models import BrazeConfig, RateLimit
from exchanger.jobs.delivery.takeover import resolve_in_doubt
from exchanger.jobs.observing.lookup import (
    alone_in_a_request,
    look_up,
    lookup_seconds,
    note_if_slow,
)
from exchanger.outside.braze.client import Braze
from exchanger.profiles.planning.payloads import objects
from exchanger.sandbox import Sandbox

IDS, TRACK = "/users/export/ids", "/users/track"
FAST = RateLimit(requests=100_000, per=timedelta(minutes=1))
SLOW = RateLimit(requests=250, per=timedelta(minutes=1))


def alias(name, label="crm"):
    return {"user_alias": {"alias_label": label, "alias_name": name}}


@pytest.fixture
def sandbox():
    """A workspace with people of every kind."""
    with Sandbox() as space:
        space.seed([
            {"external_id": "a", "email": "Ada@example.com", "n": 1},
            {"external_id": "t1", "email": "twin@example.com", "phone": "+491701234567"},
            {"external_id": "t2", "email": "twin@example.com", "phone": "+491701234567"},
        ])  # fmt: skip
        made = {"_update_existing_only": False}
        track(
            space,
            alias("7") | made | {"n": 2},
            alias("7", "pos") | made | {"n": 3},
            {"email": "only@example.com", "n": 4},
            {"phone": "+12125550100", "n": 5},
        )
        yield space


@pytest.fixture
def context(sandbox, bucket, tmp_path, stepped_clock):
    """A connection to that workspace."""
    config = BrazeConfig(
        endpoint=sandbox.url, api_key=SecretStr(sandbox.api_key), lookup_limit=FAST
    )
    return job_context(
        bucket,
        lambda: Braze(config, clock=stepped_clock, random=random.Random(1)),
        tmp_path,
        clock=stepped_clock,
    )


def asked(sandbox):
    return [{key: value for key, value in body.items() if key != "fields_to_export"}
            for body in sandbox.bodies(IDS)]  # fmt: skip


async def test_every_identifier_finds_its_profile(context, sandbox):
    """Known, absent and several are told apart, each under the key that it was asked by."""
    own = next(one["braze_id"] for one in sandbox.profiles() if one.get("external_id") == "a")
    expected = {
        "a": (True, "1"),
        "nobody": (False, "null"),
        "alias\x1fcrm\x1f7": (True, "2"),
        "alias\x1fpos\x1f7": (True, "3"),
        "alias\x1fcrm\x1f8": (False, "null"),
        f"braze_id\x1f{own}": (True, "1"),
        "braze_id\x1fnone": (False, "null"),
        "email\x1fada@example.com": (True, "1"),
        "email\x1fonly@example.com": (True, "4"),
        "email\x1fnew@example.com": (False, "null"),
        "email\x1ftwin@example.com": (None, None),
        "phone\x1f+12125550100": (True, "5"),
        "phone\x1f+491701234567": (None, None),
    }
    needed = pl.DataFrame({"@profile": [*expected], "field": ["n"] * len(expected)})
    kept = []

    seen = await asyncio.to_thread(look_up, context, needed, lambda part, at: kept.append(part))

    found = {key: (exists, n) for key, exists, n in seen.select("@profile", "@exists", "n").rows()}
    assert expected == found
    several = [key for key, (exists, _) in expected.items() if exists is None]
    assert not set(several) & set(pl.concat(kept)["@profile"])
    requests = asked(sandbox)
    # An alias that an answer leaves out is asked once more, an address never.
    assert 2 == sum("external_ids" not in one and "user_aliases" in one for one in requests)
    assert 2 == sum("phone" in one for one in requests)
    assert 4 == sum("email_address" in one for one in requests)
    assert all(1 == len(one) for one in requests)


async def test_what_a_predecessor_may_have_sent_is_looked_at_by_its_own_identifier(
    context, sandbox
):
    """After a take-over only what Braze does not show as wanted is sent again."""
    keys = ["alias\x1fcrm\x1f7", "email\x1fonly@example.com", "phone\x1f+491701234567"]
    changes = pl.DataFrame({"@profile": keys, "send:n": ["2", "40", "6"]})
    outbox = objects(changes).with_columns(pl.Series("wanted:n", ["2", "40", "6"]))
    before = sandbox.requests(TRACK)

    sent = await asyncio.to_thread(resolve_in_doubt, context, outbox, [], shown=True)

    assert (1, before + 1) == (sent, sandbox.requests(TRACK))
    assert [{"email": "only@example.com", "n": 40}] == sandbox.bodies(TRACK)[-1]["attributes"]


async def test_what_no_look_up_shows_is_sent_again_by_whoever_takes_over(context, sandbox):
    """As of a cohort, or of items of a catalog: a late request may have undone what came after."""
    keys = ["alias\x1fcrm\x1f7", "email\x1fonly@example.com"]
    outbox = objects(pl.DataFrame({"@profile": keys, "send:n": ["2", "40"]}))
    before = sandbox.requests(TRACK)

    sent = await asyncio.to_thread(resolve_in_doubt, context, outbox, [], shown=False)

    assert (1, before + 1) == (sent, sandbox.requests(TRACK))
    assert [2, 40] == [one["n"] for one in sandbox.bodies(TRACK)[-1]["attributes"]]


@pytest.mark.parametrize(
    ("keys", "alone", "seconds"),
    [
        (["a"] * 25_000, 0, 60),
        (["email\x1fa"] * 500, 500, 60),
        (["alias\x1fcrm\x1f7"] * 25_000, 0, 60),
        (["phone\x1f1"] * 250 + ["a"] * 12_500, 250, 60),
        (["braze_id\x1f1"] * 250, 250, 0),
    ],
)
def test_addresses_take_a_request_each(keys, alone, seconds):
    """What takes fifty times as many requests is counted so."""
    series = pl.Series(keys)
    assert alone == alone_in_a_request(series)
    assert seconds == lookup_seconds(len(keys), SLOW, alone)


def test_many_addresses_are_told_before_they_are_looked_up():
    """The words say how many take a request each, and what saves it."""
    assert [] == note_if_slow(900, SLOW, 900)
    said = in_words(*note_if_slow(10_000, SLOW, 9_000))
    assert "10,000 profiles had to be looked up" in said
    assert "9,000 of them in a request each" in said
    assert "about 35 minutes" in said
    assert "{segment: NAME, complete: true}" in said
