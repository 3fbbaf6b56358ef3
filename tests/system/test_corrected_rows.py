"""Rejected rows that a person has corrected are given in place of those rows, and once."""

from __future__ import annotations

import csv
import io
import json

from support.jobs import import_job

JOB = import_job(
    source={"prefix": "in/crm/"},
    fields={"city": "set", "spend": {"merge": "sum", "type": "decimal", "scale": 2}},
)
FILE = "id,city,spend\na,Oslo,1\nb,Rome,x\nc,Bern,3,50\nd,Bonn,y\n,Kiel,5\n"


def correct(exchange, run, changed, name="a.csv", source=None, drop=()):
    """Correct rows as a person does in a spreadsheet, and drop them: cells by row and column."""
    text = exchange.bucket.read(f"in/crm_rejected/{source or run}/{name}")[0].decode("utf-8-sig")
    rows = [*csv.DictReader(io.StringIO(text))]
    kept = [row | changed.get(row["_row"], {}) for row in rows if row["_row"] in changed]
    columns = [column for column in rows[0] if column not in drop]
    told = io.StringIO()
    writer = csv.DictWriter(told, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(kept)
    exchange.drop(f"in/crm_corrected/{run}/{name}", told.getvalue())


def spent(exchange):
    return {name: exchange.attribute(name, "spend") for name in exchange.braze.users()}


def report(exchange, name):
    return json.loads(exchange.bucket.read(f"in/crm_reports/{name}.json")[0])


def test_a_corrected_row_counts_once_in_place_of_the_rejected_one(exchange):
    """
    However often it is dropped, and whatever is wrong with others in the file.

    What is still wrong, or was not corrected, is rejected again, and can be corrected again.
    """
    exchange.configure(crm=JOB)
    exchange.drop("in/crm/a.csv", FILE)
    exchange.ask("run", "crm", code=4)
    assert {"a": "1"} == spent(exchange)

    correct(exchange, 1, {"2": {"spend": "2"}, "4": {"spend": "z"}}, drop=("_column", "_reason"))
    done = exchange.ask("run", "crm", code=4)
    assert (1, 3) == (done["rows_applied"], done["rows_rejected"])
    assert {"a": "1", "b": "2"} == spent(exchange)
    again = exchange.bucket.read("in/crm_rejected/2/a.csv")[0].decode("utf-8-sig")
    assert ["3", "4", "5"] == [row["_row"] for row in csv.DictReader(io.StringIO(again))]
    print(json.dumps(report(exchange, "a.csv"), indent=1))
    print(json.dumps(report(exchange, "_corrected/1/a.csv"), indent=1))
