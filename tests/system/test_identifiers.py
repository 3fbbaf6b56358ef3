"""Who is meant by a row: e-mail addresses, phone numbers, aliases, and several in order."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import post, track

TRACK, LOOKUP = "/users/track", "/users/export/ids"
SUM = {"from": "visits", "merge": "sum", "type": "integer"}
TIER = {"from": "tier", "type": "string"}
ALIAS = {"alias": {"name": "number", "label": "crm"}}


def job(match, fields=None, **more):
    return import_job(match=match, fields=fields or {"visits": SUM}, **more)


def sent(exchange):
    return [one for body in exchange.braze.bodies(TRACK) for one in body.get("attributes", ())]


def looked_up(exchange, since=0):
    bodies = exchange.braze.bodies(LOOKUP)[since:]
    return [{key: value for key, value in body.items() if key != "fields_to_export"}
            for body in bodies]  # fmt: skip


def profile(exchange, **named):
    """Find the one profile that has this email, phone or alias."""
    [found] = [
        one
        for one in exchange.braze.profiles()
        if all(one.get(name) == value for name, value in named.items())
    ]
    return found


def visits(exchange, **named):
    return profile(exchange, **named).get("custom_attributes", {}).get("visits")


@pytest.fixture(autouse=True)
def _nothing_is_read_back(exchange):
    exchange.connection["braze"]["grace"] = "1h"


@pytest.mark.nightly
@pytest.mark.long(20)
def test_sums_by_e_mail_address_find_each_person_once(exchange):
    """
    However an address is written it is one person, who is looked up once, or created.

    Rows of an address that two profiles have are rejected, and given once it is one person's.
    """
    exchange.braze.seed([
        {"external_id": "c1", "email": "Ada@Example.com", "visits": 5},
        {"external_id": "c2", "email": "twin@example.com", "visits": 1},
        {"external_id": "c3", "email": "twin@example.com", "visits": 1},
    ])  # fmt: skip
    exchange.configure(crm=job({"email": "mail"}))
    exchange.drop(
        "inbox/1.csv",
        "mail,visits\nada@example.com,1\n ADA@example.COM,2\nnew@example.com,3\n"
        "twin@example.com,4\nnobody,5\n",
    )
    planned = exchange.ask("plan", "crm")
    report = exchange.ask("run", "crm", code=4)

    assert (5, 3, 2) == tuple(report[f"rows_{what}"] for what in ("read", "applied", "rejected"))
    assert 8 == visits(exchange, external_id="c1")
    assert 3 == visits(exchange, email="new@example.com", external_id=None)
    assert [1, 1] == [visits(exchange, external_id=name) for name in ("c2", "c3")]
    asked = [{"email_address": f"{name}@example.com"} for name in ("ada", "new", "twin")]
    assert sorted([*asked, *asked], key=str) == sorted(looked_up(exchange), key=str)
    assert ["c1", "email new@example.com"] == sorted(
        example[0] for example in planned["fields"][0]["examples"]
    )
    rows = exchange.quarantined(report)
    assert [("ambiguous_email", "email twin@example.com"), ("bad_email", "")] == [
        (row["reason"], row["profile"]) for row in rows
    ]
    assert (
        "Several profiles of Braze have the e-mail address twin@example.com" in rows[0]["message"]
    )

    before = exchange.braze.requests(LOOKUP)
    exchange.drop("inbox/2.csv", "mail,visits\nAda@example.com,10\nnew@example.com,10\n")
    exchange.ask("run", "crm")
    assert (18, 13) == (
        visits(exchange, external_id="c1"),
        visits(exchange, email="new@example.com"),
    )
    assert before == exchange.braze.requests(LOOKUP)

    exchange.braze.seed([{"external_id": "c3", "email": "other@example.com"}])
    again = exchange.ask("retry", str(report["seq"]), code=4)
    assert (1, 1) == (again["rows_applied"], again["rows_rejected"])
    assert (5, 1) == tuple(visits(exchange, external_id=name) for name in ("c2", "c3"))


@pytest.mark.nightly
@pytest.mark.long(20)
def test_rows_of_one_person_fold_together_whatever_names_them(exchange):
    """
    An address or alias stands for the external id of its profile, once Braze was asked.

    So whatever a job names people by, sums are those of the person, also between jobs.
    """
    exchange.braze.seed([{"external_id": "c1", "email": "Ada@example.com", "visits": 5}])
    alias = {"alias_label": "crm", "alias_name": "7", "external_id": "c1"}
    assert 201 == post(exchange.braze, "/users/alias/new", {"user_aliases": [alias]})[0]
    match = [{"external_id": "id"}, {"email": "mail"}, ALIAS]
    exchange.configure(crm=job(match), shop=job({"external_id": "id"}, source={"prefix": "shop/"}))
    exchange.drop("inbox/1.csv", "id,mail,number,visits\nc1,,,1\n,ADA@example.com,,2\n,,7,4\n")
    planned = exchange.ask("plan", "crm")
    assert ["c1"] == [example[0] for example in planned["fields"][0]["examples"]]
    report = exchange.ask("run", "crm")
    assert (3, 1) == (report["rows_applied"], report["profiles_named"])
    assert [{"external_id": "c1", "visits": 12}] == sent(exchange)
    # What was seen of the address is what the person has, so nobody is asked for c1.
    assert {"email_address", "user_aliases"} == {key for one in looked_up(exchange) for key in one}

    looked = exchange.braze.requests(LOOKUP)
    exchange.drop("shop/1.csv", "id,visits\nc1,8\n")
    exchange.ask("run", "shop")
    exchange.drop("inbox/2.csv", "id,mail,number,visits\n,,7,16\n,ada@example.com,,32\n")
    exchange.ask("run", "crm")
    assert "68" == exchange.attribute("c1", "visits")
    assert looked == exchange.braze.requests(LOOKUP)

    [gone] = exchange.ask("forget", "c1", "--yes")["connections"]
    assert gone["touched"]["held values"] > 0
    [left] = exchange.ask("forget", "ada@example.com", "--by", "email")["connections"]
    assert 0 == left["touched"]["held values"]


@pytest.mark.parametrize("create_missing", [True, False])
def test_an_alias_finds_its_profile_or_creates_one_with_nothing_else(exchange, create_missing):
    """Braze creates an alias only where that is said, and fifty are looked up in one request."""
    seven = {"user_alias": {"alias_label": "crm", "alias_name": "7"}}
    track(exchange.braze, seven | {"visits": 5, "_update_existing_only": False})
    exchange.configure(crm=job(ALIAS, create_missing=create_missing))
    exchange.drop("inbox/1.csv", "number,visits\n7,1\n7.0,1\n8,1\n")

    report = exchange.ask("run", "crm")

    known = {one["user_aliases"][0]["alias_name"]: one for one in exchange.braze.profiles()}
    assert 7 == known["7"]["custom_attributes"]["visits"]
    assert ("8" in known, report["rows_skipped"]) == (create_missing, 0 if create_missing else 1)
    aliases = [{"alias_name": name, "alias_label": "crm"} for name in ("7", "8")]
    assert {"user_aliases": aliases} == looked_up(exchange)[0]
    flags = {one["_update_existing_only"] for one in sent(exchange)[1:]}
    assert {not create_missing} == flags


def test_of_several_identifiers_the_first_that_a_row_has_counts(exchange):
    """Each row finds its profile by its own; the label of an alias may stand in a column."""
    match = [
        {"external_id": "id"},
        {"alias": {"name": "number", "label": {"from": "kind"}}},
        {"email": "mail"},
        {"phone": "tel"},
    ]
    fields = {"visits": SUM, "email": {"from": "mail"}}
    exchange.configure(crm=job(match, fields))
    exchange.drop(
        "inbox/1.csv",
        "id,number,kind,mail,tel,visits\n"
        "a,1,crm,Ada@example.com,+491701234567,1\n"
        ",1,crm,,,2\n"
        ",1,pos,,,3\n"
        ",,,bo@example.com,+491701234567,4\n"
        ",,,,+49 170 1234567,5\n"
        ",,,,,6\n"
        "a,,,,,7\n",
    )
    report = exchange.ask("run", "crm", code=4)

    assert [(8, "Ada@example.com")] == [
        (one["custom_attributes"]["visits"], one["email"])
        for one in exchange.braze.profiles()
        if one.get("external_id") == "a"
    ]
    aliases = {
        (alias["alias_label"], alias["alias_name"]): one["custom_attributes"]["visits"]
        for one in exchange.braze.profiles()
        for alias in one.get("user_aliases") or ()
    }
    assert {("crm", "1"): 2, ("pos", "1"): 3} == aliases
    assert (4, 5) == (
        visits(exchange, email="bo@example.com"),
        visits(exchange, phone="+491701234567"),
    )
    assert ["no_identifier"] == [row["reason"] for row in exchange.quarantined(report)]
    assert (6, 5) == (report["rows_applied"], report["profiles_new"])


def test_phone_numbers_are_one_in_every_spelling_and_bad_ones_go_to_quarantine(exchange):
    """A number without its country, or that cannot be, names nobody."""
    exchange.configure(crm=job({"phone": "tel"}, {"visits": SUM, "tier": TIER}))
    exchange.drop(
        "inbox/1.csv",
        "tel,visits,tier\n+49 170 1234567,1,blue\n+49 (170) 123-4567,2,gold\n"
        "'+491701234567,4,\n0170 1234567,8,gold\n2125550100,16,gold\n+1 123 456 7890,32,gold\n",
    )
    report = exchange.ask("run", "crm", code=4)

    assert 7 == visits(exchange, phone="+491701234567")
    assert 1 == len(exchange.braze.profiles())
    rows = exchange.quarantined(report)
    assert ["bad_phone"] * 3 == [row["reason"] for row in rows]
    assert '"0170 1234567" is not a phone number that can be dialled' in rows[0]["message"]
    assert [{"phone": "+491701234567"}] == looked_up(exchange)


def test_an_unknown_braze_id_is_never_created(exchange):
    """Whom Braze does not know is skipped by it, and counts for nothing."""
    exchange.braze.seed([{"external_id": "a"}])
    own = exchange.braze.profiles()[0]["braze_id"]
    exchange.configure(crm=job({"braze_id": "own"}, {"tier": TIER}))
    exchange.drop("inbox/1.csv", f"own,tier\n{own},gold\n{'0' * 23}1,gold\n")

    report = exchange.ask("run", "crm")

    assert '"gold"' == exchange.attribute("a", "tier")
    assert 1 == len(exchange.braze.profiles())
    assert any("were never seen in Braze: 2, with 2 data points." in n for n in report["notes"])
    assert all(one["_update_existing_only"] is True for one in sent(exchange))


def test_the_most_recent_of_several_is_left_to_braze(exchange):
    """Nobody is looked up and nothing is held, so the same value is sent whenever it comes."""
    exchange.braze.seed([{"external_id": name, "email": "a@example.com"} for name in ("a", "b")])
    exchange.configure(
        crm=job({"email": "mail"}, {"tier": TIER}, on_ambiguous="most_recent"),
    )
    for number in (1, 2):
        exchange.drop(f"inbox/{number}.csv", f"mail,tier,n\nA@example.com,gold,{number}\n")
        assert 1 == exchange.ask("run", "crm")["rows_applied"]

    assert [{"email": "a@example.com", "tier": "gold"}] * 2 == sent(exchange)
    assert [] == looked_up(exchange)
    assert 1 == sum("custom_attributes" in one and bool(one["custom_attributes"])
                    for one in exchange.braze.profiles())  # fmt: skip


@pytest.mark.nightly
@pytest.mark.long(20)
def test_what_braze_refused_is_given_again_by_its_own_identifier(exchange):
    """``retry`` finds the same people, whatever names them, also once the job names others."""
    exchange.configure(crm=job([ALIAS, {"email": "mail"}], {"visits": SUM}))
    errors = [{"type": "not today", "input_array": "attributes", "index": n} for n in (0, 1)]
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": errors}, times=9)
    exchange.drop("inbox/1.csv", "number,mail,visits\n7,,1\n,ada@example.com,2\n")
    report = exchange.ask("run", "crm", code=4)
    assert ["alias crm 7", "email ada@example.com"] == [
        row["profile"] for row in exchange.quarantined(report)
    ]
    assert [] == exchange.braze.profiles()

    exchange.braze.clear_faults()
    exchange.configure(crm=job({"external_id": "id"}, {"visits": SUM}))
    again = exchange.ask("retry", str(report["seq"]))

    assert 2 == again["rows_applied"]
    assert [1, 2] == sorted(one["custom_attributes"]["visits"] for one in exchange.braze.profiles())
    assert 2 == visits(exchange, email="ada@example.com")


@pytest.mark.long(20)
def test_what_others_changed_is_seen_whatever_names_a_profile(exchange):
    """``drift`` compares by the identifier that the values were sent under."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.configure(crm=job([ALIAS, {"email": "mail"}], {"tier": TIER}))
    exchange.drop("inbox/1.csv", "number,mail,tier\n7,,gold\n,ada@example.com,gold\n8,,gold\n")
    exchange.ask("run", "crm")
    seven = {"user_alias": {"alias_label": "crm", "alias_name": "7"}}
    track(exchange.braze, seven | {"tier": "red"}, {"email": "ada@example.com", "tier": "blue"})

    drifted = exchange.ask("drift", "crm")

    [tier] = drifted["fields"]
    assert (1, 2) == (tier["equal"], tier["changed"])
    assert ["alias crm 7", "email ada@example.com"] == sorted(one[0] for one in tier["examples"])


@pytest.mark.nightly
@pytest.mark.long(20)
def test_an_external_id_does_not_become_a_second_profile_of_an_address(exchange):
    """
    As far as is known here, such a row is rejected before anything is sent, and ``plan`` tells it.

    Once the profile has the external id, ``retry`` gives the row, and later files just go on.
    """
    exchange.braze.seed([{"external_id": "c1", "email": "has@example.com"}])
    signups = job({"email": "mail"}, {"visits": SUM}, source={"prefix": "signups/"})
    fields = {"email": {"from": "mail"}, "tier": TIER}
    crm = job({"external_id": "id"}, fields, source={"prefix": "crm/"})
    exchange.configure(signups=signups, crm=crm)
    exchange.drop("signups/1.csv", "mail,visits\nAda@example.com,1\nhas@example.com,1\n")
    exchange.ask("run", "signups")
    looked = exchange.braze.requests(LOOKUP)
    exchange.drop(
        "crm/1.csv",
        "id,mail,tier\nc7,ADA@example.com,gold\nc8,has@example.com,gold\nc9,new@example.com,gold\n",
    )

    planned = exchange.ask("plan", "crm")
    report = exchange.ask("run", "crm", code=4)

    assert ["would_duplicate"] == [row["reason"] for row in planned["rejected"]]
    [row] = exchange.quarantined(report)
    assert ("would_duplicate", "c7", "ada@example.com") == (
        row["reason"],
        row["profile"],
        row["value"],
    )
    assert {"c1", "c8", "c9"} == set(exchange.braze.users())
    assert looked == exchange.braze.requests(LOOKUP)

    told = [{"external_id": "c7", "email": "ada@example.com"}]
    identify = {"emails_to_identify": [told[0] | {"prioritization": ["unidentified"]}]}
    assert 201 == post(exchange.braze, "/users/identify", identify)[0]
    again = exchange.ask("retry", str(report["seq"]))
    assert 1 == again["rows_applied"]
    assert '"gold"' == exchange.attribute("c7", "tier")
    exchange.drop("crm/2.csv", "id,mail,tier\nc7,ADA@example.com,blue\n")
    assert 1 == exchange.ask("run", "crm")["rows_applied"]


def test_events_find_their_people_by_every_identifier(exchange):
    """An alias of which there is no profile gets one, as it does by attributes."""
    exchange.braze.seed([{"external_id": "a", "email": "Ada@example.com"}])
    match = [{"external_id": "id"}, ALIAS, {"email": "mail"}]
    exchange.configure(
        bought=import_job(
            object="events",
            event={"name": "Bought", "time": "at"},
            match=match,
            on_ambiguous="most_recent",
        )
    )
    at = "2026-09-15T08:30:00Z"
    exchange.drop(
        "inbox/1.csv",
        f"id,number,mail,at\na,,,{at}\n,7,,{at}\n,,ADA@example.com,{at}\n,,nobody,{at}\n",
    )
    report = exchange.ask("run", "bought", code=4)

    assert (3, 1) == (report["rows_applied"], report["rows_rejected"])
    counts = [
        (one.get("external_id"), [event["count"] for event in one.get("custom_events") or ()])
        for one in exchange.braze.profiles()
    ]
    assert [("a", [2]), (None, [1])] == counts


@pytest.mark.nightly
def test_a_person_is_forgotten_under_the_identifier_that_is_named(exchange):
    """The address is written as anybody writes it; the same text may be somebody else's id."""
    exchange.configure(crm=job([{"external_id": "id"}, {"email": "mail"}], {"visits": SUM}))
    exchange.drop("inbox/1.csv", "id,mail,visits\n,Ada@example.com,1\nada@example.com,,2\n")
    exchange.ask("run", "crm")

    told = exchange.ask("forget", "ADA@example.com", "--by", "email", "--yes")
    [found] = told["connections"]
    [left] = exchange.ask("forget", "ada@example.com")["connections"]
    assert found["touched"] == left["touched"]
    assert min(found["touched"][kind] for kind in ("held values", "planned changes")) > 0
    [gone] = exchange.ask("forget", "ada@example.com", "--by", "email")["connections"]
    assert 0 == sum(gone["touched"].values())
    assert 2 == exchange.call("forget", "ada", "--by", "email").returncode
