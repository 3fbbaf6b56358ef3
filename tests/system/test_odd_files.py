"""Files as programs and people make them, which are not quite what they seem."""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq


def job(**keys):
    return {
        "type": "import",
        "source": {"prefix": "in/"},
        "match": [{"external_id": "customer_id"}],
        **keys,
    }


def about(report, word):
    return [note for note in report["notes"] if word in note]


def test_what_was_still_on_its_way_is_counted_once(exchange):
    """A file that was seen while it came, under another name, is added once it has its own."""
    exchange.configure(t=job(fields={"spend": {"merge": "sum", "type": "integer"}}))
    for name in ("m.csv.filepart", "m.csv.tmp", "m.csv.crdownload"):
        exchange.drop(f"in/{name}", "customer_id,spend\nf1,10\n")
    assert "nothing_to_do" == exchange.ask("run", "t")["state"]

    exchange.drop("in/M.CSV", "customer_id,spend\nf1,10\nf2,1\n")
    report = exchange.ask("run", "t")

    assert ["in/M.CSV"] == [file["key"] for file in report["files"]]
    assert ("10", "1") == (exchange.attribute("f1", "spend"), exchange.attribute("f2", "spend"))


def test_files_of_one_second_apply_in_their_natural_order(exchange):
    """The higher number in a name says the last word, whichever was uploaded last."""
    exchange.configure(t=job(fields={"tier": "set"}))
    while True:
        for name, tier in (("upd_10", "new"), ("upd_9", "old")):
            exchange.drop(f"in/{name}.csv", f"customer_id,tier\nh1,{tier}\n")
        listed = [*exchange.bucket.list("in/")]
        if len({item.last_modified.replace(microsecond=0) for item in listed}) == 1:
            break
    exchange.ask("run", "t")
    assert '"new"' == exchange.attribute("h1", "tier")


def test_files_that_were_joined_make_no_profile_of_their_headers(exchange):
    """Headers and names with spaces, sums and lists: the rows are applied, and it is told."""
    fields = {
        "tier": "set",
        "points": {"merge": "sum"},
        "tags": {"merge": "add", "split": "|"},
    }
    exchange.configure(t=job(fields=fields, remaining_fields={"prefix": "crm_"}))
    head = "customer_id,tier, points,tags, city \n"
    parts = [head + "h1,gold,1,a|b,Lyon\n", head + "h2,x,2,c,Nice\n"]
    exchange.drop("in/a.csv.gz", b"".join(gzip.compress(part.encode()) for part in parts))

    report = exchange.ask("run", "t")

    assert (2, 2) == (report["rows_read"], report["profiles_new"])
    assert ('"x"', "2", '["c"]') == tuple(
        exchange.attribute("h2", name) for name in ("tier", "points", "tags")
    )
    assert '"Lyon"' == exchange.attribute("h1", "crm_city")
    assert 1 == len(about(report, "header came again"))
    assert "' points', ' city '" in about(report, "white space")[0]

    exchange.drop("in/b.csv", "customer_id,tier\nh3,gold\ncustomer_id,city\nh4,Lyon\n")
    exchange.configure(t=job(fields={"tier": "set"}))
    report = exchange.ask("run", "t", code=4)
    assert "names other columns" in report["files"][0]["note"]
    assert (0, 0) == (report["rows_read"], report["profiles_new"])


def test_the_index_of_pandas_is_not_sent(exchange):
    """The numbers of a frame's rows are left out, told, and taken once the job names them."""
    columns = {"customer_id": ["p1"], "tier": ["gold"], "__index_level_0__": [3]}
    told = json.dumps({"index_columns": ["__index_level_0__"]}).encode()
    body = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata({b"pandas": told}), body)
    exchange.configure(t=job(remaining_fields={"prefix": "crm_"}))
    exchange.drop("in/a.parquet", body.getvalue())

    report = exchange.ask("run", "t")

    assert '"gold"' == exchange.attribute("p1", "crm_tier")
    assert exchange.attribute("p1", "crm___index_level_0__") is None
    (note,) = about(report, "left out")
    assert "in/a.parquet: column '__index_level_0__' was left out." in note
