"""For which rejected row a corrected one stands, and where corrected rows are looked for."""

from __future__ import annotations

import io

import polars as pl
import pytest

from exchanger.config.answers import AnswerNames
from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import read_table
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.intake.requests import TOGETHER, Correction, FileRequest
from exchanger.jobs.reading.corrected_rows import judge_rows, place_rows
from exchanger.profiles.frames.columns import ROW
from exchanger.state.runs.log import ClaimedFile
from exchanger.state.runs.quarantine import source_of

NOBODY = pl.DataFrame(schema=TOGETHER)


def judged(names, *, still, read, together=NOBODY):
    named = pl.DataFrame({ROW: range(1, len(names) + 1), "_row": names})
    rows = judge_rows(
        named, pl.Series(still, dtype=pl.UInt32), pl.Series(read, dtype=pl.UInt32), together
    )
    return rows["reason"].to_list()


@pytest.mark.parametrize(
    ("names", "reasons"),
    [
        (["2", " 3 ", '"5"'], [None] * 3),
        ([2, 3, 5], [None] * 3),
        ([2.0, 3.5], [None, "no_row_number"]),
        (["2.0"], [None]),
        # Thousands, as some write them: row 2,000 is another one.
        (["2.000", "2,000", "2e0", "-2", ""], ["no_row_number"] * 5),
        ([None, "x"], ["no_row_number"] * 2),
        (["1", "9", "0"], ["row_not_rejected"] * 3),
        (["4"], ["row_given_again"]),
        (["2", "2.0", "3"], ["row_twice", "row_twice", None]),
        # Both name a row that was never rejected: that is what is wrong with them.
        (["1", "1"], ["row_not_rejected"] * 2),
    ],
)
def test_each_row_stands_for_one_that_was_rejected_and_is_still_to_be_given(names, reasons):
    """Run 7 had rejected rows 2 to 5, and row 4 was given again since."""
    assert reasons == judged(names, still=[2, 3, 5], read=[2, 3, 4, 5])


def test_rows_that_replace_an_earlier_version_together_come_together():
    """What the version before gave to a profile is taken back once, so its rows come at once."""
    together = pl.DataFrame([(2, "a"), (3, "a"), (5, "b")], schema=TOGETHER, orient="row")
    asked = {"still": [2, 3, 5, 6], "read": [2, 3, 5, 6], "together": together}
    assert ["rows_missing", None, None] == judged(["2", "5", "6"], **asked)
    assert [None, None] == judged(["3", "2"], **asked)


@pytest.mark.parametrize(
    ("key", "run", "files"),
    [
        ("in/crm_corrected/7/day/a.csv", "7", ["in/crm/day/a.csv"]),
        ("in/crm_corrected/7/a.xlsx.csv", "7", ["in/crm/a.xlsx.csv", "in/crm/a.xlsx"]),
        ("in/crm_corrected/7/crm/a.csv", "7", ["in/crm/crm/a.csv", "in/crm/a.csv"]),
        ("in/crm_corrected/a.csv", "a.csv", ["in/crm/"]),
    ],
)
def test_corrected_rows_lie_as_the_rejected_ones_do(key, run, files):
    """Also of a workbook, and below the name of a job that shares its folder."""
    names = AnswerNames("in/crm/", "crm")
    assert (run, files) == names.corrected_in(key)
    assert "in/crm_corrected/7/a.csv" == names.corrected("in/crm_rejected/7/a.csv")
    # No drop has such a name, so no report of one is in the way.
    told = AnswerNames("in/crm/").report("in/crm_corrected/7/a.csv", "html")
    assert "in/crm_reports/_corrected/7/a.csv.html" == told


def test_a_corrected_row_has_a_name_of_its_own():
    """Else a retry could not tell from where it is read, and would give it twice."""
    claim = ClaimedFile("in/a.csv", "e", "s", "retried")
    corrected = ClaimedFile("in/a.csv", "e", "s", "retried", correction="e2")
    assert {"e", "e+e2"} == {source_of(claim), source_of(corrected)}


ROWS = [
    {"id": "b", "n": 2, "_row": 7},
    {"id": "a", "n": 1, "_row": 3},
    {"id": "c", "n": 3, "_row": 9},
]


def as_file(ending):
    """Write three rows, as they may come back from a spreadsheet or a program."""
    frame, file = pl.DataFrame(ROWS), io.BytesIO()
    if ending == "csv":
        return frame.write_csv(separator=";").encode() + b"torn;4;5;6\n"
    if ending == "ndjson":
        return (frame.write_ndjson() + "torn\n").encode()
    frame.write_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
def test_rows_of_every_format_are_put_in_place_in_the_order_of_their_file(ending, tmp_path):
    """Whatever their order is by now; a row that cannot be read stands for none."""
    path, key = tmp_path / "file", f"in/crm_corrected/1/a.{ending}"
    path.write_bytes(as_file(ending))
    table = read_table(path, key, Source(prefix="in/crm/"), scratch=Scratch(tmp_path))
    rows = pl.Series([3, 7], dtype=pl.UInt32)
    asked = FileRequest(
        "in/crm/a.csv", "e", kept=key, rows=rows, correction=Correction("e2", "s", rows)
    )

    table, request, placed = place_rows(table, asked, "s2")

    assert [(3, "a"), (7, "b")] == table.frame.select(ROW, "id").rows()
    assert {"id", "n", ROW} == {*table.empty.columns}
    torn = [] if ending == "parquet" else ["ragged_row" if ending == "csv" else "invalid_json"]
    assert [(3, "row_not_rejected")] == placed.strange[:1].select(ROW, "reason").rows()
    assert torn == placed.strange[1:]["reason"].to_list()
    assert ([3, 7], [], 2) == (
        placed.rows.sort().to_list(),
        request.corrected.to_list(),
        table.rows,
    )


def test_a_file_that_names_no_rows_is_of_no_use(tmp_path):
    """Nobody can tell what its rows stand for: it is not read as if they were new."""
    path = tmp_path / "file"
    path.write_text("id,n\na,1\n")
    table = read_table(path, "in/a.csv", Source(prefix="in/"), scratch=Scratch(tmp_path))
    rows = pl.Series([1], dtype=pl.UInt32)
    asked = FileRequest(
        "in/a.csv", "e", kept="k", rows=rows, correction=Correction("e2", "s", rows)
    )
    with pytest.raises(FileRejected) as caught:
        place_rows(table, asked, "s2")
    assert "no_row_numbers" == caught.value.reason
