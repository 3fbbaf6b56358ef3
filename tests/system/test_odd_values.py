"""Values as other tools leave them behind: read as what they mean, or rejected with the reason."""

from __future__ import annotations

import csv
import io

from support.jobs import import_job

JOB = import_job(
    fields={
        "visits": {"merge": "sum", "type": "integer"},
        "born": {"type": "date"},
        "tags": {"merge": "add", "split": ","},
    },
    remaining_fields={"merge": "set"},
)
ROWS = [
    ("null", "1", "", "", ""),
    ("NULL", "1", "", "", ""),
    ("4.9E+12", "1", "", "", ""),
    ("z\u200b1", "1", "", "", ""),
    ('="00123"', "1", "1990-05-31", '["a", "b"]', '="01067"'),
    ("12345.0", "2", "09/15/1990", "a,b", "'+33612345679"),
    ("12345", "3", "", "c", "'s-Hertogenbosch"),
    ("day", "1", "05/04/1990", "", ""),
    ("list", "1", "", "{a,b}", ""),
    ("wide", chr(0xFF11), "", "", ""),
    ("text", "1", "", "", chr(0xFF12) + "026-09-15"),
]


def test_values_of_other_tools_are_read_or_rejected(exchange):
    """Nothing reaches a stranger, or Braze as something else than was meant; all else goes on."""
    exchange.configure(crm=JOB)
    body = io.StringIO()
    csv.writer(body).writerows([("id", "visits", "born", "tags", "note"), *ROWS])
    exchange.drop("inbox/1.csv", body.getvalue())
    report = exchange.ask("run", "crm", code=4)

    assert {"00123", "12345", "text"} == set(exchange.braze.users())
    assert ("5", '["a","b","c"]') == tuple(
        exchange.attribute("12345", name) for name in ("visits", "tags")
    )
    assert '"1990-09-15T00:00:00.000Z"' == exchange.attribute("12345", "born")
    assert '"01067"' == exchange.attribute("00123", "note")
    assert f'"{ROWS[-1][-1]}"' == exchange.attribute("text", "note")
    rejected = exchange.quarantined(report)
    assert [
        *("placeholder", "placeholder", "rounded_identifier", "invisible_sign"),
        *("day_or_month", "printed_list", "not_an_integer"),
    ] == [row["reason"] for row in rejected]
    assert "z<U+200B>1" in rejected[3]["message"]
    assert any("12345.0, and was read as 12345" in note for note in report["notes"])
    assert any("3 cells were read without" in note for note in report["notes"])


def test_placeholders_that_are_allowed_are_names(exchange):
    """Whoever has a customer called NA says so, and a refused row of hers can be given again."""
    source = {"prefix": "inbox/", "placeholders": "allow"}
    exchange.configure(crm=JOB | {"source": source, "remaining_fields": {"merge": "set"}})
    exchange.drop("inbox/1.csv", "id,visits,born,tags\nNA,1,,\n4.9E+12,2,,\n")
    assert any("such as null" in line for line in exchange.ask("check")["jobs"]["crm"])
    exchange.ask("run", "crm")

    assert {"NA", "4.9E+12"} == set(exchange.braze.users())
