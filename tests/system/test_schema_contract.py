"""Files whose columns change: ``source.schema`` says what becomes of them, ``plan`` before."""

import pytest
from support.jobs import import_job

SCHEMA = {"missing": "note", "new": "note", "retyped": "reject_rows"}


def job(**schema):
    return import_job(
        source={"prefix": "in/", "schema": schema}, fields={"visits": "set", "tier": "set"}
    )


def test_columns_that_change_are_told_once_and_cost_no_good_row(exchange):
    """A column is missing, one is new, one holds words: good rows are applied, each is told."""
    exchange.configure(crm=job(**SCHEMA))
    exchange.drop("in/1.csv", "id,visits,tier\na,1,gold\n")
    assert [] == exchange.ask("run", "crm")["notes"]

    exchange.drop("in/2.csv", "id,visits,vip\na,2,yes\nb,many,no\n")
    for report in (exchange.ask("plan", "crm")["report"], exchange.ask("run", "crm", code=4)):
        told = {note["code"]: note for note in report["facts"]}
        assert ["tier"] == told["columns_missing"]["columns"]
        assert ["vip"] == told["columns_new"]["columns"]
        assert ("visits", "integer") == (
            told["column_retyped"]["column"],
            told["column_retyped"]["kept"],
        )
        assert 1 == report["rows_rejected"]
    assert ("2", '"gold"') == (exchange.attribute("a", "visits"), exchange.attribute("a", "tier"))
    assert [(2, "not_an_integer")] == exchange.rejected(report)

    # It was told, so it is not new any more.
    exchange.drop("in/3.csv", "id,visits,tier,vip\na,3,gold,no\n")
    codes = [fact["code"] for fact in exchange.ask("run", "crm")["facts"]]
    assert ["file_left", "correct_in_place"] == codes


@pytest.mark.nightly
def test_a_job_may_fail_before_anything_is_sent(exchange):
    """Nothing is claimed: the corrected file, or the corrected job, is taken by the next run."""
    exchange.configure(crm=job(missing="fail", new="quarantine"))
    exchange.drop("in/1.csv", "id,visits,tier\na,1,gold\n")
    exchange.ask("run", "crm")
    sent = exchange.braze.requests("/users/track")
    exchange.drop("in/2.csv", "id,visits\na,2\n")
    refused = exchange.ask("plan", "crm", code=4)["error"]
    assert ("SchemaBroken", True) == (
        refused["kind"],
        "lacks the column 'tier'" in refused["message"],
    )
    failed = exchange.ask("run", "crm", code=4)
    assert ("failed", []) == (failed["state"], failed["files"])
    assert sent == exchange.braze.requests("/users/track")

    exchange.configure(crm=job(new="quarantine"))
    exchange.drop("in/3.csv", "id,visits,tier,vip\na,3,gold,no\n")
    report = exchange.ask("run", "crm", code=4)
    reasons = [fact["reason"] for file in report["files"] for fact in file["facts"]]
    assert ["missing_column", "new_column"] == reasons


def test_of_several_files_only_the_one_without_the_key_leaves_the_field_as_it_is(exchange):
    """A key that no line of a file has clears nobody, also beside files of the run that have it."""
    model = job(missing="note")
    exchange.configure(crm=model | {"fields": {"visits": "set", "tier": "clear"}})
    exchange.drop("in/1.csv", "id,visits,tier\na,1,gold\nb,1,gold\nc,1,gold\n")
    exchange.ask("run", "crm")

    exchange.drop("in/2.ndjson", '{"id": "a", "visits": 2}\n')
    exchange.drop("in/3.ndjson", '{"id": "b", "visits": 2, "tier": null}\n{"id": "c"}\n')
    exchange.drop("in/4.ndjson", '{"id": "b", "visits": 3}\n')
    report = exchange.ask("run", "crm")
    [told] = [fact for fact in report["facts"] if fact["code"] == "columns_missing"]
    assert (["tier"], "in/2.ndjson", 2) == (told["columns"], told["file"], told["files"])
    assert [] == [fact for fact in report["facts"] if fact["code"] == "keys_absent"]
    tiers = {who: exchange.attribute(who, "tier") for who in "abc"}
    assert {"a": '"gold"', "b": None, "c": None} == tiers
    assert "3" == exchange.attribute("b", "visits")
