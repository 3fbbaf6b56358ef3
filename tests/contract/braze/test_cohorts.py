"""Requests that change a cohort of a partner, whose keys stand in their bodies."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr

from exchanger.braze.endpoints import COHORT, COHORT_USERS, COHORTS
from exchanger.config.models import AudienceCohort, BrazeConfig
from exchanger.errors import BrazeKeyRefused, BrazeRefused, BrazeUnreachable, CohortMissing
from exchanger.outside.braze.client import Braze

VIP = AudienceCohort(
    id="vip",
    name="VIP",
    partner="acme",
    client_secret=SecretStr("import-key-Rz82"),
    partner_key=SecretStr('partner"key-Qx71'),
)
KEYS = {
    "partner_api_key": 'partner"key-Qx71',
    "client_secret": "import-key-Rz82",
    "cohort_id": "vip",
}
TO = replace(COHORT, of=VIP.key)
BODY = b'{"cohort_changes":[{"user_ids":["ada"]}]}'


@asynccontextmanager
async def cohorts_of(workspace, *script):
    """Open a workspace whose client knows the cohort, with its server and its clock."""
    async with workspace(*script) as there:
        config = BrazeConfig(endpoint=there.stand_in.url, api_key=SecretStr("rest-key"))
        known = {VIP.key: VIP}
        chance = random.Random(1)
        async with Braze(config, clock=there.clock, random=chance, cohorts=known) as braze:
            yield braze, there


def tried(workspace, *script, times=1):
    """Send a change, and return what came back, what was asked, and how long it took."""

    async def story():
        async with cohorts_of(workspace, *script) as (braze, there):
            for _ in range(times):
                await braze.name_cohort(TO)
                answer = await braze.track(BODY, TO)
            return answer, there.asked, there.waited

    return asyncio.run(story())


def test_a_cohort_gets_its_name_before_its_people_and_once(workspace):
    """All keys are in the body, and the key of the REST API is nowhere."""
    answer, asked, _ = tried(workspace, {}, times=2)
    assert (True, {}) == (answer.accepted, answer.refused)
    assert ["/partners/acme/cohorts", *["/partners/acme/cohorts/users"] * 2] == [
        one.path for one in asked
    ]
    made = {"name": "VIP", "created_at": "2026-09-15T10:00:00+00:00"}
    assert [KEYS | made, *[KEYS | json.loads(BODY)] * 2] == [one.json for one in asked]
    assert not [one for one in asked if "Authorization" in one.headers or b"rest-" in one.body]


@pytest.mark.parametrize("body", ["", "done", {"message": "success"}, {"errors": ["what"]}])
def test_any_success_is_one(workspace, body):
    """Its body is not documented, so nothing is read out of it."""
    answer, asked, _ = tried(workspace, {}, {"body": body, "status": 200})
    assert (True, {}, 2) == (answer.accepted, answer.refused, len(asked))


def test_a_locked_cohort_is_waited_for(workspace):
    """More patiently than a fault, as it is only busy: however often it says so."""
    locked = [{"status": 423, "body": {"message": "Resource locked"}}] * 12
    answer, asked, waited = tried(workspace, {}, *locked, {})
    assert (True, 14) == (answer.accepted, len(asked))
    assert not answer.uncertain
    assert waited > 11


def test_a_cohort_that_stays_locked_ends_the_wait(workspace):
    """After as long as a limit is waited for, and nothing is in doubt."""
    with pytest.raises(BrazeUnreachable) as caught:
        tried(workspace, {}, {"status": 423, "body": {"message": "Resource locked"}})
    assert (423, False) == (caught.value.status, caught.value.uncertain)


def test_a_lost_answer_is_met_by_another_request(workspace):
    """To come twice changes nothing more; it is told all the same."""
    answer, asked, _ = tried(workspace, {}, {"status": 504}, {})
    assert (True, 1, 3) == (answer.accepted, answer.lost, len(asked))


@pytest.mark.parametrize(
    ("script", "kind", "path"),
    [
        ([{"status": 401}], BrazeKeyRefused, COHORTS),
        ([{}, {"status": 401}], BrazeKeyRefused, COHORT_USERS),
        ([{"status": 400}], BrazeRefused, COHORTS),
        ([{}, {"status": 400}], BrazeRefused, COHORT_USERS),
    ],
)
def test_what_braze_refuses_is_told_without_its_keys(workspace, script, kind, path):
    """One of its messages has the client secret in it."""
    said = f"Partner not enabled for client with client secret: {KEYS['client_secret']}"
    keyed = [one | {"body": {"message": said, "errors": KEYS}} for one in script]
    with pytest.raises(kind) as caught:
        tried(workspace, *keyed)
    assert path == caught.value.endpoint
    assert "client secret: [redacted]" in caught.value.detail
    assert not [key for key in ("Rz82", "Qx71") if key in str(caught.value)]


def test_a_cohort_of_which_nobody_has_the_keys_is_named(workspace):
    """As of a job that is gone, whose run is under way."""

    async def story():
        async with cohorts_of(workspace, {}) as (braze, there):
            with pytest.raises(CohortMissing) as caught:
                await braze.name_cohort(replace(COHORT, of="acme/gone"))
            assert ("acme/gone", []) == (caught.value.key, there.asked)

    asyncio.run(story())
