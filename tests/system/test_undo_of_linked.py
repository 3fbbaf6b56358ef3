"""A run is taken back of people, whatever key a run named them by, then or since."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import post

TIER = {"from": "tier", "type": "string"}
SPENT = {"from": "spent", "merge": "sum", "type": "integer"}
JOB_OF = {
    "inbox": "crm",
    "number": "by_number",
    "learn": "learn",
    "renames": "renames",
    "mail": "mail",
    "identify": "identify",
}
"""The job that takes the files of a folder."""
ALIAS = {"alias": {"name": "number", "label": "crm"}}


@pytest.fixture
def crm(exchange):
    """Jobs by external id and by alias, of which c1 has one that nobody knows yet."""
    exchange.braze.seed([{"external_id": "c1", "tier": "gray"}])
    alias = {"alias_label": "crm", "alias_name": "7", "external_id": "c1"}
    assert 201 == post(exchange.braze, "/users/alias/new", {"user_aliases": [alias]})[0]
    exchange.configure(
        crm=import_job(fields={"tier": TIER, "spent": SPENT}),
        by_number=import_job(fields={"tier": TIER}, source={"prefix": "number/"}, match=[ALIAS]),
        learn=import_job(fields={"spent": SPENT}, source={"prefix": "learn/"}, match=[ALIAS]),
        renames={
            "type": "import",
            "object": "renames",
            "source": {"prefix": "renames/"},
            "rename": {"from": "old", "to": "new"},
        },
    )
    return exchange


def run(crm, key, rows, code=0):
    crm.drop(f"{key}.csv", rows)
    return crm.ask("run", JOB_OF[key.partition("/")[0]], code=code)


def stays(report):
    told = [fact for fact in report["facts"] if fact["code"] == "value_stays"]
    return [(fact["field"], fact["why"], fact["runs"]) for fact in told]


@pytest.mark.nightly
@pytest.mark.parametrize(
    "named_first", ["alias", pytest.param("external_id", marks=pytest.mark.nightly)]
)
def test_what_a_later_run_changed_by_another_key_stays(crm, named_first):
    """Once both keys are known to be one person, undo brings no older value back over a newer."""
    alias, own = ("number", "number,tier\n7,"), ("inbox", "id,spent,tier\nc1,,")
    first, other = (alias, own) if named_first == "alias" else (own, alias)

    def tier(by, name, value):
        folder, rows = by
        run(crm, f"{folder}/{name}", f"{rows}{value}\n")

    tier(first, 1, "silver")
    tier(first, 2, "gold")
    tier(other, 3, "blue")
    run(crm, "learn/1", "number,spent\n7,1\n")

    report = crm.ask("undo", "2", "--yes")

    assert ("nothing_to_do", [("tier", "later", [3])]) == (report["state"], stays(report))
    assert '"blue"' == crm.attribute("c1", "tier")


@pytest.mark.nightly
def test_what_goes_back_goes_to_the_person_by_the_id_that_they_have_now(crm):
    """After a rename the run's own part of a sum goes, and what is held of the new id says so."""
    run(crm, "inbox/1", "id,tier,spent\nc1,silver,5\n")
    run(crm, "inbox/2", "id,tier,spent\nc1,gold,10\n")
    run(crm, "renames/1", "old,new\nc1,n1\n")
    run(crm, "inbox/3", "id,tier,spent\nn1,blue,100\n")

    report = crm.ask("undo", "2", "--yes")

    assert [("tier", "later", [4])] == stays(report)
    assert ('"blue"', "105") == (crm.attribute("n1", "tier"), crm.attribute("n1", "spent"))
    run(crm, "inbox/4", "id,tier,spent\nn1,,1\n")
    assert "106" == crm.attribute("n1", "spent")
    assert [("spent", "done", [5])] == [
        told for told in stays(crm.ask("undo", "2", "--yes")) if told[0] == "spent"
    ]


@pytest.mark.nightly
def test_a_new_version_of_its_file_brings_all_that_it_gives_a_renamed_person(crm):
    """What was given by the old id and taken back by the new one counts for nothing."""
    run(crm, "inbox/1", "id,tier,spent\nc1,silver,5\n")
    run(crm, "renames/1", "old,new\nc1,n1\n")
    crm.ask("undo", "1", "--yes")
    assert None is crm.attribute("n1", "spent")
    crm.drop("inbox/1.csv", "id,tier,spent\nc1,,7\n")
    crm.ask("run", "crm", code=5)
    held = crm.ask("runs")[0]
    assert {"spent": "7"} == held["totals"]
    crm.ask("approve", str(held["seq"]))
    assert "7" == crm.attribute("n1", "spent")


@pytest.mark.nightly
def test_a_row_given_again_undoes_nothing_that_came_by_another_key(crm):
    """A retry leaves alone what a later run changed of the same person."""
    refusal = {"type": "no good", "input_array": "attributes", "index": 0}
    crm.braze.faults("/users/track", status=400, body={"message": "no", "errors": [refusal]})
    run(crm, "number/1", "number,tier\n7,silver\n", code=4)
    run(crm, "inbox/1", "id,spent,tier\nc1,,blue\n")
    run(crm, "learn/1", "number,spent\n7,1\n")

    assert 1 == crm.ask("retry", "1")["rows_superseded"]
    assert '"blue"' == crm.attribute("c1", "tier")


@pytest.mark.nightly
def test_what_became_uncertain_goes_back_once_it_is_known_who_is_meant(crm):
    """A look-up of this very undo may show it; what later runs did of them is seen from then on."""
    mail = [{"email": "mail"}]
    crm.connection["braze"]["grace"] = "0s"
    crm.configure(
        crm=import_job(fields={"tier": TIER}),
        mail=import_job(fields={"tier": TIER}, source={"prefix": "mail/"}, match=mail),
        identify={
            "type": "import",
            "object": "identify",
            "source": {"prefix": "identify/"},
            "match": mail,
            "identify": {"external_id": "id", "prioritization": ["unidentified"]},
        },
    )
    run(crm, "mail/1", "mail,tier\nm@example.com,silver\n")
    run(crm, "mail/2", "mail,tier\nm@example.com,gold\n")
    run(crm, "identify/1", "mail,id\nm@example.com,x1\n")
    run(crm, "inbox/1", "id,tier\nx1,blue\n")
    run(crm, "inbox/2", "id,tier\nx1,gold\n")

    assert [("tier", "met", [])] == stays(crm.ask("undo", "2", "--yes"))
    assert [("tier", "later", [5])] == stays(crm.ask("undo", "2", "--yes"))
    assert '"gold"' == crm.attribute("x1", "tier")
