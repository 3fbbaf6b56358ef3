"""Whoever may only read and write the bucket finds beside the folder what became of each file."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date

import polars as pl
import pytest
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

SPEND = {"merge": "sum", "type": "decimal", "scale": 2}
JOB = import_job(
    source={"prefix": "in/crm/"}, fields={"city": "set", "spend": SPEND, "phone": "set"}
)
CITY = import_job(source={"prefix": "in/crm/"}, fields={"city": "set"})
TWISTED = '<script>alert("in")</script>'
BAD = f'"{TWISTED.replace(chr(34), chr(34) * 2)}"'
SECRET = "+49 171 1234567 or so"


def report(exchange, name, folder="in/crm_reports/"):
    """Read what is told of a file: the facts, and the page."""
    facts, page = (
        exchange.bucket.read(f"{folder}{name}.{ending}")[0].decode() for ending in ("json", "html")
    )
    return json.loads(facts), page


def keys(exchange, prefix):
    return [item.key for item in exchange.bucket.list(prefix)]


def test_what_became_of_a_file_lies_beside_its_folder(exchange):
    """
    A page and the same as JSON: what was applied, what not and why, what it cost, what to do.

    Nothing that a file says becomes part of the page, and no masked column is shown. No job takes
    the answers for drops, also one whose folder they lie in; nor are they files of nobody.
    """
    everything = import_job(source={"prefix": "in/"}, fields={"country": "set"})
    exchange.configure(crm=JOB | {"mask": ["phone"]}, all=everything)
    rows = ["a,Oslo,1.50,1", f"b,Rome,{BAD},2", ",Bonn,1,3", "d,Bern,1.234,4", f"e,x,1,{SECRET}"]
    exchange.drop("in/crm/day 1.csv", "\n".join(["id,city,spend,phone", *rows, ""]))

    done = exchange.ask("run", "crm", code=4)

    facts, page = report(exchange, "day 1.csv")
    assert ("applied_in_part", 5) == (facts["verdict"], facts["rows"]["read"])
    assert (done["rows_applied"], 1) == (facts["rows"]["taken"], facts["run"])
    assert facts["cost"]["data_points"] == done["data_points"] > 0
    why = {(one["reason"], one["column"]): one["examples"] for one in facts["not_taken"]}
    assert [2] == [row["row"] for row in why["not_a_number", "spend"]]
    assert TWISTED == why["not_a_number", "spend"][0]["value"]
    assert [3] == [row["row"] for row in why["no_identifier", "id"]]
    assert [True, True] == [sentence in page for sentence in facts["next"]]
    for said in ("What was not applied, and why", "What was applied", "What it cost"):
        assert said in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert SECRET not in page + json.dumps(facts)
    assert ["in/crm/day 1.csv"] == keys(exchange, "in/crm/")

    for name in ("crm", "all"):
        later = exchange.ask("run", name, code=0 if name == "crm" else 4)
        assert not [file for file in later["files"] if "_reports/" in file["key"]]
    assert "Every file" in exchange.call("files", "--unclaimed").stdout
    # The other job reads the same file, and answers beside its own folder.
    assert report(exchange, "crm/day 1.csv", "in_reports/")[0]["job"] == "all"


def test_a_file_that_waits_says_why_and_what_it_would_do(exchange):
    """A person without a terminal sees the plan; once it is decided about, the report says that."""
    exchange.configure(crm=JOB | {"guards": {"max_data_points": 3}})
    exchange.drop("in/crm/a.csv", "id,city,spend,phone\na,Oslo,1,\nb,Rome,2.5,\nc,Bern,3,\n")
    exchange.ask("run", "crm", code=5)

    facts, page = report(exchange, "a.csv")
    assert ("waits", {"spend": "6.5"}) == (facts["verdict"], facts["totals"])
    assert {"city": 3, "spend": 3, "phone": 0} == facts["plan"]["fields"]
    assert [note for note in facts["notes"] if "max_data_points" in note]
    for said in ("Waits for a decision", "Somebody has to decide", "exchanger approve 1"):
        assert said in page

    exchange.ask("discard", "1")
    assert "dropped" == report(exchange, "a.csv")[0]["verdict"]
    exchange.drop("in/crm/a.csv", "id,city,spend,phone\na,Oslo,1,\n")
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    facts, page = report(exchange, "a.csv")
    assert ("applied", 2) == (facts["verdict"], facts["run"])
    assert "Everything in this file is in Braze." in page


@pytest.mark.nightly
def test_a_report_that_cannot_be_written_fails_no_run(exchange):
    """The run is over by then: it says once that nobody is told, and is not tried for ever."""
    store = exchange.connection["s3"]["endpoint_url"]
    tried = []
    with FaultProxy(store, Schedule(0), locked="in/crm_reports/") as proxy:
        proxy.before_each(lambda it: tried.append(it.path) if "_reports/" in it.path else None)
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        exchange.configure(crm=CITY)
        for name in ("a", "b"):
            exchange.drop(f"in/crm/{name}.csv", f"id,city\n{name},Oslo\n")
        done = exchange.ask("run", "crm")
        assert "succeeded" == done["state"]
        assert 1 == len([note for note in done["notes"] if "in/crm_reports/" in note])
        assert tried
        tried.clear()
        exchange.ask("run", "crm")
        assert [] == tried
    exchange.connection["s3"]["endpoint_url"] = store
    exchange.configure(crm=CITY)
    assert [note for note in exchange.ask("show", "1")["notes"] if "in/crm_reports/" in note]


def test_who_wants_no_answers_gets_none(exchange):
    """``after`` can be told to write nothing, and the folder may then be that of another job."""
    other = CITY | {"source": {"prefix": "in/crm_reports/"}}
    quiet = {"after": {"report": False, "rejected": False}}
    exchange.configure(crm=CITY | quiet, other=other)
    exchange.drop("in/crm/a.csv", "id,city\na,Oslo\n,Rome\n")
    exchange.ask("run", "crm", code=4)
    assert [] == keys(exchange, "in/crm_")
    exchange.configure(crm=CITY, other=other)
    assert "in/crm_reports/" in exchange.call("check").stderr


def test_rejected_rows_lie_ready_in_the_shape_of_their_file(exchange):
    """
    Each in the format and the columns of its file, with where it stood and what is wrong.

    Nothing in them runs in a spreadsheet. Corrected, they may be dropped as they are: what stands
    behind the columns of the file is not taken for data, whatever the job does with the rest.
    """
    exchange.configure(crm=CITY | {"fields": {"n": {"type": "integer"}}, "remaining_fields": {}})
    exchange.drop("in/crm/day/a.csv", "id;note;n\na;=1+1;x\nb;fine;2\nc;ok;y z\n")
    exchange.drop("in/crm/b.ndjson.gz", gzip.compress(b'{"n":"no","id":"d"}\n{"n":5,"id":"e"}\n'))
    frame = pl.DataFrame({"id": ["f", "g"], "n": ["1", "?"], "at": [date(2026, 9, 15)] * 2})
    body = io.BytesIO()
    frame.write_parquet(body)
    exchange.drop("in/crm/c.parquet", body.getvalue())

    exchange.ask("run", "crm", code=4)

    names = ["b.ndjson.gz", "c.parquet", "day/a.csv"]
    assert [f"in/crm_rejected/1/{name}" for name in names] == keys(exchange, "in/crm_rejected/")
    lines, table, text = (exchange.bucket.read(f"in/crm_rejected/1/{name}")[0] for name in names)
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=";"))
    assert ["id", "note", "n", "_row", "_column", "_reason"] == rows[0]
    assert [["a", "'=1+1", "x", "1"], ["c", "ok", "y z", "3"]] == [row[:4] for row in rows[1:]]
    assert "is not a whole number" in rows[1][5]
    [line] = gzip.decompress(lines).splitlines()
    assert line.startswith(b'{"n":"no","id":"d","_row":1,"_column":"n","_reason":')
    [parquet] = pl.read_parquet(table).rows()
    assert ("g", "?", date(2026, 9, 15), 2, "n") == parquet[:5]
    facts, page = report(exchange, "day/a.csv")
    assert "in/crm_rejected/1/day/a.csv" == facts["rejected_rows"]
    assert "in/crm_rejected/1/day/a.csv" in page

    mended = text.decode("utf-8-sig").replace(";x;", ";7;").replace(";y z;", ";8;")
    exchange.drop("in/crm/mended.csv", mended)
    done = exchange.ask("run", "crm")
    assert ["in/crm/mended.csv"] == [file["key"] for file in done["files"]]
    assert ["7", "8"] == [exchange.attribute(who, "n") for who in "ac"]
    assert '"=1+1"' == exchange.attribute("a", "note")
    assert exchange.attribute("a", "_reason") is None


def test_rows_that_are_still_wrong_lie_ready_again(exchange):
    """
    With what an earlier answer put behind them: it is theirs no more, and stands there once.

    Rows that planning rejects are in the columns of the file as well, and a line that only looks
    like an object stands as it is.
    """
    visits = {"from": "tag", "merge": "sum", "type": "integer"}
    exchange.braze.seed([{"external_id": "b", "visits": "many"}])
    fields = {"n": {"type": "integer"}, "visits": visits}
    exchange.configure(crm=CITY | {"match": [{"external_id": "customer"}], "fields": fields})
    own = ",_row,_column,_reason"
    exchange.drop("in/crm/a.csv", f"customer,note,n,tag{own}\na,x,?,,1,n,no\nb,y,5,3,2,n,no\n")
    exchange.drop("in/crm/b.ndjson", '{"customer":"c","n":"?","_row":4,"_column":"n"}\n')
    exchange.drop("in/crm/c.csv", "customer,n,tag\n{b},1,2,3}\nd,?,\n")

    report_of_run = exchange.ask("run", "crm", code=4)

    assert 0 == len([note for note in report_of_run["notes"] if "could not be written" in note])
    found = {key: exchange.bucket.read(key)[0] for key in keys(exchange, "in/crm_rejected/1/")}
    rows = list(csv.DictReader(io.StringIO(found["in/crm_rejected/1/a.csv"].decode("utf-8-sig"))))
    assert ["customer", "note", "n", "tag", *own[1:].split(",")] == [*rows[0]]
    assert [("a", "x", "?", "1"), ("b", "", "5", "2")] == [
        (row["customer"], row["note"], row["n"], row["_row"]) for row in rows
    ]
    assert 1 == found["in/crm_rejected/1/b.ndjson"].count(b'"_row"')
    torn = found["in/crm_rejected/1/c.csv"].decode("utf-8-sig")
    assert ("customer,n,tag,_row", True) == (torn[:19], "{b},1,2,3}" in torn)


def test_rows_of_a_refused_person_count_in_each_report_of_several(exchange):
    """
    All rows of the person, not the object alone; a file whose rows went with it promises nothing.

    Braze is sent one object for a person, however many files and rows name them.
    """
    fields = {"email": {"from": "mail"}, "city": "set"}
    exchange.configure(crm=import_job(source={"prefix": "in/crm/"}, fields=fields))
    exchange.drop("in/crm/a.csv", "id,city,mail\nbad,Oslo,\ngood,Rome,\n")
    exchange.drop("in/crm/b.csv", "id,city,mail\nbad,Bonn,\nbad,,no\nbad,,nonsense\nfine,Rome,\n")
    done = exchange.ask("run", "crm", code=4)
    assert 1 == exchange.quarantined(done)[0]["reason"].count("refused_by_braze")

    counts, page = report(exchange, "b.csv")
    assert done["rows_refused"] == counts["rows"]["refused"] > 1
    assert "applied_in_part" == counts["verdict"]
    counts, page = report(exchange, "a.csv")
    assert ("applied", 0) == (counts["verdict"], counts["rows"]["refused"])
    assert "Everything in this file is in Braze" not in page
    assert "other files of run 1" in page
