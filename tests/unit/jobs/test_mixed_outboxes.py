"""Settling a run that sends both changes of profiles and objects that are about no held value."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.files.scratch.budget import MemoryBudget
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.runtime.report import RunReport
from exchanger.jobs.settlement.held_rows import held_of
from exchanger.jobs.settlement.outcomes import OutcomeTally
from exchanger.state.runs.log import ClaimedFile, RunDocument

OUTBOX = pl.DataFrame(
    {
        "@item": pl.Series([0, 1, 2, 3], dtype=pl.UInt32),
        "@profile": ["a", "b", "a", "b"],
        "@rows": pl.Series([1, 1, 1, 1], dtype=pl.UInt32),
        "@points": pl.Series([1, 1, 1, 1], dtype=pl.UInt32),
        "@known": [True, False, None, None],
        "@sure": [True, True, None, None],
        "wanted:tier": ['"gold"', '"gold"', None, None],
    }
)
"""Two profiles, and an event of each."""


def run(**more):
    return RunDocument(1, "r", "job", "settling", "n", 1, "", **more)


def answered(outcome):
    said = {"outcome": outcome, "reason": "why", "uncertain": True}
    return OUTBOX.with_columns(
        pl.lit(value, dtype=pl.Boolean if value is True else pl.String).alias(name)
        for name, value in said.items()
    )


@pytest.mark.parametrize(
    ("outcome", "dropped", "expected"),
    [
        ("ok", False, {"profiles_updated": 1, "profiles_new": 1, "rows_applied": 4}),
        ("refused", False, {"profiles_refused": 2, "rows_refused": 4}),
        (None, True, {"profiles_skipped": 2, "rows_skipped": 4}),
        ("unknown", True, {"profiles_skipped": 2, "rows_skipped": 4}),
    ],
)
def test_only_changes_of_profiles_count_as_profiles(tmp_path, outcome, dropped, expected):
    """All rows count as rows, whatever they became."""
    writer = FrameWriter(tmp_path / "outbox")
    writer.append(OUTBOX)
    scratch = Scratch(tmp_path, MemoryBudget())
    tally = OutcomeTally(run(discarded=dropped), writer.close(), scratch)
    tally.add(answered(outcome))
    report = RunReport("r", "job", "partial")
    tally.into(report)
    counts = {name: n for name, n in vars(report).items() if name.startswith(("rows", "profiles"))}
    assert expected == {name: n for name, n in counts.items() if n}


def test_a_refused_object_counts_for_its_file_also_without_a_row_of_its_own(tmp_path):
    """A row that became several objects has its count at the first; another may be refused."""
    rows = pl.Series("@rows", [1, 1, 1, 0], dtype=pl.UInt32)
    place = pl.Series("@file", [0, 0, 0, 0], dtype=pl.UInt32)
    outbox = OUTBOX.with_columns(rows, place)
    writer = FrameWriter(tmp_path / "outbox")
    writer.append(outbox)
    tally = OutcomeTally(run(), writer.close(), Scratch(tmp_path, MemoryBudget()))
    outcome = pl.when(pl.col("@item") == 3).then(pl.lit("refused")).otherwise(pl.lit("ok"))
    said = (pl.lit("why").alias("reason"), pl.lit(value=False).alias("uncertain"))
    tally.add(outbox.with_columns(outcome.alias("outcome"), *said))
    outcomes = tally.into(RunReport("r", "job", "partial"))
    [file] = outcomes.refused_of([ClaimedFile("in/a.csv", "e", "s", "applied")])
    assert (1, 1) == (outcomes.refused.rows, file.refused)


@pytest.mark.parametrize(
    ("outcome", "held"),
    [("ok", '"gold"'), ("refused", "?"), ("unknown", "?")],
)
def test_only_changes_of_profiles_become_held_values(outcome, held):
    """An event says nothing of what is held, also where nobody knows whether it was taken."""
    rows = held_of(run(), answered(outcome))
    assert [("a", held), ("b", held)] == rows.select("@profile", "tier").rows()
