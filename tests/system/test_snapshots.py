"""Jobs whose newest file is the whole truth: who left, and what becomes of them."""

from __future__ import annotations

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/", "mode": "snapshot"},
    "match": [{"external_id": "id"}],
    "fields": {
        "tier": {"from": "tier", "type": "string"},
        "age": {"from": "age", "type": "integer"},
    },
}


def rows(*who, tier="gold", age="30"):
    return "id,tier,age\n" + "".join(f"{one},{tier},{age}\n" for one in who)


def test_who_is_missing_in_a_snapshot_is_told_against_the_one_before(exchange):
    """
    The first file is where it begins. Whoever is named is there, also by a row that is rejected.

    Of several new files the newest counts alone, and one without rows says nothing.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", rows(*"abcdefgh"))
    first = exchange.ask("run", "crm")
    assert (0, 0) == (first["leavers"], first["members_before"])
    assert [note for note in first["notes"] if "first snapshot" in note]

    exchange.drop("inbox/2.csv", rows("x"))
    exchange.drop("inbox/3.csv", rows(*"abcdefg", "i").replace("b,gold,30", "b,gold,old"))
    planned = exchange.ask("plan", "crm")["report"]
    second = exchange.ask("run", "crm", code=4)
    for report in (planned, second):
        assert (1, 8) == (report["leavers"], report["members_before"])
        assert "Missing in the newest file: 1 of 8 people whom this job had." in report["notes"]
    # Alone in a new file, the rejected row would say that all others left.
    shown = exchange.call("files", "inbox/3.csv").stdout
    assert ["new file" in said for said in ("".join(second["notes"]), shown)] == [False, False]
    assert "drop the whole file again" in shown
    assert any("Never drop these rows alone" in note for note in second["notes"])
    assert ["superseded", "applied"] == sorted(
        (f["outcome"] for f in second["files"]), reverse=True
    )
    assert '"gold"' == exchange.attribute("h", "tier")

    refused = exchange.call("undo", str(second["seq"]), "--yes")
    assert (2, True) == (refused.returncode, "says whom its job has" in refused.stderr)
    assert 2 == exchange.ask("forget", "h")["connections"][0]["touched"]["members"]
    exchange.ask("forget", "h", "--yes")
    assert 0 == exchange.ask("forget", "h")["connections"][0]["touched"]["members"]
    exchange.configure(crm=JOB | {"guards": {"empty_file": "ignore"}})
    exchange.drop("inbox/4.csv", rows())
    assert 0 == exchange.ask("run", "crm")["leavers"]
    exchange.drop("inbox/5.csv", rows(*"abcdefgi"))
    third = exchange.ask("run", "crm")
    assert (0, 8) == (third["leavers"], third["members_before"])


@pytest.mark.nightly
def test_a_folder_of_changes_takes_nobody_away(exchange):
    """
    A file that lacks almost everybody waits, with the numbers, and so does an empty one.

    Once a newer snapshot was applied, approving an older one drops it.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", rows(*"abcdefgh"))
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", rows("a", "z", tier="iron"))
    waits = exchange.ask("run", "crm", code=5)
    told = (
        "Missing in the newest file: 7 of 8 people whom this job had (87.5 %); 20 % may be "
        "(max_leavers_percent)."
    )
    assert told in waits["notes"]
    exchange.drop("inbox/3.csv", rows())
    assert "inbox/3.csv has no rows" in " ".join(exchange.ask("run", "crm", code=5)["notes"])
    assert '"gold"' == exchange.attribute("a", "tier")
    assert "z" not in exchange.braze.users()

    exchange.drop("inbox/4.csv", rows(*"abcdefg"))
    assert 1 == exchange.ask("run", "crm")["leavers"]
    assert "discarded" == exchange.ask("approve", "2")["state"]
    assert '"gold"' == exchange.attribute("a", "tier")
    exchange.drop("inbox/5.csv", rows("a"))
    exchange.ask("run", "crm", code=5)
    assert 6 == exchange.ask("approve", "5")["leavers"]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]


def left(**removal):
    """A job, one of whose people left, and whatever becomes of them."""
    source = JOB["source"] | {"on_removed": removal.pop("on_removed")}
    return JOB | {"source": source, "guards": {"max_leavers_percent": 60}, **removal}


@pytest.mark.nightly
def test_fields_are_cleared_of_people_who_left_and_of_nobody_else(exchange):
    """
    Whoever left loses what the job gave, consent aside; people whom it never had are not touched.

    It is a run of its own, whose rows are these people; a plan says so before.
    """
    fields = JOB["fields"] | {"source": {"value": "crm"}, "email_subscribe": {"from": "mail"}}
    exchange.configure(crm=left(on_removed="clear_fields", fields=fields))
    exchange.braze.seed([{"external_id": "z", "tier": "old"}])
    head = "id,tier,age,mail\n"
    people = {name: f"{name},gold,30,subscribed\n" for name in "abc"}
    exchange.drop("inbox/1.csv", head + "".join(people.values()))
    assert "succeeded" == exchange.ask("run", "crm")["state"]

    exchange.drop("inbox/2.csv", head + people["a"] + people["b"])
    planned = exchange.ask("plan", "crm")["report"]
    cleared = "The fields of this job are cleared of people who are missing: 1."
    assert (1, 3) == (planned["leavers"], planned["data_points"])
    assert cleared in planned["notes"]
    done = exchange.ask("run", "crm")
    assert ("succeeded", 1, 3) == (done["state"], done["leavers"], done["rows_read"])
    assert (3, 1) == (done["data_points"], done["profiles_updated"])
    gone = exchange.braze.users()["c"]
    assert {} == gone.get("custom_attributes", {})
    assert "subscribed" == gone["email_subscribe"]
    assert '"old"' == exchange.attribute("z", "tier")
    assert ['"gold"', '"gold"'] == [exchange.attribute(who, "tier") for who in "ab"]

    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    exchange.drop("inbox/3.csv", head + people["a"] + people["b"])
    assert 0 == exchange.ask("run", "crm")["leavers"]
    exchange.drop("inbox/4.csv", head + "".join(people.values()))
    exchange.ask("run", "crm")
    assert '"gold"' == exchange.attribute("c", "tier")


@pytest.mark.nightly
def test_people_who_left_get_an_event_once(exchange):
    """Each once for each snapshot in which they are missing; what is in doubt waits for retry."""
    exchange.connection["braze"]["give_up"] = "1s"
    exchange.configure(crm=left(on_removed={"event": "Left the club"}))
    exchange.drop("inbox/1.csv", rows(*"abcd"))
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", rows(*"abc"))
    assert 1 == exchange.ask("run", "crm")["leavers"]
    exchange.drop("inbox/3.csv", rows(*"abd"))
    exchange.braze.faults("/users/track", status=500, times=1)
    lost = exchange.ask("run", "crm", code=4)
    assert (1, 1) == (lost["leavers"], lost["rows_in_doubt"])
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert 1 == exchange.ask("retry", str(lost["seq"]))["rows_applied"]
    told = {who: user.get("custom_events", []) for who, user in exchange.braze.users().items()}
    counts = {who: {event["name"]: event["count"] for event in each} for who, each in told.items()}
    assert {"a": {}, "b": {}, "c": {"Left the club": 1}, "d": {"Left the club": 1}} == counts


@pytest.mark.nightly
def test_people_who_left_are_deleted_only_where_that_was_confirmed_and_is_sure(exchange):
    """
    By itself none, until a person has approved; and none where a row of the file names nobody.
    """
    exchange.configure(crm=left(on_removed="delete", confirm_deletes=True))
    exchange.drop("inbox/1.csv", rows(*"abcd"))
    exchange.ask("run", "crm")
    exchange.drop("inbox/2.csv", rows(*"abc", "null"))
    unsure = exchange.ask("run", "crm", code=4)
    assert (0, 4) == (unsure["leavers"], unsure["members_before"])
    assert [note for note in unsure["notes"] if note.startswith("Nobody is deleted")]

    exchange.drop("inbox/3.csv", rows(*"abc"))
    waits = exchange.ask("run", "crm", code=5)
    assert "It would delete 1 profile for good, and max_deletes is 0." in waits["notes"]
    assert set("abcd") == {*exchange.braze.users()}
    done = exchange.ask("approve", str(waits["seq"]))
    assert ("succeeded", 1, 4) == (done["state"], done["leavers"], done["rows_read"])
    assert set("abc") == {*exchange.braze.users()}


@pytest.mark.nightly
def test_somebody_who_has_another_id_by_now_has_not_left(exchange):
    """Who was renamed is in the file by the new id, and their old one, which Braze goes on to take,
    is nobody who left.
    """
    renames = {
        "type": "import",
        "object": "renames",
        "source": {"prefix": "renames/"},
        "rename": {"from": "old", "to": "new"},
    }
    club = left(on_removed="clear_fields", match=[{"external_id": "id"}, {"email": "mail"}])
    exchange.configure(club=club, renames=renames)
    head = "id,mail,tier,age\n"
    exchange.drop("inbox/1.csv", f"{head}a,,gold,3\nb,,gold,3\n,c@x.org,gold,3\nd,,gold,3\n")
    assert "succeeded" == exchange.ask("run", "club")["state"]
    exchange.drop("renames/1.csv", "old,new\nb,b2\n")
    assert "succeeded" == exchange.ask("run", "renames")["state"]

    exchange.drop("inbox/2.csv", f"{head}a,,gold,3\nb2,,gold,3\n,C@X.org,gold,3\n")
    done = exchange.ask("run", "club")
    assert (1, 4) == (done["leavers"], done["members_before"])
    assert ['"gold"', '"gold"'] == [exchange.attribute(who, "tier") for who in ("a", "b2")]
    assert exchange.attribute("d", "tier") is None
