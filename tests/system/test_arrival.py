"""Which objects count as files, and when they count as arrived."""

from __future__ import annotations

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "in/"},
    "match": [{"external_id": "id"}],
    "fields": {"spend": {"merge": "sum", "type": "integer"}, "tier": "set"},
}
NO_DATA = {
    "in/_SUCCESS": "",
    "in/day/_committed_81": "{}",
    "in/.part-0.csv.crc": "crc",
    "in/a.csv.md5": "d41d8cd98f00b204e9800998ecf8427e",
    "in/a.csv.sha256": "e3b0c44298fc1c149afbf4c8996fb924",
    "in/a.csv.done": "",
    "in/day/": "",
    "in/dt=2026-09-15_$folder$": "",
    "in/empty-folder": "",
    "in/b.csv.tmp": "id,spend\na,100\n",
    "in/b.csv.filepart": "id,spend\na,100\n",
    "in/~$a.xlsx": "x",
    "in/desktop.ini": "[.ShellClassInfo]",
    "in/Thumbs.db": "x",
    "in/.DS_Store": "x",
}
OURS = {"in/_reports/a.csv.json": "{}", "in/_rejected/3/a.csv": "id,spend\na,100\n"}


def rows(*lines):
    return "\n".join(("id,spend,tier", *lines, ""))


def outcomes(report):
    return {file["key"]: file["outcome"] for file in report["files"]}


def test_what_is_no_data_is_passed_over_and_told_once(exchange):
    """Marks, checksums and desktops' notes cost no run its good end; they are listed with why."""
    exchange.configure(t=JOB)
    for key, body in (NO_DATA | OURS).items():
        exchange.drop(key, body)
    exchange.drop("in/a.csv", rows("a,1,gold"))
    first = exchange.ask("run", "t")
    assert {"in/a.csv": "applied"} == outcomes(first)
    [told] = [note for note in first["notes"] if "no data" in note]
    assert "in/.DS_Store and 13 more" in told
    [entry] = exchange.ask("jobs", "--waiting")
    assert sorted(NO_DATA) == sorted(one["key"] for one in entry["passed_over"])
    assert 0 == entry["files_waiting"]
    shown = exchange.call("jobs", "--waiting").stdout
    assert "passed over: in/a.csv.md5 (about the files beside it)" in shown
    exchange.drop("in/c.csv", rows("a,2,gold"))
    assert not [note for note in exchange.ask("run", "t")["notes"] if "no data" in note]
    assert "3" == exchange.attribute("a", "spend")
    assert "about the files beside it" in exchange.call("files", "in/a.csv.md5").stdout
    assert (
        "exchanger or Braze writes here" in exchange.call("files", "in/_reports/a.csv.json").stdout
    )


@pytest.mark.parametrize("pattern", ["*.done", "a.csv.done"])
def test_a_pattern_takes_what_would_be_passed_over(exchange, pattern):
    """Whoever writes the ending of a companion into the pattern means such files."""
    exchange.configure(t=JOB | {"source": {"prefix": "in/", "pattern": pattern}})
    exchange.drop("in/a.csv.done", rows("a,1,gold"))
    assert {"in/a.csv.done": "applied"} == outcomes(exchange.ask("run", "t"))
