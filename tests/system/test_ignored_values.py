"""What Braze would take, bill and ignore is not sent; what that costs is the job's choice."""

from __future__ import annotations

import csv
import io
import json

import pytest
from support.jobs import import_job

FIELDS = {
    **dict.fromkeys(("gender", "language", "country", "time_zone"), "set"),
    "dob": {"from": "dob", "type": "string"},
    "props": {"from": "props", "type": "json"},
    "spend": {"from": "spend", "merge": "sum", "type": "integer"},
}
GOOD = {
    "gender": "F",
    "language": "fr",
    "country": "FR",
    "time_zone": "Europe/Paris",
    "dob": "1990-05-31",
    "props": '{"shoes":{"size":42}}',
    "spend": "7",
}
BAD = [
    ("gender", "female", "not_a_gender"),
    ("language", "en-US", "not_a_language"),
    ("country", "ZQ", "not_a_country"),
    ("time_zone", "CET+1", "not_a_time_zone"),
    ("dob", "31/05/1990", "not_a_birthday"),
    ("props", '{"shoe size":42}', "bad_key"),
    ("props", json.dumps({"a": "x" * 256}), "long_nested_text"),
    ("props", '{"at":{"$time":"soon"}}', "bad_nested_time"),
]


def written(*rows):
    """Write a CSV file of an identifier and the fields that differ from good ones."""
    body = io.StringIO()
    lines = csv.DictWriter(body, ["id", *GOOD])
    lines.writeheader()
    lines.writerows([{"id": name, **GOOD, **changed} for name, changed in rows])
    return body.getvalue()


def every_fault(*more):
    bad = ((f"bad-{n}", {f: v}) for n, (f, v, _) in enumerate(BAD))
    return written(("good", {}), *bad, *more)


def told(rows):
    return [(row["field"], row["value"], row["reason"]) for row in rows]


def left_out(exchange, report):
    """Read the values that a report names as left out."""
    text = exchange.bucket.read(report["warnings"])[0].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_what_braze_ignores_is_left_out_and_the_rest_of_its_row_is_applied(exchange):
    """
    Neither sent nor billed, each such value is listed with its row; what could do harm rejects.

    Its plan tells it before, and the corrected file brings what was left out, and no sum twice.
    """
    exchange.configure(crm=import_job(fields=FIELDS))
    more = [("harm", {"props": '{"inc":1}', "gender": "x"}), ("two", {"gender": "x", "dob": "x"})]
    exchange.drop("inbox/1.csv", every_fault(*more))

    plan = exchange.ask("plan", "crm")
    said = exchange.call("plan", "crm").stdout
    shown = exchange.ask("preview", "crm")["rows"]
    report = exchange.ask("run", "crm", code=4)

    assert [(2, "gender"), (3, "language")] == [(v["row"], v["field"]) for v in plan["dropped"]][:2]
    assert "10 values in 9 rows are left out, and the rest of these rows is applied" in said
    assert "would be left out, the first 5 of them:\n    inbox/1.csv, row 2: Row 2, column" in said
    assert ["good", "bad-0", None] == [shown[n]["profile"] for n in (0, 1, 9)]
    assert ["", "gender"] == [shown[n]["problem"][14:20] for n in (0, 1)]
    kinds = ("read", "applied", "rejected", "warned")
    assert (11, 10, 1, 9) == tuple(report[f"rows_{kind}"] for kind in kinds)
    assert 10 == report["values_dropped"] == plan["report"]["values_dropped"]
    assert exchange.braze.meter == report["data_points"] == 10 * 7 - 10
    listed = left_out(exchange, report)
    extra = [("dob", "x", "not_a_birthday"), ("gender", "x", "not_a_gender")]
    assert [*BAD, *extra] == told(listed)
    assert ("2", "bad-0", "dropped") == tuple(listed[0][n] for n in ("row", "profile", "kind"))
    assert ["gender | props"] == [row["field"] for row in exchange.quarantined(report)]
    assert exchange.attribute("bad-1", "language") is None
    assert '"FR"' == exchange.attribute("bad-1", "country")
    why = exchange.ask("explain", "crm", "bad-1", "language")["put_aside"]
    assert [("dropped", "en-US", 3)] == [(row["kind"], row["value"], row["row"]) for row in why]

    exchange.drop("inbox/1.csv", written(*((f"bad-{n}", {}) for n in range(len(BAD)))))
    held = exchange.ask("run", "crm", code=5)
    exchange.ask("approve", held["held_back"][0])
    assert '"fr"' == exchange.attribute("bad-1", "language")
    assert "7" == exchange.attribute("bad-1", "spend")
    kept = exchange.ask("forget", "bad-1", "--yes")["connections"][0]
    assert kept["touched"]["quarantine"] >= 1
    assert "en-US" not in exchange.bucket.read(report["warnings"])[0].decode()


@pytest.mark.nightly
def test_a_job_may_reject_the_rows_or_stop(exchange):
    """With 'quarantine' only good rows cost anything; with 'stop' nothing is sent at all."""
    rejecting = import_job(fields=FIELDS, on_invalid="quarantine")
    stopping = import_job(fields=FIELDS, on_invalid="stop", source={"prefix": "strict/"})
    exchange.configure(crm=rejecting, strict=stopping)
    exchange.drop("inbox/1.ndjson", "".join(
        f"{json.dumps(row)}\n" for row in csv.DictReader(io.StringIO(every_fault()))
    ))  # fmt: skip
    exchange.drop("strict/1.csv", every_fault())

    report = exchange.ask("run", "crm", code=4)
    plan = exchange.ask("plan", "strict")
    stopped = exchange.ask("run", "strict", code=4)

    assert (1, 8, 0) == tuple(report[f"rows_{kind}"] for kind in ("applied", "rejected", "warned"))
    assert {"good"} == set(exchange.braze.users())
    assert 7 == report["data_points"] == exchange.braze.meter
    assert [*BAD] == told(exchange.quarantined(report))
    assert "warnings" not in report
    assert "would_stop" in [note["code"] for note in plan["report"]["facts"]]
    assert "failed" == stopped["state"]
    for words in ("strict/1.csv", "Row 2", "gender", "on_invalid: stop"):
        assert words in stopped["error"]

    exchange.drop("strict/1.csv", written(("good", {"gender": "M"})))
    assert 1 == exchange.ask("run", "strict")["rows_applied"]
