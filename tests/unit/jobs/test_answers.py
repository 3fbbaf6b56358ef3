"""What is told of what a run did not take, and what no report shows."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.config.answers import AnswerNames, answer_folders
from exchanger.jobs.answers.facts import RunAnswer
from exchanger.jobs.answers.masking import Mask
from exchanger.jobs.answers.not_taken import EXAMPLES, reasons_by_file
from exchanger.jobs.answers.terms import masked_names
from exchanger.notes import noted
from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.state.runs.log import ClaimedFile, RunDocument
from exchanger.state.runs.quarantine import quarantined, to_csv

FILES = [ClaimedFile(key, "e", "s", "applied") for key in ("in/a.csv", "in/b.csv")]


def rejected(*rows, kind="rejected"):
    """Write a quarantine file: file, row, field, value and reason of each fault."""
    columns = [FILE, ROW, "field", "value", "reason"]
    frame = pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.col(FILE, ROW).cast(pl.UInt32), pl.format("is wrong: {}", "reason").alias("message")
    )
    return to_csv(quarantined(frame, FILES, kind))


def test_reasons_are_counted_for_each_file_and_the_first_rows_are_named(tmp_path):
    """
    A row with several faults counts for each; what spreadsheets are kept from is shown as it was.
    """
    path = tmp_path / "q.csv"
    many = [(1, row, "spend", "=1", "not_a_number") for row in range(1, 20)]
    path.write_bytes(rejected((0, 4, "spend", "x", "bad"), (0, 4, "tier", "y | z", "odd"), *many))

    found = reasons_by_file([path, None])

    first = {one["field"]: one for one in found["in/a.csv"]}
    assert [("bad", 1), ("odd", 1)] == [
        (first[name]["reason"], first[name]["rows"]) for name in ("spend", "tier")
    ]
    assert [4] == [example["row"] for example in first["tier"]["examples"]]
    [second] = found["in/b.csv"]
    assert (19, "not_a_number", "rejected") == (second["rows"], second["reason"], second["kind"])
    assert [*range(1, EXAMPLES + 1)] == [example["row"] for example in second["examples"]]
    assert "=1" == second["examples"][0]["value"]


def test_a_row_that_was_refused_twice_is_one_row(tmp_path):
    """
    It became two objects of which Braze took neither: one row of its file, also in many reports.

    In doubt is only what nobody refused.
    """
    twice = [(1, 2, None, None, "refused_by_braze")] * 2
    doubt = [(1, row, None, None, "in_doubt") for row in (2, 3, 4, 4)]
    others = [(1, 5, None, None, "no_effect"), (0, 1, None, None, "refused_by_braze")]
    path = tmp_path / "q.csv"
    path.write_bytes(rejected(*twice, *doubt, *others, kind="refused"))

    found = reasons_by_file([path])
    by_reason = {one["reason"]: one["rows"] for one in found["in/b.csv"]}
    assert {"refused_by_braze": 1, "in_doubt": 3, "no_effect": 1} == by_reason
    files = tuple(replace(file, rows=10) for file in FILES)
    run = RunDocument(1, "r", "crm", "settled", "n", 1, "2026-09-15T10:00:00Z", files=files)
    rows = RunAnswer(run, found, {}, str).facts("in/b.csv")["rows"]
    assert (10, 2, 2, 6) == (rows["read"], rows["refused"], rows["in_doubt"], rows["taken"])


def test_what_is_noted_of_a_run_is_said_of_the_file_that_it_names_or_of_all():
    """In the order in which it was noted."""
    notes = [noted("file_waits", file="in/b.csv", run=1), noted("canary_held"), noted("empty_file")]
    notes += [noted("empty_file", file="in/a.csv"), noted("file_gone", file="in/b.csv")]
    report = {"facts": [note.to_dict() for note in notes]}
    run = RunDocument(
        1, "r", "crm", "settled", "n", 1, "2026-09-15T10:00:00Z", files=tuple(FILES), report=report
    )
    answer = RunAnswer(run, {}, {}, lambda note: note.code)

    assert ["canary_held", "empty_file"] == answer.facts("in/a.csv")["notes"]
    assert ["file_waits", "canary_held", "empty_file", "file_gone"] == answer.facts("in/b.csv")[
        "notes"
    ]


def test_of_a_run_that_is_taken_back_each_file_that_gave_anything_is_told_so():
    """Those of corrected rows, too; what was rejected keeps its answer. A second undo puts back."""
    corrects = noted("rows_corrected", original="in/a.csv", run=1, rows=2, none=0)
    given = ClaimedFile("in/a.csv", "e", "s", "retried", rows=2, kept="c", correction="e")
    files = (
        given,
        replace(given, rows=3, rejected=3, kept="", correction=""),
        ClaimedFile("in_corrected/1/a.csv", "e", "s", "corrected", rows=2, facts=(corrects,)),
        ClaimedFile("in_corrected/1/b.csv", "e", "s", "corrected"),
    )
    first = RunDocument(2, "r", "crm", "settled", "n", 1, "2026-09-15T10:00:00Z", files=files)
    undo = replace(first, seq=3, files=(), takes_back=2)
    answer = RunAnswer(undo, {}, {}, str, parent=first)

    assert ["in/a.csv", "in_corrected/1/a.csv"] == answer.keys
    told = [answer.facts(key) for key in answer.keys]
    assert [("taken_back", 2)] * 2 == [(one["verdict"], one["earlier"]["run"]) for one in told]
    again = replace(answer, run=replace(undo, seq=4, takes_back=3), puts_back=True)
    assert ["put_back"] * 2 == [again.facts(key)["verdict"] for key in again.keys]

    whole = tuple(replace(file, outcome="applied", rows=2) for file in FILES)
    rejected_too = (whole[0], replace(whole[1], outcome="rejected", rows=0))
    answer = RunAnswer(undo, {}, {}, str, parent=replace(first, files=rejected_too))
    assert ["in/a.csv"] == answer.keys


def test_a_quarantine_without_rows_has_no_reasons(tmp_path):
    """Somebody was forgotten, who was all of it."""
    path = tmp_path / "q.csv"
    path.write_bytes(rejected((0, 4, "spend", "x", "bad")).partition(b"\n")[0] + b"\n")
    assert {} == reasons_by_file([path, None])


JOB = import_model(
    match=[{"external_id": "id"}, {"email": "mail"}],
    fields={"mobile": {"from": "phone"}, "tier": {"from": "tier"}},
    remaining_fields=[{"prefix": "crm_"}],
    mask=["phone", "mail", "iban"],
)
MASK = Mask(frozenset(masked_names(JOB)))
REASON = {
    "reason": "not_a_number",
    "rows": 1,
    "examples": [{"row": 1, "value": "v", "message": "v odd"}],
}


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("tier", True),
        ("external_id", True),
        ("mobile", False),  # the attribute that the column becomes
        ("phone", False),
        ("email", False),  # the identifier that the column holds
        ("crm_iban", False),  # a column that nothing names
        (None, False),  # of a row as a whole, any cell may be quoted
    ],
)
def test_no_value_of_a_masked_column_is_shown(field, shown):
    """Neither it nor a sentence that may quote it; how many rows, and which, is."""
    [example] = MASK.of_reason(REASON | {"field": field})["examples"]
    assert (1, shown) == (example["row"], example["value"] == "v")
    assert shown == (example["message"] == "v odd")


@pytest.mark.parametrize(
    ("reason", "field", "value", "words", "record"),
    [
        # What is said of the address names the person, too.
        ("would_duplicate", "tier", "gold", "the external_id 4711 in Braze", "{}"),
        ("no_such_reason_yet", "tier", "gold", "of 4711", "{}"),
        ("not_a_number", "tier", "call 4711, please", "call 4711", '{"tier": "x", "iban": 4711}'),
        ("not_a_number", "tier", "4711", "4711", '{"email": {"told": ["4711"]}}'),
        ("not_a_number", "tier", "4711", "4711", "no object, but 4711"),
    ],
)
def test_what_a_row_has_in_a_masked_column_is_shown_nowhere(reason, field, value, words, record):
    """Sentences quote other cells, and cells repeat others; a row that nobody can read has any."""
    one = {"row": 1, "value": value, "message": f"Row 1: {words}", "record": record}
    told = MASK.of_reason({"reason": reason, "field": field, "rows": 1, "examples": [one]})
    assert "4711" not in str(told)
    assert (told["masked"], told["examples"][0]["row"]) == (True, 1)


@pytest.mark.parametrize(
    ("reason", "field", "shown"),
    [
        ("packed", None, True),
        ("empty_file", None, True),
        # Where a file has no header, its first row is taken for the names of columns.
        ("missing_column", "id", False),
        ("new_column", "tier", False),
    ],
)
def test_of_a_whole_file_is_said_what_quotes_nothing_of_it(reason, field, shown):
    """Else nobody would learn what to do about it; and nobody what is in it."""
    one = {"row": None, "value": None, "message": "Its columns are: 4711.", "record": None}
    told = MASK.of_reason({"reason": reason, "field": field, "rows": 1, "examples": [one]})
    note = noted("file_rejected", reason=reason, message=one["message"])
    assert [shown, shown] == ["4711" in str(told), "4711" in MASK.of_note(note, str)]


def test_cells_beside_a_mask_are_shown():
    """A value that only begins like a masked one is another."""
    record = '{"tier": "47110", "iban": "4711"}'
    one = {"row": 1, "value": "47110", "message": "47110 is not a number", "record": record}
    told = MASK.of_reason(REASON | {"field": "tier", "examples": [one]})
    assert [{"row": 1, "value": "47110", "message": "47110 is not a number"}] == told["examples"]
    assert "masked" not in told


@pytest.mark.parametrize(
    ("job", "name"),
    [
        ({"match": [{"external_id": "secret"}]}, "match"),
        (
            {
                "object": "events",
                "event": {"name": {"value": "E"}, "time": {"from": "t"}},
                "row_id": "secret",
            },
            "row_id",
        ),
        (
            {"object": "events", "event": {"name": {"from": "secret"}, "time": {"from": "t"}}},
            "name",
        ),
        ({"object": "catalog_items", "catalog": "c", "id": "secret", "fields": {"a": {}}}, "id"),
        ({"source": {"prefix": "in/", "order_by": "secret"}}, "secret"),
    ],
)
def test_whatever_a_masked_column_is_called_is_masked(job, name):
    """Also where it is what names a row, an item or an order, or a part of an object."""
    usual = {} if "object" in job else {"fields": {"a": {}}}
    assert name in set(masked_names(import_model(**usual, **job, mask=["secret"])))


def test_words_of_earlier_versions_are_not_shown_beside_a_mask():
    """Nobody can tell any more what they quote."""
    claims = (ClaimedFile("in/a.csv", "e", "s", "rejected", note="4711 is no number"),)
    run = RunDocument(1, "r", "crm", "settled", "n", 1, "2026-09-15T10:00:00Z", files=claims)

    def notes(mask):
        return RunAnswer(run, {}, {}, str, mask=mask).facts("in/a.csv")["notes"]

    assert ["4711 is no number"] == notes(Mask())
    [said] = notes(MASK)
    assert "4711" not in said


def test_notes_about_masked_columns_say_what_about_alone():
    """So do the words of why a file was rejected, which may quote a cell."""
    quoting = [
        noted("file_rejected", reason="bad_cell", message="'4711' is no number"),
        noted("stray_words", column="phone", words=["4711"]),
        noted("not_kept", field="mobile", sent="4711"),
        noted("would_add", totals={"mobile": "4711"}),
    ]
    for note in quoting:
        assert "4711" not in MASK.of_note(note, str)
        assert "4711" in Mask().of_note(note, str)
    assert "column: tier" in MASK.of_note(noted("stray_words", column="tier"), str)
    assert {"tier": "1"} == MASK.of_totals({"tier": "1", "mobile": "2"})


def test_answers_lie_beside_the_folder():
    """Folders within the prefix are kept; of two jobs of a folder each has its own."""
    names = AnswerNames("in/crm/")
    assert "in/crm_reports/day/a.csv.html" == names.report("in/crm/day/a.csv", "html")
    shared = names.of("crm", shared=True)
    assert "in/crm_reports/a.csv.crm.json" == shared.report("in/crm/a.csv", "json")
    assert "in/crm_rejected/7/day/a.xlsx.csv" == names.rejected(7, "in/crm/day/a.xlsx")
    folders = answer_folders(import_model(fields={"a": {"from": "a"}}))
    assert ("inbox_reports/", "inbox_rejected/", "inbox_corrected/") == folders


@pytest.mark.parametrize("letter", ["x", "\u00e9"])
def test_names_that_would_be_too_long_for_s3_are_cut(letter):
    """Each is still one of its own, with the ending that says how to read it."""
    names = AnswerNames("in/crm/").of("crm", shared=True)
    long = "in/crm/" + (1_000 // len(letter.encode())) * letter
    first, second = f"{long}1.csv.gz", f"{long}2.csv.gz"
    told = [names.report(key, ending) for key in (first, second) for ending in ("json", "html")]
    rows = [names.rejected(7, key) for key in (first, second)]
    corrected = [names.corrected(key) for key in rows]
    written = [*told, *rows, *corrected]
    assert len(written) == len(set(written))
    assert max(len(key.encode()) for key in written) <= 1_024
    assert all(key.endswith((".crm.json", ".crm.html")) for key in told)
    assert all(key.startswith("in/crm_rejected/7/crm/") for key in rows)
    assert all(key.endswith(".csv.gz") for key in rows)
    assert names.stands_for(corrected[0], 7, first)
    assert not names.stands_for(corrected[0], 7, second)


class Counted(tuple[ClaimedFile, ...]):
    """The files of a run, which count how often somebody goes through all of them."""

    __slots__ = ()
    times = 0

    def __iter__(self):
        type(self).times += 1
        return super().__iter__()


def test_answers_about_many_files_go_through_them_a_few_times_not_once_for_each():
    """Else twice as many files would take four times as long; and each has what is its own."""
    Counted.times = 0
    files = Counted(ClaimedFile(f"in/{n}.csv", "e", "s", "applied", rows=n) for n in range(50))
    noted_of = [{"key": "in/7.csv", "facts": [noted("header_again", times=2).to_dict()]}]
    run = RunDocument(
        1, "r1", "crm", "settled", "n", 1, "2026-09-15T10:00:00Z", files=files,
        report={"files": noted_of, "facts": []},
    )  # fmt: skip
    answer = RunAnswer(run, {}, {}, lambda note: note.code)

    told = [answer.facts(key) for key in answer.keys]

    assert [*range(50)] == [one["rows"]["read"] for one in told]
    assert {50} == {one["whole_run"]["files"] for one in told}
    assert [7] == [at for at, one in enumerate(told) if one["notes"] == ["header_again"]]
    assert Counted.times < 5
