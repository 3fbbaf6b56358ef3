"""Subscription groups and e-mail states of the local Braze (braze-api.md 10)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from support.sandbox_calls import call, post, track

from exchanger.sandbox import Sandbox

V1, V2 = "/subscription/status/set", "/v2/subscription/status/set"
MAIL, PHONE = "s@example.com", "+4915112345678"
DAY = 24 * 3600
OK = (201, {"message": "success"})
BOTH = "Either an email address or a phone number should be provided, but not both."


def states(braze: Sandbox, group: str) -> dict[str, str]:
    """The state in a group of everybody who has one."""
    return {
        name: one["subscription_state"]
        for name, user in braze.users().items()
        for one in user.get("subscription_groups", ())
        if one["subscription_group_id"] == group
    }


def read(braze: Sandbox, path: str, **parameters: Any) -> tuple[int, Any]:
    asked = "&".join(
        f"{name}={quote(one, safe='')}"
        for name, value in parameters.items()
        for one in (value if isinstance(value, list) else [value])
    )
    status, _, answer = call(braze, "GET", f"/subscription/{path}?{asked}")
    return status, answer


def test_a_shared_address_changes_for_all(braze: Sandbox) -> None:
    """By e-mail everybody who has it is set; by external id that user alone."""
    group = braze.add_subscription_group("News")
    track(braze, {"external_id": "a", "email": MAIL}, {"external_id": "b", "email": MAIL})
    given, spent = {"subscription_group_id": group, "subscription_state": "subscribed"}, braze.meter
    assert OK == post(braze, V1, given | {"email": MAIL.upper()})
    assert {"a": "subscribed", "b": "subscribed"} == states(braze, group)
    assert OK == post(braze, V1, given | {"external_id": ["a"],
                                          "subscription_state": "unsubscribed"})  # fmt: skip
    assert {"a": "unsubscribed", "b": "subscribed"} == states(braze, group)
    assert spent == braze.meter


def test_several_groups_in_one_call(braze: Sandbox) -> None:
    """E-mail and SMS groups go together by external ids."""
    news, texts = braze.add_subscription_group("News"), braze.add_subscription_group("SMS", "sms")
    track(braze, {"external_id": "a"}, {"external_id": "b"})
    groups = [
        {"subscription_group_id": news, "subscription_state": "subscribed",
         "external_ids": ["a", "nobody"]},
        {"subscription_group_id": texts, "subscription_state": "unsubscribed",
         "external_ids": ["a", "b"]},
    ]  # fmt: skip
    assert OK == post(braze, V2, {"subscription_groups": groups})
    assert {"a": "subscribed"} == states(braze, news)
    assert {"a": "unsubscribed", "b": "unsubscribed"} == states(braze, texts)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subscription_group_id": "none"}, "'subscription_group_id' is not valid"),
        (
            {"subscription_state": "opted_in"},
            "'subscription_state' must be 'subscribed' or 'unsubscribed'",
        ),
        ({"external_ids": []}, "one of external_ids, emails, phones must be provided"),
        ({"external_ids": ["a"] * 51}, "The max number of ids per request was exceeded"),
        ({"external_ids": [1]}, "'external_ids' must be an array of strings"),
        ({"emails": [MAIL], "phones": [PHONE]}, BOTH),
        ({"phones": [PHONE]}, "users of this subscription group are named by external id or email"),
        ({"phones": ["0151"]}, "phone numbers must be in E.164 format: 0151"),
    ],
)
def test_a_change_that_is_malformed(braze: Sandbox, changes: dict[str, Any], message: str) -> None:
    """One fault in one group refuses the whole request."""
    group = braze.add_subscription_group("News")
    track(braze, {"external_id": "a"})
    sound = {"subscription_group_id": group, "subscription_state": "subscribed",
             "external_ids": ["a"]}  # fmt: skip
    assert (400, {"message": message}) == post(
        braze, V2, {"subscription_groups": [sound, sound | changes]}
    )
    assert {} == states(braze, group)


def test_emails_and_phones_over_several_groups(braze: Sandbox) -> None:
    """They do not go together in one request."""
    news, texts = braze.add_subscription_group("News"), braze.add_subscription_group("SMS", "sms")
    groups = [
        {"subscription_group_id": news, "subscription_state": "subscribed", "emails": [MAIL]},
        {"subscription_group_id": texts, "subscription_state": "subscribed", "phones": [PHONE]},
    ]
    assert (400, {"message": BOTH}) == post(braze, V2, {"subscription_groups": groups})


def test_an_unknown_group_may_be_accepted_without_effect(braze: Sandbox) -> None:
    """By the setting the answer is a success."""
    braze.change(unknown_group="accepted")
    given = {"subscription_group_id": "none", "subscription_state": "subscribed", "email": MAIL}
    assert OK == post(braze, V1, given)
    assert ["no such group"] == [one["reason"] for one in braze.writes("skipped")]


@pytest.mark.parametrize(("days", "inherited"), [(29, {"a": "unsubscribed"}), (31, {})])
def test_an_address_without_a_profile(braze: Sandbox, days: int, inherited: dict[str, str]) -> None:
    """Its state is kept for 30 days for whoever gets the address."""
    group = braze.add_subscription_group("News")
    given = {"subscription_group_id": group, "subscription_state": "unsubscribed", "email": MAIL}
    post(braze, V1, given)
    asked = {"subscription_group_id": group, "email": MAIL}
    expected = {"status": {MAIL: "Unsubscribed"}, "message": "success"}
    assert (200, expected) == read(braze, "status/get", **asked)
    braze.advance(days * DAY)
    track(braze, {"external_id": "a", "email": MAIL})
    assert inherited == states(braze, group)


def test_states_go_with_the_last_user_of_an_address(braze: Sandbox) -> None:
    """After a delete nobody inherits."""
    group = braze.add_subscription_group("News")
    track(braze, {"external_id": "a", "email": MAIL})
    given = {"subscription_group_id": group, "subscription_state": "unsubscribed", "email": MAIL}
    post(braze, V1, given)
    post(braze, "/users/delete", {"external_ids": ["a"]})
    track(braze, {"external_id": "a", "email": MAIL})
    assert {} == states(braze, group)


def test_double_opt_in(braze: Sandbox) -> None:
    """A number is unsubscribed until its owner agrees; without a profile nothing is stored."""
    group, mails = braze.add_subscription_group("SMS", "sms"), braze.add_subscription_group("News")
    track(braze, {"external_id": "a", "phone": PHONE})
    ask = {"subscription_state": "subscribed", "use_double_opt_in_logic": True}
    post(braze, V1, ask | {"subscription_group_id": group, "phone": [PHONE, "+4915199999999"]})
    assert {"a": "unsubscribed"} == states(braze, group)
    assert 1 == braze.answer_opt_ins(group)
    assert {"a": "subscribed"} == states(braze, group)
    track(braze, {"external_id": "b", "phone": "+4915199999999"})
    assert {"a": "subscribed"} == states(braze, group)
    post(braze, V1, ask | {"subscription_group_id": mails, "external_id": "a"})
    assert {"a": "subscribed"} == states(braze, mails)


def test_a_question_is_answered_within_a_month(braze: Sandbox) -> None:
    """After 30 days an answer counts no more."""
    group = braze.add_subscription_group("SMS", "sms")
    track(braze, {"external_id": "a", "phone": PHONE})
    post(braze, V1, {"subscription_group_id": group, "subscription_state": "subscribed",
                     "phone": PHONE, "use_double_opt_in_logic": True})  # fmt: skip
    braze.advance(31 * DAY)
    assert (0, {"a": "unsubscribed"}) == (braze.answer_opt_ins(group), states(braze, group))


def test_groups_of_an_attributes_object(braze: Sandbox) -> None:
    """They change everybody who shares the e-mail; a group that does not exist changes nothing."""
    group = braze.add_subscription_group("News")
    track(braze, {"external_id": "a", "email": MAIL}, {"external_id": "b", "email": MAIL})
    unknown = "00000000-0000-4000-8000-000000000000"
    given = [{"subscription_group_id": one, "subscription_state": "subscribed"}
             for one in (group, unknown)]  # fmt: skip
    assert 201 == track(braze, {"external_id": "a", "subscription_groups": given})[0]
    assert {"a": "subscribed", "b": "subscribed"} == states(braze, group)
    assert {} == states(braze, unknown)


def test_states_are_read_in_capitals_under_what_was_asked(braze: Sandbox) -> None:
    """External ids win over addresses; who is unknown, or was never set, is Unknown."""
    group = braze.add_subscription_group("News")
    track(braze, {"external_id": "a", "email": MAIL}, {"external_id": "b"})
    post(braze, V1, {"subscription_group_id": group, "subscription_state": "subscribed",
                     "external_id": "a"})  # fmt: skip
    asked = {"subscription_group_id": group}
    status = read(braze, "status/get", **asked | {"external_id[]": ["a", "b", "c"], "email": "x"})
    expected = {"a": "Subscribed", "b": "Unknown", "c": "Unknown"}
    assert (200, {"status": expected, "message": "success"}) == status
    assert {MAIL: "Subscribed"} == read(braze, "status/get", **asked, email=MAIL)[1]["status"]
    assert {PHONE: "Unknown"} == read(braze, "status/get", **asked, phone=PHONE)[1]["status"]
    assert (400, {"message": BOTH}) == read(braze, "status/get", **asked, email=MAIL, phone=PHONE)
    assert 400 == read(braze, "status/get", subscription_group_id="none", email=MAIL)[0]


def test_groups_of_users_are_read_in_pages(braze: Sandbox) -> None:
    """Users who share an address are entries of their own; unknown ones are absent."""
    group = braze.add_subscription_group("News")
    braze.add_subscription_group("Never set")
    track(braze, {"external_id": "a", "email": MAIL}, {"external_id": "b", "email": MAIL})
    post(braze, V1, {"subscription_group_id": group, "subscription_state": "unsubscribed",
                     "external_id": "a"})  # fmt: skip
    told = {"id": group, "name": "News", "channel": "email", "status": "Unsubscribed"}
    status, answer = read(braze, "user/status", email=[MAIL, "n@example.com"])
    assert (200, 2, [[told], []]) == (
        status, answer["total_count"], [one["subscription_groups"] for one in answer["users"]]
    )  # fmt: skip
    assert {"email": MAIL, "phone": None, "external_id": "a", "subscription_groups": [told]} == (
        answer["users"][0]
    )
    _, answer = read(braze, "user/status", email=MAIL, limit="1", offset="1")
    assert (["b"], 2) == ([one["external_id"] for one in answer["users"]], answer["total_count"])
    assert 400 == read(braze, "user/status", email=MAIL, limit="101")[0]
    assert 400 == read(braze, "user/status")[0]


def test_email_state_of_an_address(braze: Sandbox) -> None:
    """It is set for all who have it, and kept for whoever gets it; groups stay as they are."""
    group = braze.add_subscription_group("News")
    track(braze, {"external_id": "a", "email": MAIL, "email_subscribe": "opted_in"})
    post(braze, V1, {"subscription_group_id": group, "subscription_state": "subscribed",
                     "external_id": "a"})  # fmt: skip
    body = {"email": [MAIL, "n@example.com"], "subscription_state": "unsubscribed"}
    assert OK == post(braze, "/email/status", body)
    track(braze, {"external_id": "b", "email": "n@example.com"})
    assert ["unsubscribed"] * 2 == [user["email_subscribe"] for user in braze.users().values()]
    assert {"a": "subscribed"} == states(braze, group)
    assert 400 == post(braze, "/email/status", body | {"subscription_state": "yes"})[0]
    assert 400 == post(braze, "/email/status", body | {"email": [MAIL] * 51})[0]


def test_email_subscribe_in_track_changes_one_profile(braze: Sandbox) -> None:
    """Others with the address keep their state."""
    track(braze, {"external_id": "a", "email": MAIL}, {"external_id": "b", "email": MAIL})
    track(braze, {"external_id": "a", "email_subscribe": "unsubscribed"})
    users = braze.users()
    assert ("unsubscribed", None) == (users["a"]["email_subscribe"],
                                      users["b"].get("email_subscribe"))  # fmt: skip


@pytest.mark.parametrize("path", ["/email/blocklist", "/email/blacklist"])
def test_blocked_addresses_are_marked_as_bounced(braze: Sandbox, path: str) -> None:
    """Both paths unsubscribe and mark everybody who has the address."""
    track(braze, {"external_id": "a", "email": MAIL}, {"external_id": "b"})
    assert OK == post(braze, path, {"email": MAIL})
    user = braze.users()["a"]
    assert ("unsubscribed", ["hard_bounced"]) == (user["email_subscribe"], user["flags"])
    assert "flags" not in braze.users()["b"]


def test_a_change_shows_later(braze: Sandbox) -> None:
    """With a delay it is not there yet when the answer comes."""
    group = braze.add_subscription_group("News")
    braze.change(delays={"subscription": 60})
    track(braze, {"external_id": "a"})
    post(braze, V1, {"subscription_group_id": group, "subscription_state": "subscribed",
                     "external_id": "a"})  # fmt: skip
    assert {} == states(braze, group)
    braze.advance(60)
    assert {"a": "subscribed"} == states(braze, group)
