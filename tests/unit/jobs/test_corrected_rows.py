"""For which rejected row a corrected one stands, and where corrected rows are looked for."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.config.answers import AnswerNames
from exchanger.jobs.intake.requests import TOGETHER
from exchanger.jobs.reading.corrected_rows import judge_rows
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
