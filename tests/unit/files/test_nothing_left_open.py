"""What fails leaves no file open and no thread at work, also while somebody holds the error."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.csv import read as csv_text
from exchanger.files.formats.read import read_table
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.files.scratch.prefetch import prefetch
from exchanger.files.scratch.spill import Scratch
from exchanger.files.write import PartWriter


def open_below(folder: Path) -> list[str]:
    """List the files of a folder that this process has open."""
    found = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(number.readlink()))
    return [path for path in found if path.startswith(str(folder))]


def threads(name: str) -> list[str]:
    """List the threads that are called so."""
    return [t.name for t in threading.enumerate() if t.name.startswith(name)]


@pytest.mark.parametrize("rows", [10, 30_000])
def test_a_writer_of_frames_is_closed_where_its_caller_fails(tmp_path, rows):
    """Neither the file nor the thread that writes large frames outlives the block."""
    before = threads("frames")

    def write():
        with FrameWriter(tmp_path / "f") as writer:
            writer.append(pl.DataFrame({"n": range(rows)}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as held:
        write()
    assert held.value
    assert (before, []) == (threads("frames"), open_below(tmp_path))


def test_a_writer_of_frames_is_closed_where_its_thread_failed(tmp_path):
    """What goes wrong beside is raised, and nothing stays open for it."""

    def refuse(_path):
        raise OSError("no room left")

    before = threads("frames")
    writer = FrameWriter(tmp_path / "f", refuse)
    writer.append(pl.DataFrame({"n": range(30_000)}))
    with pytest.raises(OSError, match="no room left"):
        writer.close()
    assert (before, []) == (threads("frames"), open_below(tmp_path))


@pytest.mark.parametrize("format_", ["parquet", "csv", "ndjson"])
def test_a_writer_of_parts_is_closed_where_its_caller_fails(tmp_path, format_):
    """A part that never became full is not left open."""
    frame = pl.DataFrame({"n": [1, 2, 3]})

    def write():
        with PartWriter(tmp_path, format_, frame.schema, frozenset(), 5) as writer:
            assert [] == [*writer.append(frame)]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as held:
        write()
    assert held.value
    assert [] == open_below(tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "a.ndjson", "a.parquet"])
def test_a_file_that_is_read_is_closed_where_its_rows_have_no_room(tmp_path, monkeypatch, name):
    """Where rows cannot be kept, the file is closed and nobody reads on in it."""
    monkeypatch.setattr(csv_text, "_SMALL", 0)
    frame = pl.DataFrame({"id": [f"p{n}" for n in range(5_000)], "n": range(5_000)})
    path = tmp_path / name
    if "csv" in name:
        packing = {"gz": "gzip", "zst": "zstd"}.get(name.split(".")[-1], "uncompressed")
        frame.write_csv(path, compression=packing)
    elif name == "a.ndjson":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path, row_group_size=100)
    nowhere = Scratch(tmp_path / "not there", MemoryBudget(rows=100, room=0))
    before = threads("ahead")

    with pytest.raises((OSError, FileRejected)) as held:
        read_table(path, name, Source(prefix="in/"), nowhere)

    assert held.value
    assert (before, []) == (threads("ahead"), open_below(tmp_path))


def test_who_stops_early_ends_what_makes_the_items(tmp_path):
    """A source that holds a file open is closed with the one who goes through it."""
    path = tmp_path / "lines"
    path.write_text("a\nb\nc\n")

    def lines():
        with path.open() as file:
            yield from file

    source = lines()
    coming = prefetch(source)
    assert "a\n" == next(coming)
    coming.close()
    assert [] == open_below(tmp_path)
    assert [] == [*source]
