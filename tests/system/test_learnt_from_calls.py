"""Who somebody is, as our own calls have made it: no value is lost or counted twice after one."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import track

SUM = {"from": "visits", "merge": "sum", "type": "integer"}
TIER = {"type": "string"}
NUMBER = {"alias": {"name": "number", "label": "crm"}}
ALIAS = {"alias_label": "crm", "alias_name": "1"}
BOTH = [NUMBER, {"email": "mail"}]


def values(name, match):
    """Return a job of tiers, and one of visits."""
    return {
        name: import_job(fields={"tier": TIER}, source={"prefix": f"{name}/"}, match=[match]),
        f"{name}_sums": import_job(
            fields={"visits": SUM}, source={"prefix": f"{name}_sums/"}, match=[match]
        ),
    }


def call(name, **more):
    return {"type": "import", "object": name, "source": {"prefix": f"{name}/"}} | more


@pytest.fixture
def office(exchange):
    """Jobs of values by id, number and address, and of calls about people."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.configure(
        **values("ids", {"external_id": "id"}),
        **values("numbers", NUMBER),
        **values("mails", {"email": "mail"}),
        identify=call(
            "identify",
            match=BOTH,
            identify={"external_id": "id", "prioritization": ["unidentified"]},
        ),
        merges=call(
            "merges", merge={"keep": {"external_id": "new"}, "drop": {"external_id": "old"}}
        ),
        renames=call("renames", rename={"from": "old", "to": "new"}),
        aliases=call(
            "aliases", match=[{"external_id": "id"}], alias={"name": "number", "label": "crm"}
        ),
        deletions=call("deletions", match=BOTH, confirm_deletes=True, guards={"max_deletes": 9}),
    )
    return exchange


def give(office, job, *lines):
    """Drop a file of a job and run it; look-ups that it took."""
    before = len(office.braze.bodies("/users/export/ids"))
    files = give.files = getattr(give, "files", 0) + 1
    office.drop(f"{job}/{files:03d}.csv", "\n".join((*lines, "")))
    report = office.ask("run", job)
    assert not report["rows_rejected"], office.quarantined(report)
    return len(office.braze.bodies("/users/export/ids")) - before


def unidentified(office, **more):
    """Let somebody be in Braze who has an alias, and no id."""
    track(office.braze, {"user_alias": ALIAS, "_update_existing_only": False} | more)


def everybody(office, name):
    """Name everybody by external id, with an attribute."""
    return {
        one.get("external_id"): one.get("custom_attributes", {}).get(name)
        for one in office.braze.profiles()
    }


def last_word(office, who):
    """Let a person be named by id, by number and by id again; the last one counts."""
    give(office, "ids", "id,tier", f"{who},gold")
    looked_up = give(office, "numbers", "number,tier", "1,silver")
    give(office, "ids", "id,tier", f"{who},gold")
    assert "gold" == everybody(office, "tier")[who]
    return looked_up


@pytest.mark.nightly
def test_other_keys_of_an_identified_person_mean_them(office):
    """An address was known to belong to nobody with an id: sums by it go on from theirs."""
    unidentified(office, email="m@example.com")
    give(office, "mails_sums", "mail,visits", "m@example.com,5")
    give(office, "identify", "number,mail,id", "1,,a")
    give(office, "ids_sums", "id,visits", "a,1")
    give(office, "mails_sums", "mail,visits", "M@example.com,1")
    assert {"a": 7} == everybody(office, "visits")


@pytest.mark.nightly
def test_an_alias_that_we_never_wrote_means_whom_we_identified(office):
    """From the call on, without a look-up: a row by id and one by alias are of one person."""
    unidentified(office)
    give(office, "identify", "number,mail,id", "1,,a")
    assert 0 == last_word(office, "a")


@pytest.mark.nightly
def test_an_alias_of_who_was_merged_away_means_whom_they_became(office):
    """It is looked up once, also where a field is only set."""
    track(office.braze, {"external_id": "x"}, {"external_id": "y"})
    give(office, "aliases", "id,number", "x,1")
    give(office, "numbers_sums", "number,visits", "1,5")
    give(office, "merges", "old,new", "x,y")
    assert 1 == last_word(office, "y")
    give(office, "ids_sums", "id,visits", "y,1")
    give(office, "numbers_sums", "number,visits", "1,1")
    assert {"y": 7} == everybody(office, "visits")


@pytest.mark.nightly
def test_an_alias_of_who_was_merged_into_goes_on_to_mean_them(office):
    """Without a look-up: they lose no name by it."""
    track(office.braze, {"external_id": "x"}, {"external_id": "y"})
    give(office, "aliases", "id,number", "y,1")
    give(office, "merges", "old,new", "x,y")
    assert 0 == last_word(office, "y")


@pytest.mark.nightly
def test_an_alias_that_is_given_to_an_old_id_means_whom_has_the_new_one(office):
    """Braze takes the old id for the same person."""
    track(office.braze, {"external_id": "o"})
    give(office, "renames", "old,new", "o,a")
    give(office, "aliases", "id,number", "o,1")
    assert 0 == last_word(office, "a")


@pytest.mark.nightly
def test_other_keys_of_who_was_deleted_mean_nobody(office):
    """Who comes by the same address afterwards begins with nothing."""
    unidentified(office, email="m@example.com")
    give(office, "mails_sums", "mail,visits", "m@example.com,5")
    give(office, "deletions", "number,mail", "1,")
    give(office, "mails_sums", "mail,visits", "m@example.com,1")
    assert {None: 1} == everybody(office, "visits")


@pytest.mark.nightly
def test_who_is_identified_by_an_address_is_known_by_their_alias(office):
    """Sums by alias, of somebody who had no id, go on from those of the id."""
    unidentified(office, email="m@example.com")
    give(office, "numbers_sums", "number,visits", "1,5")
    give(office, "identify", "number,mail,id", ",m@example.com,a")
    give(office, "ids_sums", "id,visits", "a,1")
    give(office, "numbers_sums", "number,visits", "1,1")
    assert {"a": 7} == everybody(office, "visits")
    last_word(office, "a")
