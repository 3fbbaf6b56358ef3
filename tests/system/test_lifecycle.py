"""People as such: renamed, given further names, merged, identified, deleted."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import post, track

SUM = {"from": "visits", "merge": "sum", "type": "integer"}
CRM = import_job(fields={"visits": SUM}, source={"prefix": "crm/"})


def job(name, **more):
    return {"type": "import", "object": name, "source": {"prefix": f"{name}/"}} | more


def people(exchange):
    """Name everybody that Braze has by external id, with their visits."""
    return {
        one.get("external_id"): one.get("custom_attributes", {}).get("visits")
        for one in exchange.braze.profiles()
    }


def counts(report):
    names = ("read", "applied", "unchanged", "rejected", "refused")
    return tuple(report[f"rows_{name}"] for name in names)


def reasons(exchange, report):
    return {row["profile"]: row["message"] for row in exchange.quarantined(report)}


@pytest.mark.nightly
def test_a_renamed_person_keeps_what_is_held_of_them(exchange):
    """
    Sums go on under the new id without a look-up, and a rename that cannot be is told before.

    With remove_old the old id ends, also of who was renamed before.
    """
    exchange.configure(
        crm=CRM,
        renames=job("renames", rename={"from": "old", "to": "new"}),
        good=job("good", object="renames", rename={"from": "old", "to": "new", "remove_old": True}),
    )
    exchange.drop("crm/1.csv", "id,visits\na,1\nb,2\nc,3\nd,4\n")
    exchange.ask("run", "crm")
    rows = "old,new\na,a2\nb,c\nnobody,x\nd,\nd,d\na,a3\n"
    exchange.drop("renames/1.csv", rows)

    report = exchange.ask("run", "renames", code=4)

    assert (6, 1, 0, 5, 0) == counts(report)
    assert {"a2": 1, "b": 2, "c": 3, "d": 4} == people(exchange)
    told = reasons(exchange, report)
    assert "c belongs to another profile already" in told["b"]
    assert "nobody has the identifier nobody" in told["nobody"]
    assert "an earlier row of the same run says otherwise of a" in told["a"]
    exchange.drop("good/1.csv", "old,new\na,a2\nb,b2\n")
    assert (2, 2, 0, 0, 0) == counts(exchange.ask("run", "good"))
    touched = exchange.ask("forget", "b2")["connections"][0]["touched"]
    assert 5 == touched["planned changes"], "the rename names its new id, others the old one"
    found = {"external_ids": ["a", "b", "b2"], "fields_to_export": ["external_id"]}
    assert ["a", "b"] == post(exchange.braze, "/users/export/ids", found)[1]["invalid_user_ids"]
    asked = exchange.braze.bodies("/users/export/ids")
    exchange.drop("crm/2.csv", "id,visits\na2,1\nb2,1\n")
    exchange.ask("run", "crm")
    assert {"a2": 2, "b2": 3, "c": 3, "d": 4} == people(exchange)
    since = exchange.braze.bodies("/users/export/ids")[len(asked) :]
    assert not [body for body in since if {"a2", "b2"} & {*body["external_ids"]}]


@pytest.mark.nightly
def test_a_new_name_means_its_person(exchange):
    """
    Rows named by the alias fold into what is held of the person, without a look-up.

    A name that is taken is told; one that somebody has already is unchanged; another one takes
    its place.
    """
    alias = {"name": "number", "label": "crm", "replaces": "before"}
    exchange.braze.seed([{"external_id": "b", "visits": 2}])
    exchange.configure(
        crm=CRM,
        links=job("aliases", match=[{"external_id": "id"}], alias=alias),
        by_number=import_job(
            fields={"visits": SUM},
            source={"prefix": "numbers/"},
            match=[{"alias": {"name": "number", "label": "crm"}}],
        ),
    )
    exchange.drop("crm/1.csv", "id,visits\na,1\n")
    exchange.ask("run", "crm")
    exchange.drop("aliases/1.csv", "id,number,before\na,1,\nb,2,\nb,2,\nx,3,\n")

    report = exchange.ask("run", "links", code=4)

    assert (4, 3, 0, 1, 0) == counts(report)
    assert "nobody has the identifier x" in reasons(exchange, report)["x"]
    exchange.drop("aliases/2.csv", "id,number,before\na,1,\na,5,1\nb,1,2\n")
    report = exchange.ask("run", "links", code=4)
    assert (3, 1, 1, 1, 0) == counts(report)
    assert "alias crm 1 belongs to another profile" in reasons(exchange, report)["b"]
    exchange.drop("numbers/1.csv", "number,visits\n5,1\n2,1\n")
    exchange.ask("run", "by_number")
    assert {"a": 2, "b": 3} == people(exchange)


@pytest.mark.nightly
def test_merged_people_are_looked_at_anew(exchange):
    """
    What is held of either side is unknown afterwards, so sums go on from what Braze then has.

    A merge that Braze takes and does not do is told.
    """
    exchange.configure(
        crm=CRM,
        merges=job(
            "merges", merge={"keep": {"external_id": "new"}, "drop": {"external_id": "old"}}
        ),
    )
    exchange.drop("crm/1.csv", "id,visits\na,1\nb,2\nc,3\nd,4\n")
    exchange.ask("run", "crm")
    exchange.braze.seed([{"external_id": "e"}])
    exchange.braze.mark("c", "control_group")
    exchange.drop("merges/1.csv", "old,new\na,e\nc,d\ngone,d\n")

    report = exchange.ask("run", "merges", code=4)

    assert (3, 1, 1, 0, 1) == counts(report)
    assert {"e": 1, "b": 2, "c": 3, "d": 4} == people(exchange)
    assert [(2, "no_effect")] == exchange.rejected(report)
    assert (1, 0, 0, 0, 1) == counts(exchange.ask("retry", str(report["seq"]), code=4))
    exchange.drop("crm/2.csv", "id,visits\na,1\ne,1\n")
    exchange.ask("run", "crm")
    assert {"a": 1, "e": 2, "b": 2, "c": 3, "d": 4} == people(exchange)


@pytest.mark.nightly
def test_who_is_identified_is_one_with_whom_has_the_id(exchange):
    """
    An alias means its person afterwards; what is held of them is looked up anew.

    An answer that was lost is no doubt where a look shows that it was done, and nothing is sent
    by an e-mail address twice.
    """
    number = {"alias": {"name": "number", "label": "crm"}}
    exchange.configure(
        crm=import_job(fields={"visits": SUM}, source={"prefix": "crm/"}, match=[number]),
        people=job(
            "identify",
            match=[number, {"email": "mail"}],
            identify={"external_id": "id", "prioritization": ["unidentified"]},
        ),
    )
    exchange.braze.seed([{"external_id": "a", "visits": 1}])
    track(exchange.braze, {"email": "m@example.com"})
    exchange.drop("crm/1.csv", "number,visits\n1,5\n2,5\n")
    exchange.ask("run", "crm")
    exchange.braze.faults("/users/identify", status=500, applied=True, times=3)
    exchange.drop(
        "identify/1.csv",
        "number,mail,id\n1,,a\n2,,b\n,m@example.com,c\n9,,d\n",
    )

    report = exchange.ask("run", "people", code=4)

    assert (4, 3, 0, 1, 0) == counts(report)
    assert {"a": 1, "b": 5, "c": None} == people(exchange)
    bodies = exchange.braze.bodies("/users/identify")
    assert 1 == len([body for body in bodies if "emails_to_identify" in body])
    exchange.drop("crm/2.csv", "number,visits\n1,1\n2,1\n")
    exchange.ask("run", "crm")
    assert {"a": 2, "b": 6, "c": None} == people(exchange)


@pytest.mark.nightly
def test_deletions_wait_for_a_person_beyond_what_the_job_allows(exchange):
    """
    An e-mail address takes every profile that has it; nobody else goes, and a look shows it.

    More than max_deletes waits, and nothing of it is sent before it is approved. What comes again
    is somebody new, of whom nothing is known.
    """
    exchange.braze.seed(
        [{"external_id": name, "email": "twin@example.com", "visits": 5} for name in ("c", "d")]
    )
    exchange.configure(
        crm=CRM,
        erasures=job(
            "deletions",
            match=[{"external_id": "id"}, {"email": "mail"}],
            confirm_deletes=True,
            guards={"max_deletes": 2},
        ),
    )
    exchange.drop("crm/1.csv", "id,visits\na,1\nb,2\n")
    exchange.ask("run", "crm")
    exchange.drop("deletions/1.csv", "id,mail\na,\n,Twin@example.com\nc,\n")
    planned = exchange.ask("plan", "erasures")
    assert any("would delete 3 profiles" in note for note in planned["report"]["notes"])

    held = exchange.ask("run", "erasures", code=5)

    assert "held_back" == held["state"]
    assert any("max_deletes is 2" in note for note in held["notes"])
    assert {"a": 1, "b": 2, "c": 5, "d": 5} == people(exchange)
    exchange.braze.faults("/users/delete", status=500, applied=True, times=1)
    assert (3, 3, 0, 0, 0) == counts(exchange.ask("approve", str(held["seq"])))
    assert {"b": 2} == people(exchange)
    exchange.drop("deletions/2.csv", "id,mail\na,\nb,\n")
    assert (2, 1, 1, 0, 0) == counts(exchange.ask("run", "erasures"))
    exchange.drop("crm/2.csv", "id,visits\na,1\nc,1\n")
    exchange.ask("run", "crm")
    assert {"a": 1, "c": 1} == people(exchange)


@pytest.mark.nightly
def test_rows_that_name_a_renamed_person_by_the_old_id_are_theirs(exchange):
    """
    A sum of either id builds on the other, in one run and in later ones.

    Once the old id has ended, it is a new person's.
    """
    exchange.configure(
        crm=CRM,
        renames=job("renames", rename={"from": "old", "to": "new"}),
        good=job("good", object="renames", rename={"from": "old", "to": "new", "remove_old": True}),
    )
    exchange.drop("crm/1.csv", "id,visits\na,1\n")
    exchange.ask("run", "crm")
    exchange.drop("renames/1.csv", "old,new\na,a2\n")
    exchange.ask("run", "renames")

    exchange.drop("crm/2.csv", "id,visits\na2,10\na,100\n")
    assert 1 == exchange.ask("plan", "crm")["report"]["data_points"]
    exchange.ask("run", "crm")
    assert {"a2": 111} == people(exchange)
    exchange.drop("crm/3.csv", "id,visits\na,1000\n")
    exchange.ask("run", "crm")
    exchange.drop("crm/4.csv", "id,visits\na2,10000\n")
    exchange.ask("run", "crm")
    assert {"a2": 11111} == people(exchange)

    exchange.drop("good/1.csv", "old,new\na,a2\n")
    exchange.ask("run", "good")
    exchange.drop("crm/5.csv", "id,visits\na,5\na2,1\n")
    exchange.ask("run", "crm")
    assert {"a2": 11112, "a": 5} == people(exchange)
