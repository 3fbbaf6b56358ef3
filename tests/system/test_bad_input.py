"""Files and rows that cannot be used: each is named with its reason, and the rest goes on."""

from __future__ import annotations

import gzip
import io
import json

import polars as pl
from support.jobs import import_job

JOB = import_job(
    fields={
        "city": "set",
        "age": {"from": "age", "type": "integer"},
        "score": {"from": "score", "type": "float"},
    }
)
GOOD = "id,city,age,score\n"


def parquet(**columns):
    body = io.BytesIO()
    pl.DataFrame(columns).write_parquet(body)
    return body.getvalue()


def outcomes(report):
    return {file["key"].removeprefix("inbox/"): file["outcome"] for file in report["files"]}


def entries(exchange, report, *columns):
    """List some columns of the quarantine file, row by row."""
    rows = exchange.quarantined(report)
    return [tuple(row[column].removeprefix("inbox/") for column in columns) for row in rows]


BAD_FILES = {
    "a.parquet": (b"id,city,age,score\na,Aden,1,1\n", "not_parquet"),
    "b.csv.gz": (
        gzip.compress((GOOD + "b,Bern,1,1\n" * 9_000).encode(), mtime=0)[:-20],
        "damaged_gzip",
    ),
    "c.csv": ("id:city:age:score\nc:Cork:1:1\n", "missing_column"),
    "d.csv": (GOOD.encode() + b"d,K\xc3\xb6ln\xff,1,1\n", "invalid_utf8"),
    "e.csv": ("id,city,city,score\ne,Essen,Erfurt,1\n", "duplicate_column"),
    "f.csv": ("id,town,age,score\nf,Fes,1,1\n", "missing_column"),
    "g.csv": ("", "empty_file"),
    "h.csv": ("name,city,age,score\nh,Hull,1,1\n", "missing_column"),
}
FINE_FILES = {
    "i.csv": b"\xef\xbb\xbf" + GOOD.encode() + b"i,Izmir,1,1\n",
    "j.csv": GOOD,
    "k.parquet": parquet(id=["k"], city=["Kiel"], age=[1], score=[1.0]),
}


def test_files_that_cannot_be_used_do_not_stop_the_others(exchange):
    """
    A bad file is named with its reason, in the report and in quarantine, and is read only once.

    A corrected version, dropped under the same name, is applied.
    """
    exchange.configure(crm=JOB)
    for name, (body, _) in BAD_FILES.items():
        exchange.drop(f"inbox/{name}", body)
    for name, body in FINE_FILES.items():
        exchange.drop(f"inbox/{name}", body)

    report = exchange.ask("run", "crm", code=4)

    assert "partial" == report["state"]
    expected = dict.fromkeys(BAD_FILES, "rejected") | dict.fromkeys(FINE_FILES, "applied")
    assert expected == outcomes(report)
    assert {"i", "k"} == set(exchange.braze.users())
    assert '"Izmir"' == exchange.attribute("i", "city")
    assert (2, 2, 0) == (report["rows_read"], report["rows_applied"], report["rows_rejected"])
    notes = {file["key"]: file["note"] for file in report["files"]}
    rows = exchange.quarantined(report)
    assert [(f"inbox/{name}", reason) for name, (_, reason) in BAD_FILES.items()] == [
        (row["file"], row["reason"]) for row in rows
    ]
    for row in rows:
        assert row["message"]
        assert row["message"] == notes[row["file"]]
        assert row["row_id"].endswith("/0") == (row["row"] == "")
    assert len(rows) == len({row["row_id"] for row in rows})

    sent = exchange.braze.requests("/users/track")
    exchange.drop("inbox/d.csv", GOOD + "d,Köln,1,1\n")
    corrected = exchange.ask("run", "crm")
    assert {"d.csv": "applied"} == outcomes(corrected)
    assert '"Köln"' == exchange.attribute("d", "city")
    assert sent + 1 == exchange.braze.requests("/users/track")


def test_rows_that_cannot_be_used_do_not_stop_the_others(exchange):
    """Each bad row is in quarantine with its number, field and reason, and the counts add up."""
    exchange.configure(crm=JOB)
    exchange.drop(
        "inbox/1.csv",
        GOOD
        + "good-1,Graz,1,1.5\n"
        + "ragged,Riga,1\n"
        + ",Nowhere,1,1\n"
        + "   ,Nowhere,1,1\n"
        + f"{'x' * 988},Long,1,1\n"
        + f"{'é' * 493}y,Just right,1,1\n"
        + "uncastable,Ulm,ten,1\n"
        + "not-finite,Nice,1,NaN\n"
        + "infinity,Inca,1,-inf\n"
        + "big,Bonn,9223372036854775808,1\n"
        + "two-at-once,Turin,1.5,much\n"
        + "good-2,Ghent,2,2\n",
    )
    exchange.drop(
        "inbox/2.parquet",
        parquet(
            id=["p-nan", "p-inf", None, "p-good"],
            city=["a", "b", "c", "d"],
            age=[1, 2, 3, 4],
            score=[float("nan"), float("inf"), 1.0, 2.0],
        ),
    )
    exchange.drop("inbox/3.ndjson", '{"id": "n", "city": "Nice", "age": 1, "score": 1}\nnot json\n')

    report = exchange.ask("run", "crm", code=4)

    assert {"1.csv": "applied", "2.parquet": "applied", "3.ndjson": "applied"} == outcomes(report)
    assert [
        ("1.csv", "2", "", "ragged_row"),
        ("1.csv", "3", "external_id", "no_identifier"),
        ("1.csv", "4", "external_id", "no_identifier"),
        ("1.csv", "5", "external_id", "identifier_too_long"),
        ("1.csv", "7", "age", "not_an_integer"),
        ("1.csv", "8", "score", "not_finite"),
        ("1.csv", "9", "score", "not_finite"),
        ("1.csv", "10", "age", "integer_too_big"),
        ("1.csv", "11", "age | score", "not_an_integer | not_a_number"),
        ("2.parquet", "1", "score", "not_finite"),
        ("2.parquet", "2", "score", "not_finite"),
        ("2.parquet", "3", "external_id", "no_identifier"),
        ("3.ndjson", "2", "", "invalid_json"),
    ] == entries(exchange, report, "file", "row", "field", "reason")
    assert {"good-1", "good-2", "é" * 493 + "y", "p-good", "n"} == set(exchange.braze.users())
    assert (18, 5, 13) == (report["rows_read"], report["rows_applied"], report["rows_rejected"])
    assert (5, 5) == (report["profiles_named"], report["profiles_new"])
    for row in exchange.quarantined(report):
        assert f"ow {row['row']}" in row["message"]
        assert row["row_id"].endswith(f"/{row['row']}")
        assert row["record"]


def test_a_refused_key_stops_the_run_and_is_shown_nowhere(exchange):
    """401 ends with code 7, no output holds the key, and the next run goes on with the rest."""
    revoked = "revoked-key-4711"
    exchange.braze.add_segment("All")  # By which the workspace is known under its next key.
    exchange.braze.give_key(revoked)
    exchange.connection["braze"]["api_key"] = "${REVOKED_KEY:-" + revoked + "}"
    exchange.configure(crm=JOB)
    exchange.drop("inbox/0.csv", GOOD)
    exchange.ask("run", "crm")
    exchange.braze.give_key("another-key")
    exchange.drop("inbox/1.csv", GOOD + "a,Ahlen,1,1\n")

    refused = exchange.call("run", "crm", "--json")

    assert 7 == refused.returncode
    assert "failed" == json.loads(refused.stdout)["state"]
    assert "key" in refused.stderr
    for text in (refused.stdout, refused.stderr, *state_texts(exchange)):
        assert revoked not in text
    assert {} == exchange.braze.users()
    for words in (["runs"], ["runs", "--latest"]):
        listed = exchange.call(*words).stdout
        assert "unfinished (delivering)" in listed
        assert "; Braze does not know this API key" in listed

    exchange.connection["braze"]["api_key"] = "${SANDBOX_KEY}"
    exchange.configure(crm=JOB)
    report = exchange.ask("run", "crm")
    assert {"1.csv": "applied"} == outcomes(report)
    assert (1, 1) == (report["rows_read"], report["profiles_new"])
    assert '"Ahlen"' == exchange.attribute("a", "city")


def state_texts(exchange):
    """Read every object below the state prefix, as text as far as it is text."""
    for item in exchange.bucket.list("_exchanger/"):
        yield exchange.bucket.read(item.key)[0].decode(errors="replace")


def test_a_missing_permission_names_it(exchange):
    """403 ends with code 7 and names the endpoint's permission; nothing is lost."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", GOOD + "a,Ahlen,1,1\n")
    exchange.braze.change(api_keys={exchange.braze.api_key: ["segments.list"]})
    denied = exchange.call("run", "crm")
    assert 7 == denied.returncode
    assert "users.track" in denied.stderr

    exchange.braze.change(api_keys={exchange.braze.api_key: None})
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    assert '"Ahlen"' == exchange.attribute("a", "city")


def test_a_bucket_that_is_not_there_is_named(exchange):
    """A wrong bucket ends with code 6 and its name, before anything is sent."""
    exchange.connection["s3"]["bucket"] = "no-such-bucket"
    exchange.configure(crm=JOB)
    failed = exchange.call("run", "crm")
    assert 6 == failed.returncode
    assert "no-such-bucket" in failed.stderr
    assert 0 == exchange.braze.requests("/users/track")


def test_mistakes_of_the_configuration_are_told_together(exchange):
    """An unknown key and a missing variable end with code 3, each named with its place."""
    exchange.connection["braze"]["api_key"] = "${NO_SUCH_VARIABLE}"
    exchange.configure(crm=JOB | {"matches": []})
    wrong = exchange.call("run", "crm")
    assert 3 == wrong.returncode
    assert "NO_SUCH_VARIABLE" in wrong.stderr
    assert "jobs.crm.matches" in wrong.stderr


def test_a_segment_that_is_not_there_gets_near_names(exchange):
    """A misspelt segment ends with code 3 and what it may have meant."""
    exchange.braze.add_segment("VIP customers")
    exchange.configure(
        vip={
            "type": "export",
            "segment": "VIP costumers",
            "fields": {"external_id": "external_id"},
            "target": {"prefix": "exports/vip/"},
        }
    )
    missing = exchange.call("run", "vip")
    assert 3 == missing.returncode
    assert "VIP customers" in missing.stderr


def test_a_file_of_which_no_row_is_taken_is_told_as_rejected(exchange):
    """Nothing of it was applied, so it is not listed as if it had been; others are."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/a.csv", GOOD + "a,Aden,old,1\nb,Bern,older,1\n")
    exchange.drop("inbox/b.csv", GOOD + "c,Cork,old,1\nd,Derry,4,1\n")
    exchange.drop("inbox/c.csv", GOOD + "e,Essen,old,1\n")
    report = exchange.ask("run", "crm", code=4)

    assert {"a.csv": "rejected", "b.csv": "applied", "c.csv": "rejected"} == outcomes(report)
    notes = {file["key"]: file["note"] for file in report["files"] if file["note"]}
    assert {
        "inbox/a.csv": "None of its 2 rows could be taken; quarantine says why.",
        "inbox/c.csv": "Its only row could not be taken; quarantine says why.",
    } == notes
    assert (5, 1, 4) == (report["rows_read"], report["rows_applied"], report["rows_rejected"])


def test_records_of_quarantine_are_the_rows_as_they_were(exchange):
    """A rejected line of NDJSON can be mended and given again: numbers are numbers, not text."""
    rows = [
        {"id": "a", "points": 1.5, "n": 7, "vip": True, "tags": ["x"], "mixed": "t", "o": {"k": 1}},
        {"id": "b", "points": 2, "n": None, "vip": False, "tags": [], "mixed": 12, "o": None},
    ]
    fields = {"points": {"type": "integer"}}
    exchange.configure(crm={**JOB, "fields": fields, "remaining_fields": {"merge": "set"}})
    exchange.drop("inbox/1.ndjson", "".join(json.dumps(row) + "\n" for row in rows))

    report = exchange.ask("run", "crm", code=4)

    (told,) = exchange.quarantined(report)
    assert rows[0] == json.loads(told["record"])


def test_what_a_spreadsheet_would_run_is_given_again_as_it_was(exchange):
    """The quarantine file marks it, with both faults in one line; a retry sends it unmarked."""
    fields = {"city": "set", "age": {"type": "integer"}, "score": {"type": "integer"}}
    exchange.configure(crm={**JOB, "fields": fields})
    exchange.drop("inbox/1.csv", GOOD + "=a,@Köln,-1.5,+2.5\n")
    report = exchange.ask("run", "crm", code=4)

    body, _ = exchange.bucket.read(report["quarantine"])
    assert body.startswith("\ufeffrow_id,".encode())
    (told,) = exchange.quarantined(report)
    assert ("age | score", "'-1.5 | +2.5") == (told["field"], told["value"])

    exchange.configure(crm={**JOB, "fields": fields | {"age": "set", "score": "set"}})
    exchange.ask("retry", "1")
    assert {"=a"} == set(exchange.braze.users())
    assert ('"@Köln"', "-1.5") == tuple(exchange.attribute("=a", n) for n in ("city", "age"))
