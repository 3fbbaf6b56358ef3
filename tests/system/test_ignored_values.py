"""What Braze would take, bill and ignore is rejected before anything is sent."""

from __future__ import annotations

import csv
import io
import json

import pytest
from support.jobs import import_job

JOB = import_job(
    fields={
        **dict.fromkeys(("gender", "language", "country", "time_zone"), "set"),
        "dob": {"from": "dob", "type": "string"},
        "props": {"from": "props", "type": "json"},
    }
)
GOOD = {
    "gender": "F",
    "language": "fr",
    "country": "FR",
    "time_zone": "Europe/Paris",
    "dob": "1990-05-31",
    "props": '{"shoes":{"size":42}}',
}
BAD = [
    ("gender", "female", "not_a_gender"),
    ("language", "french", "not_a_language"),
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


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_nothing_that_braze_ignores_is_sent_or_billed(exchange, suffix):
    """Only good rows cost anything; each other row is in quarantine, and none counts as held."""
    exchange.configure(crm=JOB)
    rows = [("good", {}), *((f"bad-{n}", {f: v}) for n, (f, v, _) in enumerate(BAD))]
    body = written(*rows)
    if suffix == "ndjson":
        body = "".join(f"{json.dumps(row)}\n" for row in csv.DictReader(io.StringIO(body)))
    exchange.drop(f"inbox/1.{suffix}", body)

    report = exchange.ask("run", "crm", code=4)

    assert (9, 1, 8) == tuple(report[f"rows_{what}"] for what in ("read", "applied", "rejected"))
    assert {"good"} == set(exchange.braze.users())
    assert (6, 6) == (report["data_points"], exchange.braze.meter)
    told = [(row["field"], row["reason"]) for row in exchange.quarantined(report)]
    assert [(field, reason) for field, _, reason in BAD] == told

    exchange.drop("inbox/2.csv", written(*((f"bad-{n}", {}) for n in range(len(BAD)))))
    corrected = exchange.ask("run", "crm")
    assert len(BAD) == corrected["rows_applied"]
    assert '"F"' == exchange.attribute("bad-0", "gender")
