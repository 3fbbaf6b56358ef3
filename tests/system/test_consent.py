"""Consent through the command line: nobody is subscribed who unsubscribed."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from support.jobs import import_job
from support.looking import until

LOOK_UP, TRACK = "/users/export/ids", "/users/track"


def attributes(**more):
    """A job that sets a state of e-mail beside another value."""
    fields = {"tier": "set", "email_subscribe": {"merge": "set", "type": "string"}}
    return import_job(**{"fields": fields, **more})


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


@pytest.mark.nightly
def test_only_members_of_a_segment_get_anything(people):
    """The segment is exported for each run, as people come and go; a plan says that it is not."""
    people.braze.seed([{"external_id": "cyd"}])
    people.braze.add_segment("Reachable", members=["ada", "cyd"])
    baseline = {"segment": "Reachable", "completion": {"poll": "1s", "quiet": "1s"}}
    gate = {"segment": "Reachable"}
    people.configure(crm=attributes(only_if=gate, baseline=baseline, fields={"tier": "set"}))
    people.drop("inbox/1.csv", "id,tier\nada,gold\nbob,gold\ncyd,gold\nnobody,gold\n")

    plan = people.ask("plan", "crm")["report"]
    report = people.ask("run", "crm")

    assert any("Reachable" in note for note in plan["notes"])
    assert (4, 2, 2) == rows(report, "read", "applied", "skipped")
    assert ['"gold"', None, '"gold"'] == [
        people.attribute(who, "tier") for who in ("ada", "bob", "cyd")
    ]
    people.braze.add_segment("Reachable", members=["bob"])
    people.drop("inbox/2.csv", "id,tier\nada,silver\nbob,silver\n")
    assert (2, 1, 1) == rows(people.ask("run", "crm"), "read", "applied", "skipped")


@pytest.mark.nightly
def test_who_left_the_segment_keeps_what_a_file_gave(people):
    """A new version of a file takes nothing back of whom its rows are left out."""
    people.braze.add_segment("Reachable", members=["ada", "bob"])
    baseline = {"segment": "Reachable", "completion": {"poll": "1s", "quiet": "1s"}}
    spent = {"spend": {"merge": "sum", "type": "integer"}}
    gate = {"segment": "Reachable"}
    people.configure(crm=attributes(only_if=gate, baseline=baseline, fields=spent))
    people.drop("inbox/1.csv", "id,spend\nada,5\nbob,5\n")
    people.ask("run", "crm")
    people.braze.add_segment("Reachable", members=["bob"])
    people.drop("inbox/1.csv", "id,spend\nada,7\nbob,7\n")
    people.ask("run", "crm", code=5)

    people.ask("approve", "2")

    assert ["5", "7"] == [people.attribute(who, "spend") for who in ("ada", "bob")]


@pytest.mark.nightly
def test_who_unsubscribes_while_a_plan_waits_stays_so(people):
    """A run that goes on later than the grace asks once more before it subscribes anybody."""
    people.connection["braze"]["spacing"] = "10m"
    people.configure(crm=attributes())
    people.drop("inbox/0.csv", "id,tier,email_subscribe\nada,gold,\n")
    people.ask("run", "crm")
    people.drop("inbox/1.csv", "id,tier,email_subscribe\nbob,gold,opted_in\n")
    process = people.start("run", "crm")
    until_planned(people, 2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    people.braze.seed([{"external_id": "bob", "email_subscribe": "unsubscribed"}])
    people.connection["braze"]["spacing"] = "0s"
    people.configure(crm=attributes())
    second, plans = timedelta(seconds=1), [*people.bucket.list("_exchanger/main/outbox/")]
    until(lambda: all(people.bucket.head(plan.key).age > second for plan in plans))

    report = people.ask("run", "crm")

    assert ("unsubscribed", '"gold"') == (states(people)["bob"], people.attribute("bob", "tier"))
    assert 1 == report["fields_kept"]


def until_planned(exchange, seq):
    """Wait until a run counts."""
    key = f"_exchanger/main/runs/{seq:09}.json"
    until(
        lambda: any(
            item.key == key and b'"delivering"' in exchange.bucket.read(key)[0]
            for item in exchange.bucket.list(key)
        )
    )


# --- E-mail states ---

MAIL = import_job(
    object="email_state",
    source={"prefix": "mail/"},
    match=[{"email": "mail"}],
    state={
        "from": "optin",
        "subscribed": ["yes", 1],
        "unsubscribed": ["no", 0, False],
        "opted_in": ["double"],
    },
)
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


@pytest.mark.nightly
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


# --- Subscription groups ---

SET_GROUPS = "/v2/subscription/status/set"


def subscriptions(group, **more):
    words = {"from": "news", "subscribed": ["yes", "1"], "unsubscribed": ["no", "0"]}
    job = import_job(
        object="subscriptions",
        source={"prefix": "news/"},
        subscription={"group": group, "state": words},
    )
    return job | more


def in_group(exchange, group):
    """The state in a group of everybody who has one."""
    return {
        who: one["subscription_state"]
        for who, user in exchange.braze.users().items()
        for one in user.get("subscription_groups", ())
        if one["subscription_group_id"] == group
    }


@pytest.fixture
def members(exchange):
    """Ada, Bob and Cyd with e-mail addresses, of which Ada and Bob have the same."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.seed(
        [
            {"external_id": "ada", "email": "ab@example.com", "phone": "+4915112345678"},
            {"external_id": "bob", "email": "ab@example.com"},
            {"external_id": "cyd", "email": "c@example.com"},
        ]
    )
    return exchange


@pytest.mark.nightly
def test_states_in_several_groups_go_together(members):
    """A group of a column; one request for all, and nothing again that is held."""
    news, offers = (members.braze.add_subscription_group(name) for name in ("News", "Offers"))
    members.configure(consent=subscriptions({"from": "list"}))
    members.drop(
        "news/1.csv",
        f"id,list,news\nada,{news},yes\nada,{offers},no\ncyd,{news},0\ncyd,{news},1\nbob,{news},\n",
    )

    plan = members.ask("plan", "consent")["report"]
    report = members.ask("run", "consent")

    assert (5, 3, 1, 1) == rows(report, "read", "applied", "superseded", "unchanged")
    assert report["rows_applied"] == plan["rows_applied"]
    assert (1, 0) == (members.braze.requests(SET_GROUPS), report["data_points"])
    [body] = members.braze.bodies(SET_GROUPS)
    assert {"external_ids": ["ada", "cyd"]}.items() <= next(
        one for one in body["subscription_groups"] if one["subscription_group_id"] == news
    ).items()
    assert {"ada": "subscribed", "cyd": "subscribed"} == in_group(members, news)
    assert {"ada": "unsubscribed"} == in_group(members, offers)

    members.drop("news/2.csv", f"id,list,news\nada,{news},1\nada,{offers},0\ncyd,{news},yes\n")
    assert (3, 3) == rows(members.ask("run", "consent"), "read", "unchanged")
    assert 1 == members.braze.requests(SET_GROUPS)


def test_who_left_a_group_is_not_put_back(members):
    """Neither by id nor by an address that they share, nor is an address that nobody has."""
    news = members.braze.add_subscription_group("News")
    job = subscriptions(news)
    members.configure(consent=job)
    members.drop("news/1.csv", "id,news\nada,no\n")
    members.ask("run", "consent")
    members.drop("news/2.csv", "id,news\nada,yes\nbob,yes\n")

    report = members.ask("run", "consent")

    assert (2, 1, 1) == rows(report, "read", "applied", "skipped")
    assert {"ada": "unsubscribed", "bob": "subscribed"} == in_group(members, news)

    mails = subscriptions(news, match=[{"email": "mail"}], source={"prefix": "mails/"})
    members.configure(mails=mails)
    members.drop("mails/1.csv", "mail,news\nab@example.com,yes\ngone@example.com,no\n")
    report = members.ask("run", "mails")
    assert (2, 1, 1) == rows(report, "read", "applied", "skipped")
    members.configure(mails=mails | {"source": {"prefix": "others/"}})
    members.bucket.write("others/1.csv", b"mail,news\ngone@example.com,yes\nnew@example.com,yes\n")
    report = members.ask("run", "mails")
    assert (2, 1, 1) == rows(report, "read", "applied", "skipped")
    members.braze.seed([{"external_id": "g", "email": "gone@example.com"}])
    assert "unsubscribed" == in_group(members, news)["g"]


def test_people_whom_braze_does_not_have_are_skipped(members):
    """Braze would say that it worked."""
    news = members.braze.add_subscription_group("News")
    members.configure(consent=subscriptions(news))
    members.drop("news/1.csv", "id,news\nnobody,yes\ncyd,yes\n")
    assert (2, 1, 1) == rows(members.ask("run", "consent"), "read", "applied", "skipped")
    assert {"cyd": "subscribed"} == in_group(members, news)


def test_a_group_that_there_is_not_is_told_and_nothing_is_lost(members):
    """Its rows are in quarantine, and so are those without a state or group; others are sent."""
    news = members.braze.add_subscription_group("News")
    members.configure(consent=subscriptions({"from": "list"}))
    members.drop(
        "news/1.csv",
        f"id,list,news\nada,News,no\nada,{news},no\ncyd,{news},yes\nada,,no\nbob,{news},maybe\n",
    )

    report = members.ask("run", "consent", code=4)

    assert (5, 2, 3) == rows(report, "read", "applied", "rejected")
    assert {"ada": "unsubscribed", "cyd": "subscribed"} == in_group(members, news)
    assert [(1, "no_such_group"), (4, "no_group"), (5, "no_such_state")] == members.rejected(report)


@pytest.mark.nightly
def test_what_braze_refuses_is_given_again(members):
    """Owners of addresses are no members of an SMS group; a retry plans them anew."""
    texts = members.braze.add_subscription_group("SMS", "sms")
    members.configure(consent=subscriptions(texts, match=[{"email": "mail"}]))
    members.drop("news/1.csv", "mail,news\nab@example.com,no\nc@example.com,yes\n")

    report = members.ask("run", "consent", code=4)

    assert (2, 0, 2) == rows(report, "read", "applied", "refused")
    again = members.ask("retry", str(report["seq"]), code=4)
    assert (2, 0, 2) == rows(again, "read", "applied", "refused")


def test_owners_of_numbers_are_asked_first(members):
    """With double opt-in they are subscribed once they agree, and are not asked again."""
    texts = members.braze.add_subscription_group("SMS", "sms")
    job = subscriptions(texts, match=[{"phone": "phone"}])
    job["subscription"] = job["subscription"] | {"double_opt_in": True}
    members.configure(consent=job)
    members.drop("news/1.csv", "phone,news\n+49 1511 2345678,yes\n0151,yes\n")

    report = members.ask("run", "consent", code=4)

    assert ([(2, "bad_phone")], {"ada": "unsubscribed"}) == (
        members.rejected(report),
        in_group(members, texts),
    )
    assert 1 == members.braze.answer_opt_ins(texts)
    assert {"ada": "subscribed"} == in_group(members, texts)
    members.drop("news/2.csv", "phone,news\n+4915112345678,1\n")
    assert 1 == members.ask("run", "consent")["rows_unchanged"]


@pytest.mark.nightly
def test_states_apply_in_the_order_of_their_column(members):
    """A row that is older than what was applied changes nothing, whatever file it comes in."""
    news = members.braze.add_subscription_group("News")
    job = subscriptions(news, source={"prefix": "news/", "order_by": "at"})
    members.configure(consent=job)
    members.drop("news/1.csv", "id,news,at\nada,no,2026-09-03\nada,yes,2026-09-02\n")
    members.ask("run", "consent")
    members.drop("news/2.csv", "id,news,at\nada,yes,2026-09-01\n")
    assert 1 == members.ask("run", "consent")["rows_superseded"]
    assert {"ada": "unsubscribed"} == in_group(members, news)
