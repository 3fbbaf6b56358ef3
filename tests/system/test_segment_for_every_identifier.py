"""The segment of a baseline tells of people by whatever names them, as look-ups would."""

from __future__ import annotations

import os

import pytest
from support.jobs import import_job
from support.sandbox_calls import post, track

LOOKUP, SEGMENT_EXPORT = "/users/export/ids", "/users/export/segment"
SEGMENT = {
    "segment": "Everybody",
    "complete": True,
    "completion": {"poll": "1s", "quiet": "1s"},
}
MATCH = [
    {"external_id": "id"},
    {"email": "mail"},
    {"alias": {"name": "number", "label": "crm"}},
    {"phone": "tel"},
    {"braze_id": "own"},
]
FIELDS = {
    "visits": {"from": "visits", "merge": "sum", "type": "integer"},
    "tier": {"from": "tier", "type": "string"},
}
COUNTS = (
    "rows_read", "rows_applied", "rows_rejected", "rows_skipped", "rows_unchanged",
    "profiles_named", "profiles_new", "profiles_updated", "fields_changed", "data_points",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_is_read_back(exchange):
    exchange.connection["braze"]["grace"] = "1h"


def people_of_every_kind(braze):
    """Seed people who have an external id, and such who have only an address, alias or number."""
    braze.reset()
    braze.add_segment("Everybody")
    braze.seed([
        {"external_id": "ada", "email": "Ada@Example.com", "visits": 5, "tier": "gold"},
        {"external_id": "bo", "phone": "+49 170 1234567", "visits": 6},
        {"external_id": "twin1", "email": "twin@example.com", "visits": 1},
        {"external_id": "twin2", "email": "TWIN@example.com", "visits": 1},
        {"external_id": "pair1", "phone": "+49 170 1111111", "visits": 1},
        {"external_id": "pair2", "phone": "+491701111111", "visits": 1},
        {"external_id": "cy", "visits": 7},
    ])  # fmt: skip
    crm = {"alias_label": "crm"}
    alias = {**crm, "alias_name": "3", "external_id": "ada"}
    assert 201 == post(braze, "/users/alias/new", {"user_aliases": [alias]})[0]
    seven = {"user_alias": {**crm, "alias_name": "7"}, "_update_existing_only": False}
    track(braze, seven | {"visits": 8}, {"email": "lone@example.com", "visits": 9, "tier": "blue"})
    own = {one["external_id"]: one["braze_id"] for one in braze.profiles() if "external_id" in one}
    return own["cy"]


def rows(own):
    return (
        "id,mail,number,tel,own,visits,tier\n"
        "ada,,,,,1,gold\n"
        ",ADA@example.com,,,,1,gold\n"
        ",,3,,,1,gold\n"
        ",lone@example.com,,,,1,blue\n"
        ",twin@example.com,,,,1,gold\n"
        ",nobody@example.com,,,,1,gold\n"
        ",,7,,,1,gold\n"
        ",,8,,,1,gold\n"
        ",,,+491701234567,,1,gold\n"
        ",,,+491701111111,,1,gold\n"
        ",,,+491702222222,,1,gold\n"
        f",,,,{own},1,gold\n"
        "new,,,,,1,gold\n"
    )


def outcome(exchange, baseline, *, create_missing, name):
    """Run a file against the same people, from nothing: what was sent and became."""
    own = people_of_every_kind(exchange.braze)
    exchange.bucket.delete([item.key for item in exchange.bucket.list("")])
    exchange.configure(
        crm=import_job(
            source={"prefix": f"{name}/"},
            match=MATCH,
            fields=FIELDS,
            baseline=baseline,
            create_missing=create_missing,
        )
    )
    exchange.drop(f"{name}/1.csv", rows(own))
    report = exchange.ask("run", "crm", code=4)
    there = [
        {key: value for key, value in one.items() if key in {"external_id", "email", "phone",
         "user_aliases", "custom_attributes"}}
        for one in exchange.braze.profiles()
    ]  # fmt: skip
    sent = [
        {key: value for key, value in one.items() if key != "braze_id"}
        for body in exchange.braze.bodies("/users/track")
        for one in body.get("attributes", ())
    ]
    aside = sorted((row["reason"], row["profile"]) for row in exchange.quarantined(report))
    counts = {name: report[name] for name in COUNTS if name in report}
    return sorted(map(str, there)), sorted(map(str, sent)), aside, counts


@pytest.mark.long(20)
@pytest.mark.parametrize("create_missing", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_one_export_tells_what_look_ups_would_of_every_identifier(exchange, create_missing):
    """
    The same is sent, counted and put aside, also of an address that two have, and nobody is asked.
    """
    asked = outcome(exchange, "lookup", create_missing=create_missing, name="asked")
    told = outcome(exchange, SEGMENT, create_missing=create_missing, name="told")

    assert asked == told
    assert ["ambiguous_email", "ambiguous_phone"] == [reason for reason, _ in told[2]]
    new = 0 if create_missing else 1  # Who has an external id is asked for, fifty at a time.
    assert new == exchange.braze.requests(LOOKUP)


@pytest.mark.nightly
@pytest.mark.long(20)
def test_an_export_that_lacks_what_was_sent_since_does_not_tell_whose_an_address_is(exchange):
    """
    A run waits for an export in vain, and another creates somebody with an address of its file.

    The next run of the first asks for the export anew, and sums build on what that person has.
    """
    exchange.connection["braze"]["grace"] = "1s"
    exchange.braze.add_segment("Everybody")
    exchange.braze.seed([{"external_id": "old", "email": "old@example.com", "visits": 1}])
    exchange.braze.change(seconds_per_file=30)
    completion = {"poll": "1s", "quiet": "1s", "timeout": "2s", "confirm": False}
    mails = import_job(
        source={"prefix": "mails/"},
        match=[{"email": "mail"}],
        fields={"visits": FIELDS["visits"]},
        baseline={**SEGMENT, "completion": completion},
    )
    fields = {"email": {"from": "mail"}, "visits": {"from": "visits", "type": "integer"}}
    crm = import_job(source={"prefix": "crm/"}, fields=fields)
    exchange.configure(mails=mails, crm=crm)
    exchange.drop("mails/1.csv", "mail,visits\nada@example.com,1\nold@example.com,1\n")
    assert 0 != exchange.call("run", "mails").returncode
    exchange.drop("crm/1.csv", "id,mail,visits\nada,ada@example.com,10\n")
    exchange.ask("run", "crm")
    exchange.braze.advance(60)
    exchange.braze.change(seconds_per_file=0)

    exchange.ask("run", "mails")

    assert {"ada": 11, "old": 2} == {
        one["external_id"]: one["custom_attributes"]["visits"] for one in exchange.braze.profiles()
    }
    assert 2 == exchange.braze.requests(SEGMENT_EXPORT)


@pytest.mark.nightly
def test_a_segment_of_some_tells_of_their_aliases_and_others_are_looked_up(exchange):
    """An alias belongs to one person at most, so who has it is certain; absence tells nothing."""
    some = [{"attribute": "tier", "equals": "gold"}]
    exchange.braze.add_segment("Some", where=some)
    for name, tier in (("7", "gold"), ("9", "blue")):
        alias = {"alias_label": "crm", "alias_name": name}
        person = {"user_alias": alias, "_update_existing_only": False, "visits": 5, "tier": tier}
        assert 201 == track(exchange.braze, person)[0]
    baseline = {"segment": "Some", "completion": SEGMENT["completion"]}
    fields = {"visits": FIELDS["visits"]}
    exchange.configure(crm=import_job(match=[MATCH[2]], fields=fields, baseline=baseline))
    exchange.drop("inbox/1.csv", "number,visits\n7,1\n9,2\n8,4\n")

    exchange.ask("run", "crm")

    assert {"7": 6, "9": 7, "8": 4} == {
        one["user_aliases"][0]["alias_name"]: one["custom_attributes"]["visits"]
        for one in exchange.braze.profiles()
    }
    asked = [one for body in exchange.braze.bodies(LOOKUP) for one in body["user_aliases"]]
    assert {"8", "9"} == {alias["alias_name"] for alias in asked}


@pytest.mark.nightly
@pytest.mark.long(20)
def test_what_is_given_again_by_another_identifier_is_looked_up(exchange):
    """The export lacks what the job no longer names people by, so it tells nothing of that."""
    exchange.connection["braze"]["grace"] = "1s"
    exchange.braze.add_segment("Everybody")
    track(exchange.braze, {"email": "ada@example.com", "visits": 5})
    fields = {"visits": FIELDS["visits"]}
    exchange.configure(crm=import_job(match=[MATCH[1]], fields=fields))
    errors = [{"type": "not today", "input_array": "attributes", "index": 0}]
    exchange.braze.faults("/users/track", status=400, body={"message": "no", "errors": errors})
    exchange.drop("inbox/1.csv", "mail,visits\nada@example.com,1\nnew@example.com,1\n")
    report = exchange.ask("run", "crm", code=4)
    exchange.braze.clear_faults()
    exchange.configure(crm=import_job(match=[MATCH[2]], fields=fields, baseline=SEGMENT))
    exchange.bucket.delete([one.key for one in exchange.bucket.list("") if "/held/" in one.key])

    exchange.ask("retry", str(report["seq"]))

    [ada] = [one for one in exchange.braze.profiles() if one["email"] == "ada@example.com"]
    assert 6 == ada["custom_attributes"]["visits"]


@pytest.mark.parametrize(
    "verbs", [["run"], pytest.param(["run", "rebuild"], marks=pytest.mark.nightly)]
)
def test_one_core_is_enough_to_learn_from_a_segment(exchange, verbs):
    """Nothing waits for a thread that is busy writing, of which there is only one then."""
    exchange.braze.add_segment("Everybody")
    exchange.braze.seed([{"external_id": "ada", "email": "ada@example.com", "visits": 5}])
    match = [{"external_id": "id"}, {"email": "mail"}]
    exchange.configure(crm=import_job(match=match, fields=FIELDS, baseline=SEGMENT))
    exchange.drop("inbox/1.csv", "id,mail,visits,tier\n,Ada@example.com,1,\n")
    cores = os.sched_getaffinity(0)
    for verb in verbs:
        os.sched_setaffinity(0, {min(cores)})
        process = exchange.start_cold(verb, "crm")
        os.sched_setaffinity(0, cores)
        _, said = process.communicate(timeout=60)
        assert 0 == process.returncode, said
    assert [6] == [one["custom_attributes"]["visits"] for one in exchange.braze.profiles()]
