"""What became of a file, in words: what happened, and what to type."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchanger.app.messages.files import describe_fate, describe_recent, describe_unclaimed
from exchanger.app.messages.notes.words import in_words
from exchanger.files.folders import Why
from exchanger.jobs.inventory.file_fate import FileFate, JobStand
from exchanger.jobs.inventory.left_over import by_run, note_left
from exchanger.jobs.inventory.unclaimed import Unclaimed
from exchanger.outside.s3.objects import ObjectInfo
from exchanger.state.inputs.left_over import LeftOver

KEY = "in/a.csv"
THERE = ObjectInfo(KEY, "e", 12, datetime(2026, 9, 15, 10, tzinfo=UTC))
RUN = {"run": 3, "job": "crm", "key": KEY, "etag": "e", "rows": 10, "rejected": 0, "refused": 0}


def version(outcome, **more):
    return RUN | {"outcome": outcome, **more}


def last_line(there=THERE, versions=(), *stands, **more):
    return describe_fate(FileFate(KEY, there, [*versions], [*stands], **more), " --connection eu")[
        -1
    ].strip()


@pytest.mark.parametrize(
    ("stand", "said"),
    [
        (JobStand("crm", "to_be_read"), "next: crm has not read it yet: exchanger run crm"),
        (
            JobStand("crm", "begun", 4),
            "next: run 4 of crm has begun with it: exchanger run crm",
        ),
        (
            JobStand("crm", "held_back", 4),
            (
                "next: it waits for a person: exchanger approve 4 --connection eu, or exchanger "
                "discard 4 --connection eu"
            ),
        ),
        (
            JobStand("crm", "left_over", 4, "file"),
            (
                "next: correct the file and drop it again; or correct the job, and then: exchanger "
                "retry 4 --connection eu"
            ),
        ),
        (
            JobStand("crm", "left_over", 4, "rows"),
            (
                "next: give the rows corrected in a new file; or correct the job, and then: "
                "exchanger retry 4 --connection eu"
            ),
        ),
        (
            JobStand("crm", "left_over", 4, "rows", "in_rejected/4/", "in_corrected/4/"),
            (
                "next: correct the rows of in_rejected/4/, and drop the result under the same name "
                "in in_corrected/4/; or give them corrected in a new file; or correct the job, and "
                "then: exchanger retry 4 --connection eu"
            ),
        ),
        (
            JobStand("crm", "left_over", 4, "snapshot"),
            (
                "next: drop the whole file again, corrected, and never these rows alone; or "
                "correct the job, and then: exchanger retry 4 --connection eu"
            ),
        ),
        (
            JobStand("crm", "left_over", 4, "refused"),
            "next: to give again what Braze refused: exchanger retry 4 --connection eu",
        ),
        (
            JobStand("crm", "dropped", 4),
            "crm does not read this version again, as a person dropped it",
        ),
        (JobStand("crm", "taken", 4), "crm has taken all of it; nothing is to be done"),
    ],
)
def test_the_last_line_says_what_to_do(stand, said):
    """Where several connections count runs, the command names the one that is meant."""
    assert said == last_line(THERE, (), stand)


def test_a_retry_of_what_was_read_from_a_file_needs_the_file():
    """Its rows are read again, so it has to be there."""
    stand = JobStand("crm", "left_over", 3, "rows")
    said = last_line(None, [version("applied", rejected=2)], stand)
    assert said.endswith("put the same file back, and: exchanger retry 3 --connection eu")


WHY: dict[Why, str] = {
    "ours": "no job takes it: exchanger or Braze writes here, and nothing of it is read",
    "hidden": "next: drop it under another name",
    "marker": "no job takes it, as it has no content, or stands for a folder",
    "unfinished": "next: once all of it has arrived, give it its own name",
    "pattern": "next: drop it under a name that fits, or set source.pattern of the job",
    "folder": "next: drop it into the folder of a job (exchanger jobs), or make a job for this one",
}


@pytest.mark.parametrize("why", WHY)
def test_why_no_job_takes_a_file_is_said(why):
    """Each reason has its words, and what to do about it where something is to be done."""
    assert WHY[why] == last_line(why=why)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (version("applied"), "applied, 10 rows"),
        (version("applied", rows=1, rejected=1), "applied, 1 row, 1 of them rejected"),
        (version("retried", refused=4), "given again in part, 10 rows, 4 of them refused"),
        (version("rejected", rows=0, note="No header."), "rejected. No header."),
        (version("applied", rows=None), "applied"),
        (version("something_new"), "something new"),
    ],
)
def test_what_a_run_did_is_one_line(told, said):
    """Runs of which no numbers were kept are told without."""
    assert [f"{KEY}: run 3 of crm: {said}"] == describe_recent([told])


def test_nothing_is_said_as_well():
    """An empty answer is a sentence, too."""
    assert ["No run has met a file yet."] == describe_recent([])
    [said] = describe_unclaimed([])
    assert said.endswith("is taken by a job.")


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            Unclaimed("in/new/", "folder", "", "", files=2, example="in/new/a.csv"),
            "no job reads in/new/, with 2 files such as in/new/a.csv",
        ),
        (
            Unclaimed("inn/", "folder", "crm", "in/", files=1_000, example="inn/a.csv"),
            "no job reads inn/, with 1,000 or more files such as inn/a.csv; crm reads in/",
        ),
        (
            Unclaimed("a.csv", "folder", "crm", "in/"),
            "no job takes a.csv: none reads this folder; crm reads in/",
        ),
    ],
)
def test_what_no_job_takes_is_one_line(one, said):
    """A folder is told as one, with the job that was probably meant."""
    assert [said] == describe_unclaimed([one])


def test_many_files_that_were_not_taken_are_a_few_lines():
    """The newest runs are named; however many files lie there, a person can read it."""
    left = {f"in/{n}.csv": LeftOver(n // 2, "e", 10, 3, 0) for n in range(2, 200)}
    said = [in_words(note) for note in note_left(by_run(left), "eu")]
    notes = note_left(by_run(left), "eu", "in/")
    place = next(note for note in notes if note.code == "correct_in_place")
    assert said == [in_words(note) for note in notes if note is not place]
    # That of the newest run shows where those of the others are.
    assert "in_corrected/99/" == place.facts["corrected_rows"]
    assert 4 == len(said)
    assert said[0].startswith("Run 99 did not take all of in/198.csv and 1 more file, which")
    assert said[0].endswith("exchanger retry 99 --connection eu")
    assert said[3].startswith("Of 192 more files, older runs did not take all")


def test_a_key_with_spaces_can_be_typed_as_it_is_proposed():
    """By whoever gives once more what was taken back."""
    undone = [version("applied", taken_back_by=5)]
    [*_, said] = describe_fate(FileFate("in/a b.csv", THERE, undone, [JobStand("c", "taken", 3)]))
    assert said.endswith("exchanger backfill c --prefix 'in/a b.csv' --force")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("applied", "once more: exchanger backfill crm --prefix in/a.csv --force"),
        ("retried", "what you need of that belongs into a new file"),
        ("corrected", "what you need of that belongs into a new file"),
    ],
)
def test_what_was_taken_back_is_not_told_as_taken(outcome, said):
    """Also where nothing of it was a sum, of which alone the undo itself remembers the file."""
    to_and_fro = [version("undone", taken_back_by=4), version(outcome, taken_back_by=5)]
    lines = describe_fate(FileFate(KEY, THERE, to_and_fro, [JobStand("crm", "taken", 3)]))
    assert "; taken back by run 5" in lines[2]
    assert "next: run 5 took back what run 3 applied of it" in lines[-1]
    assert lines[-1].endswith(said)
