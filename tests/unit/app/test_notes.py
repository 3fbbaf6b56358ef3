"""What is noted, in words: each code with its facts is one sentence, and none is without."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import get_args

import pytest

import exchanger
from exchanger.app.messages.notes.words import WORDS, facts_of, in_words, worded, worded_hold
from exchanger.app.results import Rows
from exchanger.jobs.runtime.report import FileReport, RunReport
from exchanger.notes import Note, NoteCode, noted, with_notes
from exchanger.state.runs.log import ClaimedFile, RunDocument

TABLE = Path(__file__).with_name("noted_and_said.ndjson").read_text().splitlines()
"""A sentence in each line, with the code and the facts that it says."""


@pytest.mark.parametrize("line", TABLE)
def test_a_note_is_a_sentence(line):
    """A person reads what was found, and what to type where something is to be done."""
    content = json.loads(line)
    assert content.pop("said") == in_words(Note.from_dict(content))


WHERE = " --connection eu"
ASKS = re.compile(r"exchanger (?:adopt|approve|discard|retry|show|undo)\b")


@pytest.mark.parametrize("line", TABLE)
def test_a_note_of_one_of_several_connections_says_which_one_it_is(line):
    """
    Each connection counts its runs from 1, so what is proposed would ask which one is meant.

    Nothing else is said otherwise, and nothing is said twice.
    """
    note = Note.from_dict({k: v for k, v in json.loads(line).items() if k != "said"})
    said = in_words(note, WHERE)
    assert in_words(note).replace(WHERE, "") == said.replace(WHERE, "")
    proposed = ASKS.split(said)[1:]
    assert [] == [rest for rest in proposed if not re.match(r"( (\d+|NUMBER))?" + WHERE, rest)]
    assert len(proposed) == said.count(WHERE)


def test_every_code_has_words_and_a_sentence_that_is_tried():
    """No code is without words, no words are without a code, and each is in the table above."""
    tried = {json.loads(line)["code"] for line in TABLE}
    assert set(get_args(NoteCode)) == set(WORDS) == tried


def noted_in_the_package():
    """Yield the code of each note that is made anywhere, with the names of its facts."""
    for path in Path(exchanger.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "noted" and call.args:
                code = call.args[0]
                codes = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
                for one in codes:
                    yield ast.literal_eval(one), {fact.arg for fact in call.keywords}


def test_what_is_noted_has_the_facts_that_its_words_need():
    """Every note that the package makes can be said, and no words are for notes of nobody."""
    made = list(noted_in_the_package())
    assert [] == [one for one in made if one[1] != facts_of(WORDS[one[0]])]
    assert set(WORDS) == {code for code, _ in made}


def test_a_note_about_a_file_begins_with_its_key():
    """Whether its words name the file by themselves or not, it is named once."""
    about = noted("replaced_since").about("in/a.csv")
    assert in_words(about).startswith("in/a.csv: a newer version was applied")
    assert in_words(noted("changed_while_read", file="in/a.csv")).startswith("in/a.csv was")


def test_a_note_of_a_newer_version_is_shown_as_facts():
    """What has no words here, or other facts, is neither lost nor a failure."""
    assert "moon phase (full: True)" == in_words(Note("moon_phase", {"full": True}))
    assert "stopped (by: moon)" == in_words(Note("stopped", {"by": "moon"}))


def test_facts_of_one_name_are_of_one_type():
    """All that may be noted of runs goes into one table."""
    facts = [{**json.loads(line), "said": ""} for line in TABLE]
    assert 1 == Rows([{"facts": facts}]).to_frame().height


NOT_TAKEN = noted("no_row_taken", rows=9, planned=False)
REPORT = RunReport(
    run_id="r",
    job="crm",
    files=[FileReport("in/a.csv", "rejected", 9, facts=(NOT_TAKEN,))],
    facts=[noted("values_kept", values=2), noted("several_runs", runs=[4, 5])],
)


def test_a_report_keeps_facts_and_gets_words_beside_them():
    """Programs read what is noted by its code, people by its sentence; words are not stored."""
    stored = REPORT.to_dict()
    assert ([], "") == (stored["notes"], stored["files"][0]["note"])
    assert REPORT == RunReport.from_dict(stored)
    shown = worded(stored, "")
    assert {"code": "values_kept", "values": 2} == shown["facts"][0]
    assert [in_words(note) for note in REPORT.facts] == shown["notes"]
    assert in_words(NOT_TAKEN) == shown["files"][0]["note"]
    assert shown == RunReport.from_dict(shown).to_dict()


OLD_FILE = {"key": "in/a.csv", "outcome": "replaced", "rows": 0, "note": "It is a new version."}
OLD = {"run_id": "r", "job": "crm", "notes": ["It was slow."], "files": [OLD_FILE]}


def test_what_an_earlier_version_noted_is_shown_as_it_stands():
    """Its documents have sentences and no facts; what is noted since comes after them."""
    assert (OLD["notes"], OLD_FILE) == (worded(OLD, "")["notes"], worded(OLD, "")["files"][0])
    since = worded(with_notes(OLD, [noted("released", run=4)]), "")
    assert ["It was slow.", "Released: run 4 applied it."] == since["notes"]
    stored = RunReport.from_dict(OLD).to_dict()
    assert worded(OLD, "")["notes"] == worded(stored, "")["notes"]
    held = {"run": 3, "notes": {"in/a.csv": OLD_FILE["note"]}, "facts": {"in/a.csv": []}}
    assert held == worded_hold(held, "")


def test_a_run_document_keeps_what_is_noted_of_its_files():
    """It is read back as it was; that of an earlier version has a sentence in its place."""
    files = tuple(
        ClaimedFile("in/a.csv", "e", "s", "replaced", **noted_as)
        for noted_as in ({"facts": (noted("new_version", set_before=["a"]),)}, {"note": "It is."})
    )
    run = RunDocument(
        1, "r", "crm", "planned", "n", 1, "2026-09-15", files, report=REPORT.to_dict()
    )
    assert run == RunDocument.from_bytes(run.to_bytes(), "1")
    content = json.loads(run.to_bytes())
    for file in content["files"]:
        del file["facts"]
    old = RunDocument.from_bytes(json.dumps(content).encode(), "1")
    assert [("", ()), ("It is.", ())] == [(file.note, file.facts) for file in old.files]
