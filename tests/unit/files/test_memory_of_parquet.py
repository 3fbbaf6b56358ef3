"""Parquet is read with little of it in memory, however large the file and its groups of rows."""

import base64
import random
import subprocess
import sys

import polars as pl
import pytest

from exchanger.files.scratch.arrow import parquet
from exchanger.files.scratch.frame_file import FrameWriter

ROWS, FRAMES, PORTION = 4_000, 8, 100
FILE = 23 << 20
"""Bytes of each file at least: random texts of 7.5 kB, of which a portion has 0.75 MB."""
MOST = 12 << 20
"""Bytes that Arrow may have at once: some portions, and 1 MB of each column."""

READ_FRAMES = """
from pathlib import Path
from exchanger.files.scratch.frame_file import FrameFile
for frame in FrameFile(Path({path!r})).frames(rows={portion}):
    rows += frame.height
"""
READ_SOURCE = """
from pathlib import Path
from exchanger.config.models import Source
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.files.formats.read import read_table
from exchanger.files.scratch.spill import Scratch
path = Path({path!r})
scratch = Scratch(path.parent, MemoryBudget(rows={portion}, room=0))
rows = read_table(path, path.name, Source(prefix="in/"), scratch=scratch).cells.rows
"""
TELL = """
import pyarrow
print(rows, pyarrow.default_memory_pool().max_memory())
"""


@pytest.fixture(scope="module")
def frames():
    """Rows that follow one another."""
    drawn = random.Random(7)
    texts = [base64.b85encode(drawn.randbytes(6_000)).decode() for _ in range(ROWS)]
    table = pl.DataFrame({"n": range(ROWS), "text": texts})
    return [*table.iter_slices(ROWS // FRAMES)]


def most_memory(reading, path):
    """Read a file in a process of its own; tells the most that Arrow had in memory there."""
    assert path.stat().st_size > FILE
    script = "rows = 0" + reading.format(path=str(path), portion=PORTION) + TELL
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    rows, most = map(int, told.stdout.split())
    assert ROWS == rows
    return most


def test_frames_are_read_in_portions(tmp_path, frames):
    """Of a file of frames a portion is in memory, and not what came before it."""
    writer = FrameWriter(tmp_path / "frames")
    for frame in frames:
        writer.append(frame)

    assert MOST > most_memory(READ_FRAMES, writer.close().path)


@pytest.mark.parametrize("groups", [1, FRAMES])
def test_a_source_file_is_read_in_portions(tmp_path, frames, groups):
    """A file of a source may be larger than memory, also if all its rows are one group."""
    path = tmp_path / "large.parquet"
    table = pl.concat(frames).to_arrow()
    parquet.write_table(table, path, row_group_size=ROWS // groups, use_dictionary=False)

    assert MOST > most_memory(READ_SOURCE, path)
