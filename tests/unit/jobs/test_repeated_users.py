"""Users that an export has more than once."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.segments import dataset
from exchanger.jobs.segments.collect import Chunks
from exchanger.profiles.exported.lines import LineReader
from exchanger.profiles.exported.selection import Selection


@pytest.mark.parametrize("at_once", [1, 2, 1000])
@pytest.mark.parametrize(
    ("archives", "repeated"),
    [
        ([['"a"', '"b"'], ['"c"', '"a"'], ['"b"', '"a"']], {1: [1], 2: [0, 1]}),
        ([['"a"', "null"], ["null", '"b"']], {}),
        ([["null"], ["null"]], {}),
        ([['"1"', '"a"'], ["1", "2"], ['"1"', "2", '"a"']], {2: [0, 1, 2]}),
    ],
)
def test_rows_of_users_that_came_before_are_found(
    tmp_path, monkeypatch, archives, repeated, at_once
):
    """Whatever ids are, and in however many shares they are compared, the first row stays."""
    monkeypatch.setattr(dataset, "_IDS_AT_ONCE", at_once)
    selection = Selection(())
    chunks, reader = Chunks(Scratch(tmp_path).spill()), LineReader(selection)
    for ids in archives:
        chunks.add(reader.read([b'{"braze_id":%b}' % one.encode() for one in ids], "a"), selection)
    found = dataset._repeated(SimpleNamespace(go_on=lambda: None), chunks)
    assert repeated == {index: sorted(rows) for index, rows in found.items()}
    assert sum(map(len, archives)) == chunks.rows
    assert all(isinstance(frame, pl.DataFrame) for frame in chunks.frames.frames())
