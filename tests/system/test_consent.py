"""Consent through the command line: nobody is subscribed who unsubscribed."""

from __future__ import annotations

import pytest

LOOK_UP, TRACK = "/users/export/ids", "/users/track"


def attributes(**more):
    """A job that sets a state of e-mail beside another value."""
    return {
        "type": "import",
        "source": {"prefix": "inbox/"},
        "match": [{"external_id": "id"}],
        "fields": {"tier": "set", "email_subscribe": {"merge": "set", "type": "string"}},
        **more,
    }


def states(exchange):
    return {who: user.get("email_subscribe") for who, user in exchange.braze.users().items()}


def rows(report, *kinds):
    return tuple(report[f"rows_{kind}"] for kind in kinds)


@pytest.fixture
def people(exchange):
    """Ada is unsubscribed, Bob is subscribed."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.seed(
        [
            {"external_id": "ada", "email_subscribe": "unsubscribed"},
            {"external_id": "bob", "email_subscribe": "subscribed"},
        ]
    )
    return exchange


def test_a_file_subscribes_nobody_who_is_unsubscribed(people):
    """The state is left out and counted, the rest of the row is sent; alone it is skipped."""
    people.configure(crm=attributes())
    people.drop("inbox/1.csv", "id,tier,email_subscribe\nada,gold,opted_in\nbob,,opted_in\n")

    plan = people.ask("plan", "crm")["report"]
    report = people.ask("run", "crm")

    assert 1 == plan["fields_withheld"] == report["fields_withheld"]
    assert {"ada": "unsubscribed", "bob": "opted_in"} == states(people)
    assert ('"gold"', (2, 2, 0)) == (
        people.attribute("ada", "tier"), rows(report, "read", "applied", "skipped")
    )  # fmt: skip

    people.drop("inbox/2.csv", "id,tier,email_subscribe\nada,gold,subscribed\n")
    report = people.ask("run", "crm")

    assert (1, 0, 1) == rows(report, "read", "applied", "skipped")
    assert any("may_resubscribe" in note for note in report["notes"])


def test_who_unsubscribed_since_they_were_seen_stays_so(people):
    """A state that was held counts for nothing, once another one would be sent."""
    people.configure(crm=attributes())
    people.drop("inbox/1.csv", "id,tier,email_subscribe\nbob,,subscribed\n")
    people.ask("run", "crm")
    people.braze.seed([{"external_id": "bob", "email_subscribe": "unsubscribed"}])

    people.drop("inbox/2.csv", "id,tier,email_subscribe\nbob,,opted_in\n")
    report = people.ask("run", "crm")

    assert (1, 0, 1) == rows(report, "read", "applied", "skipped")
    assert "unsubscribed" == states(people)["bob"]


def test_an_unchanged_state_asks_nothing(people):
    """Who is known to be subscribed is neither looked up nor sent again."""
    people.configure(crm=attributes())
    people.drop("inbox/1.csv", "id,tier,email_subscribe\nbob,,subscribed\n")
    people.ask("run", "crm")
    asked = people.braze.requests(LOOK_UP)
    people.drop("inbox/2.csv", "id,tier,email_subscribe\nbob,,subscribed\n\n")

    assert (1, 1) == rows(people.ask("run", "crm"), "read", "unchanged")
    assert (asked, 0) == (people.braze.requests(LOOK_UP), people.braze.requests(TRACK))


def test_a_job_may_say_that_people_agreed_again(people):
    """With may_resubscribe a state is a value like any other."""
    people.configure(crm=attributes(may_resubscribe=True))
    people.drop("inbox/1.csv", "id,tier,email_subscribe\nada,,subscribed\n")

    assert 1 == people.ask("run", "crm")["rows_applied"]
    assert ("subscribed", 0) == (states(people)["ada"], people.braze.requests(LOOK_UP))


def test_rows_behind_a_gate_are_skipped(people):
    """Only whom Braze has with one of the values gets anything; the report says how many not."""
    gates = {"email_subscribe": ["opted_in", "subscribed"]}
    people.configure(crm=attributes(only_if=gates) | {"fields": {"tier": "set"}})
    people.drop("inbox/1.csv", "id,tier\nada,gold\nbob,gold\nnobody,gold\n")

    report = people.ask("run", "crm")

    assert (3, 1, 2) == rows(report, "read", "applied", "skipped")
    assert any("only_if" in note for note in report["notes"])
    assert (None, '"gold"') == tuple(people.attribute(who, "tier") for who in ("ada", "bob"))
    assert {"ada", "bob"} == {*people.braze.users()}


# --- E-mail states ---

MAIL = {
    "type": "import",
    "object": "email_state",
    "source": {"prefix": "mail/"},
    "match": [{"email": "mail"}],
    "state": {
        "from": "optin",
        "subscribed": ["yes", 1],
        "unsubscribed": ["no", 0, False],
        "opted_in": ["double"],
    },
}
STATUS = "/email/status"


@pytest.fixture
def addresses(exchange):
    """Ada shares an address with Bea, who is unsubscribed; Cyd is subscribed."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.seed(
        [
            {"external_id": "ada", "email": "ab@example.com"},
            {"external_id": "bea", "email": "ab@example.com", "email_subscribe": "unsubscribed"},
            {"external_id": "cyd", "email": "c@example.com", "email_subscribe": "subscribed"},
        ]
    )
    return exchange


def test_states_of_addresses_are_set(addresses):
    """One request for each state, whatever the spelling; the last row wins; no data points."""
    addresses.configure(mail=MAIL)
    addresses.drop(
        "mail/1.csv",
        "mail,optin\nC@Example.com,yes\nc@example.com,Double\nnobody@example.com,NO\nd@example.com,\n",
    )

    report = addresses.ask("run", "mail")

    assert (4, 2, 1, 1) == rows(report, "read", "applied", "superseded", "unchanged")
    assert (0, "opted_in") == (report["data_points"], states(addresses)["cyd"])
    assert [
        {"email": ["c@example.com"], "subscription_state": "opted_in"},
        {"email": ["nobody@example.com"], "subscription_state": "unsubscribed"},
    ] == addresses.braze.bodies(STATUS)
    addresses.braze.seed([{"external_id": "new", "email": "nobody@example.com"}])
    assert "unsubscribed" == states(addresses)["new"]

    addresses.drop("mail/2.csv", "mail,optin\nc@example.com,double\nnobody@example.com,0\n")
    assert (2, 2) == rows(addresses.ask("run", "mail"), "read", "unchanged")
    assert 2 == addresses.braze.requests(STATUS)


def test_an_address_that_anybody_unsubscribed_is_not_subscribed(addresses):
    """Nor is one that nobody has, of which no look-up shows what is kept for it."""
    addresses.configure(mail=MAIL)
    addresses.drop("mail/1.csv", "mail,optin\nab@example.com,yes\nnobody@example.com,yes\n")

    plan = addresses.ask("plan", "mail")["report"]
    report = addresses.ask("run", "mail")

    assert (
        (2, 0, 2)
        == rows(report, "read", "applied", "skipped")
        == rows(plan, "read", "applied", "skipped")
    )
    assert (2, 0) == (report["fields_withheld"], addresses.braze.requests(STATUS))

    addresses.configure(mail=MAIL | {"may_resubscribe": True})
    addresses.drop("mail/2.csv", "mail,optin\nab@example.com,yes\n")
    assert 1 == addresses.ask("run", "mail")["rows_applied"]
    assert ("subscribed", "subscribed") == tuple(states(addresses)[who] for who in ("ada", "bea"))


def test_rows_without_a_state_or_an_address_are_rejected(addresses):
    """Each says what to do, and the others are sent; the corrected row may come in any file."""
    addresses.configure(mail=MAIL)
    addresses.drop(
        "mail/1.csv", "mail,optin\nc@example.com,perhaps\nnot an address,no\nd@example.com,no\n"
    )

    report = addresses.ask("run", "mail", code=4)

    assert (3, 1, 2) == rows(report, "read", "applied", "rejected")
    assert [(1, "no_such_state"), (2, "bad_email")] == addresses.rejected(report)
