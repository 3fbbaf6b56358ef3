"""Files as people send them, through the CLI: what is told of them, and what is kept."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import openpyxl
import pytest


def job(**keys):
    source = {"prefix": "inbox/", **keys.pop("source", {})}
    return {
        "type": "import",
        "source": source,
        "match": [{"external_id": "id"}],
        "remaining_fields": {"prefix": ""},
        **keys,
    }


@pytest.fixture
def sent(exchange):
    """A job that takes every column, and its folder."""
    exchange.configure(crm=job())
    return exchange


EXCEL = "id;name;zip;spent\r\n00123;Jürgen Groß;01067;2\r\n4917250000001;Zoë;1010;1,50\r\n"


def test_what_a_file_is_written_in_is_told_by_plan_and_report_and_kept(sent):
    """An Excel file of the west arrives as it is, its identifiers too; every run says how."""
    sent.drop("inbox/1.csv", EXCEL.encode("cp1252"))
    planned = sent.ask("plan", "crm")
    report = sent.ask("run", "crm")
    told = "read as text in windows-1252 and cells between semicolons"
    for notes in (planned["report"]["notes"], report["notes"]):
        assert any(told in note and "inbox/1.csv: " in note for note in notes), notes
    assert '"Jürgen Groß"' == sent.attribute("00123", "name")
    assert ('"01067"', '"1,50"') == (
        sent.attribute("00123", "zip"),
        sent.attribute("4917250000001", "spent"),
    )
    assert any("column 'spent' is sent as text" in note for note in report["notes"]), report
    kept = {"encoding": "windows-1252", "delimiter": ";"}
    assert kept == sent.ask("types", "crm")["csv"]

    sent.drop("inbox/2.csv", "id;name\n7;Ada\n")
    sent.drop("inbox/3.csv", "id,name\n8;9,Bo;b\n")
    report = sent.ask("run", "crm")
    assert '"Ada"' == sent.attribute("7", "name")
    assert any("commas" in note and "earlier files" in note for note in report["notes"]), report
    assert '"Bo;b"' == sent.attribute("8;9", "name")
    assert kept == sent.ask("types", "crm")["csv"]


def test_an_encoding_is_never_guessed_otherwise_the_next_day(sent):
    """After UTF-8, bytes that are none are damage; the job can say what they are, and retry."""
    sent.drop("inbox/1.csv", "id,name\n1,Jürgen\n")
    assert "succeeded" == sent.ask("run", "crm")["state"]
    sent.drop("inbox/2.csv", "id,name\n2,Jürgen\n".encode("cp1252"))
    report = sent.ask("run", "crm", code=4)
    assert [(1, "invalid_utf8")] == sent.rejected(report)

    sent.configure(crm=job(source={"csv": {"encoding": "windows-1252"}}))
    sent.ask("retry", str(report["seq"]))
    assert '"Jürgen"' == sent.attribute("2", "name")


def workbook(*rows, sheet="Kunden"):
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    book.active.append(["Export of May"])
    other = book.create_sheet(sheet)
    for row in rows:
        other.append(row)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


@pytest.mark.nightly
def test_a_file_that_is_not_taken_shows_nothing_of_the_next_ones(sent):
    """A stray file beside a good one does not settle how the job's files are written."""
    sent.drop("inbox/0.csv", "who,name\n7,Zo\u00eb\n")
    sent.drop("inbox/1.ndjson", '{"id": "8", "name": "Ada"}\n')
    sent.ask("run", "crm", code=4)
    sent.drop("inbox/2.csv", EXCEL.encode("cp1252"))
    assert "succeeded" == sent.ask("run", "crm")["state"]
    assert {"encoding": "windows-1252", "delimiter": ";"} == sent.ask("types", "crm")["csv"]


@pytest.mark.nightly
def test_a_workbook_and_a_csv_of_the_same_rows_say_the_same(sent):
    """Identifiers that Excel keeps as numbers are those of the CSV; a sheet is chosen by name."""
    fields = {"born": {"type": "date"}, "points": {"type": "integer"}, "vip": {"type": "boolean"}}
    source = {"sheet": "Kunden", "skip_rows": 1}
    sent.configure(crm=job(source=source, fields=fields, remaining_fields=[]))
    sent.drop("inbox/1.csv", "Title\nid,born,points,vip\n123,1990-12-25,5,true\n00123,,7,\n")
    assert 2 == sent.ask("run", "crm")["rows_applied"]
    again = workbook(
        ["Title"],
        ["id", "born", "points", "vip"],
        [123.0, date(1990, 12, 25), 5.0, True],
        ["00123", None, 7, None],
    )
    sent.drop("inbox/2.xlsx", again)
    assert 2 == sent.ask("run", "crm")["rows_unchanged"]

    sent.drop("inbox/3.xlsx", workbook(["id"], sheet="Other"))
    report = sent.ask("run", "crm", code=4)
    assert [(0, "missing_sheet")] == rejected(sent, report)


def rejected(exchange, report):
    text = exchange.bucket.read(report["quarantine"])[0].decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text))
    return [(int(row["row"] or 0), row["reason"]) for row in rows]


def test_what_excel_and_pandas_put_around_rows_reaches_nobody(sent):
    """An index is no attribute, a hint no row, a formula no identifier; a rounded one is none."""
    sent.drop("inbox/1.csv", 'sep=;\nid;tier\n="00123";gold\n4.9E+12;x\n')
    sent.drop("inbox/2.csv", ",id,tier\n0,7,silver\n1,8,gold\n")
    sent.drop("inbox/3.csv", "id,tier\n9,gold,\n10,silver,\n")
    report = sent.ask("run", "crm", code=4)
    assert [(2, "rounded_identifier")] == rejected(sent, report)
    assert 5 == report["rows_applied"]
    assert '"gold"' == sent.attribute("00123", "tier")
    assert '"silver"' == sent.attribute("10", "tier")
    assert any("inbox/2.csv: column 1 has no name" in note for note in report["notes"])
    assert any("sep=;" in note for note in report["notes"])


def test_numbers_and_dates_are_read_as_people_write_them(sent):
    """Sums are of the numbers that were meant, and a date of the wrong order costs its own row."""
    fields = {
        "spend": {"type": "decimal", "scale": 2, "merge": "sum"},
        "born": {"type": "date"},
        "since": {"type": "date", "format": "%d.%m.%Y"},
        "vip": {"type": "boolean", "true": ["ja"], "false": ["nein"]},
    }
    csv_options = {"decimal": ",", "thousands": ".", "dates": "%d/%m/%Y"}
    source = {"csv": csv_options, "order_by": "at"}
    sent.configure(crm=job(source=source, fields=fields, remaining_fields=[]))
    rows = [
        "id;spend;born;since;vip;at",
        "1;1.234,50;25/12/1990;01.02.2020;ja;02/01/2026",
        "1;0,50;05/04/1990;01.02.2020;nein;03/12/2025",
        "2;1.5;09/15/1990;2020-02-01;yes;01/01/2026",
    ]
    sent.drop("inbox/1.csv", "\n".join(rows))
    report = sent.ask("run", "crm", code=4)
    assert "1235" == sent.attribute("1", "spend")
    assert ("true", '"1990-12-25T00:00:00.000Z"') == (
        sent.attribute("1", "vip"),
        sent.attribute("1", "born"),
    )
    [(row, reasons)] = rejected(sent, report)
    assert 3 == row
    assert {"not_a_number", "day_or_month", "other_format", "other_word"} == {*reasons.split(" | ")}


@pytest.mark.nightly
@pytest.mark.parametrize("many", [False, True])
def test_one_date_with_the_day_first_is_told_of_its_file_alone(sent, many):
    """Other files of the run, cast together with it, are read as they were."""
    sent.configure(crm=job(fields={"born": {"type": "date"}}, remaining_fields=[]))
    sent.drop("inbox/1.csv", "id,born\n1,09/15/1990\n")
    sent.drop("inbox/2.csv", "id,born\n2,09/15/1990\n3,25/12/1990\n")
    if many:
        sent.drop("inbox/3.csv", "id,born\n4,10/20/1990\n")
    report = sent.ask("run", "crm", code=4)
    assert [(1, "day_or_month"), (2, "day_or_month")] == rejected(sent, report)
    assert '"1990-09-15T00:00:00.000Z"' == sent.attribute("1", "born")


@pytest.mark.nightly
def test_what_a_job_says_of_its_files_is_taken_as_said(sent):
    """Lines above, names that no header has, quotes and escapes of its own: nothing is guessed."""
    layout = {"delimiter": ";", "quote": "'", "escape": "\\", "encoding": "windows-1252"}
    source = {"csv": layout, "header": ["id", "name", "note"], "skip_rows": 2}
    sent.configure(crm=job(source=source))
    text = "Export;\nof May\n1;'J\u00fcrgen';'it\\'s; fine'\n2;Zo\u00eb;'a\\\\b'\n3;x\n"
    sent.drop("inbox/1.csv", text.encode("cp1252"))
    [bad] = sent.ask("plan", "crm")["rejected"]
    assert (3, "ragged_row") == (bad["row"], bad["reason"])
    report = sent.ask("run", "crm", code=4)
    assert [(3, "ragged_row")] == sent.rejected(report)
    assert ('"J\u00fcrgen"', '"it\'s; fine"') == (
        sent.attribute("1", "name"),
        sent.attribute("1", "note"),
    )
    assert ('"Zo\u00eb"', '"a\\\\b"') == (sent.attribute("2", "name"), sent.attribute("2", "note"))


@pytest.mark.nightly
def test_a_folder_for_cloud_data_ingestion_is_read_as_it_is(sent):
    """Identifier, JSON and time: what is newest counts, and only what differs is sent."""
    source = {"payload": "PAYLOAD", "order_by": "UPDATED_AT"}
    fields = {"tags": "add"}
    match = [{"external_id": "EXTERNAL_ID"}]
    remaining = {"prefix": "", "standard": True}
    sent.configure(crm=job(source=source, match=match, fields=fields, remaining_fields=remaining))
    lines = [
        {"EXTERNAL_ID": "007", "PAYLOAD": '{"tier": "gold", "tags": ["a"], "first_name": "Ada"}'},
        {"EXTERNAL_ID": "007", "PAYLOAD": '{"tier": "old", "tags": ["b"], "n": 12345678901}'},
    ]
    times = ["2026-09-16 00:00:00", "2026-09-15 00:00:00"]
    rows = [json.dumps({**line, "UPDATED_AT": at}) for line, at in zip(lines, times, strict=True)]
    sent.drop("inbox/1.json", "\n".join(rows))
    assert "succeeded" == sent.ask("run", "crm")["state"]
    assert ('"gold"', "12345678901") == (sent.attribute("007", "tier"), sent.attribute("007", "n"))
    assert '"Ada"' == sent.attribute("007", "first_name")
    assert sent.attribute("007", "UPDATED_AT") is None

    content = "EXTERNAL_ID,PAYLOAD,UPDATED_AT\n"
    content += '007,"{""tier"": ""gold"", ""tags"": [""c""]}",2026-09-17 00:00:00\n'
    content += "8,{,2026-09-17 00:00:00\n"
    sent.drop("inbox/2.csv", content)
    report = sent.ask("run", "crm", code=4)
    assert [(2, "invalid_json")] == rejected(sent, report)
    assert {"a", "b", "c"} == {*json.loads(sent.attribute("007", "tags"))}
