"""The client reads states in subscription groups as the sandbox tells them (braze-api.md 10)."""

from __future__ import annotations

import pytest
from support.workspaces import workspace

from exchanger.errors import BrazeRefused

MAIL, PHONE = "email\x1fs@example.com", "phone\x1f+4915112345678"


@pytest.fixture
def seeded():
    """More users than a page with one address, of whom the last left the group."""
    shared = [{"external_id": f"p{n}", "email": "S@example.com"} for n in range(101)]
    return [*shared, {"external_id": "t", "phone": "+49 1511 2345678"}]


async def test_all_who_share_an_address_are_read_over_all_pages(seeded):
    """Also where a page is full, and where Braze shows the address or number as it was imported."""
    async with workspace() as (braze, sandbox):
        sandbox.seed(seeded)
        news = sandbox.add_subscription_group("News")
        texts = sandbox.add_subscription_group("SMS", "sms")
        left = {"subscription_group_id": news, "subscription_state": "unsubscribed"}
        sandbox.seed([{"external_id": "p100", "subscription_groups": [left]}])
        sandbox.seed([{"external_id": "t", "subscription_groups": [left | {
            "subscription_group_id": texts}]}])  # fmt: skip

        found = await braze.group_states([MAIL, "email\x1fnobody@example.com"])
        assert ([MAIL], 101) == ([*found], len(found[MAIL]))
        assert {"unsubscribed"} == {states[news] for states in found[MAIL] if states}
        assert {PHONE: [{texts: "unsubscribed"}]} == await braze.group_states([PHONE])
        assert {"t": [{texts: "unsubscribed"}]} == await braze.group_states(["t", "nobody"])
        assert {PHONE: "unsubscribed"} == await braze.states_in_group(texts, [PHONE])


async def test_a_group_that_there_is_not():
    """It is told from one that there is; of it there are no states, and setting one is refused."""
    async with workspace() as (braze, sandbox):
        news = sandbox.add_subscription_group("News")
        assert (True, False) == (await braze.has_group(news), await braze.has_group("nonesuch"))
        assert {} == await braze.states_in_group("nonesuch", [MAIL])
        with pytest.raises(BrazeRefused):
            await braze.group_states([f"email\x1f{n}@example.com" for n in range(51)])
