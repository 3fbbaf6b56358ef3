"""SQL over the rows of files, and the verb that shows what it makes of them."""

from __future__ import annotations

import pytest
from support.jobs import import_job

import exchanger as package

SQL = """
select id, max(tier) as tier, sum(cast(total as double)) as spend
from self where status <> 'cancelled' group by id
"""
ORDERS = import_job(
    source={"prefix": "inbox/", "sql": SQL},
    fields={"tier": {"merge": "set"}, "spend": {"merge": "sum", "type": "integer"}},
)
FILE = (
    "id,status,tier,total\nada,paid,a,5\nbob,paid,b,7\nada,paid,c,4\n,paid,x,1\ncy,cancelled,a,9\n"
)


def test_the_rows_that_sql_makes_are_what_is_imported(exchange):
    """
    They are shown before as a run reads them, and nothing is written for that.

    What counts, is rejected and given again are these rows; each is named by the first row of the
    file that it is made of.
    """
    exchange.configure(orders=ORDERS)
    exchange.drop("inbox/a.csv", FILE)
    before = [item.key for item in exchange.bucket.list("")]
    shown = exchange.ask("preview", "orders")
    assert before == [item.key for item in exchange.bucket.list("")]
    rows = [(row["row"], row["profile"], row["cells"]["spend"]) for row in shown["rows"]]
    assert [(1, "ada", "9"), (2, "bob", "7"), (4, None, "1")] == rows
    assert "names no profile" in shown["rows"][2]["problem"]
    said = exchange.call("preview", "orders", "--rows", "1").stdout.splitlines()
    assert ["row", "profile", "id", "tier", "spend"] == said[1].split()
    assert ["1", "ada", "ada", "c", "9"] == said[2].split()
    assert 3 == len(said)

    report = exchange.ask("run", "orders", code=4)
    assert (3, 2, 1) == (report["rows_read"], report["rows_applied"], report["rows_rejected"])
    assert "the SQL of its source makes 3 rows of its 5" in str(report["notes"])
    assert [(4, "no_identifier")] == exchange.rejected(report)
    assert ("9", '"c"') == tuple(exchange.attribute("ada", name) for name in ("spend", "tier"))

    again = exchange.ask("preview", "orders")
    assert again["applied"]
    library = package.Exchanger.from_config(exchange.config, environment=exchange.environment)
    assert again == library.preview("orders").to_dict()
    retried = exchange.ask("retry", str(report["seq"]), code=4)
    assert (1, "9") == (retried["rows_rejected"], exchange.attribute("ada", "spend"))


@pytest.mark.nightly
def test_wrong_sql_is_told_in_words(exchange):
    """By check and by every verb if it is none, and for each file that it does not fit."""
    source = ORDERS["source"]
    exchange.configure(orders=ORDERS | {"source": source | {"sql": "select * from crm"}})
    for words in (("check",), ("run", "orders"), ("preview", "orders")):
        told = exchange.call(*words)
        assert 3 == told.returncode
        assert "jobs.orders.source.sql" in told.stderr
        assert "the rows of a file are the table self" in told.stderr
    exchange.configure(orders=ORDERS)
    exchange.drop("inbox/a.csv", "id,tier\nada,a\n")
    assert "status" in exchange.ask("preview", "orders")["unusable"]["inbox/a.csv"]
    report = exchange.ask("run", "orders", code=4)
    assert "source cannot be applied to this file" in report["files"][0]["note"]
    exchange.drop("inbox/b.csv", FILE)
    assert 2 == exchange.ask("run", "orders", code=4)["rows_applied"]
