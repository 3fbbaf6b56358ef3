"""Frames that wait, in memory or on disk, come back as they were."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from exchanger.config.models import Source
from exchanger.files.formats.read import read_table
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.files.scratch.spill import Scratch

FRAMES = [
    pl.DataFrame({"a": [1, 2], "b": [["x"], None]}),
    pl.DataFrame({"a": [3], "c": ["y"]}),
    pl.DataFrame({"a": pl.Series([], dtype=pl.Int64)}),
    pl.DataFrame(
        {
            "a": pl.Series([10**37, None, -(2**100)], dtype=pl.Int128),
            "d": pl.Series(["1.50", None, "-2"]).cast(pl.Decimal(38, 2)),
            "t": pl.Series([datetime(2026, 1, 2, 3, tzinfo=UTC)] * 3),
            "n": pl.Series([None] * 3, dtype=pl.Null),
        }
    ),
]
CSV = "id,n\n" + "".join(f"p{n},{n}\n" for n in range(20)) + "late,1.5\nragged\n\nlast,"


@pytest.mark.parametrize("room", [0, 40, 1 << 20])
def test_frames_come_back_in_order(tmp_path, room):
    """However much room there is in memory, frames come back the same, and as often as asked."""
    spill = Scratch(tmp_path, MemoryBudget(room=room)).spill()
    for frame in FRAMES:
        spill.add(frame)

    for _ in range(2):
        assert all(a.equals(b) for a, b in zip(FRAMES, spill.frames(), strict=True))
        assert [f.schema for f in FRAMES] == [f.schema for f in spill.frames()]
    assert [["a", "b"], ["a"], ["a"], ["a"]] == [f.columns for f in spill.frames(["b", "a"])]
    assert 6 == spill.rows
    assert bool(room < 1 << 20) == bool([*tmp_path.iterdir()])


def test_what_is_forgotten_leaves_room(tmp_path):
    """Room and disk are given back, so that the next frames find them."""
    measured = Scratch(tmp_path).spill()
    measured.add(FRAMES[0])
    scratch = Scratch(tmp_path, MemoryBudget(room=measured.size))
    first, second = scratch.spill(), scratch.spill()
    first.add(FRAMES[0])
    second.add(FRAMES[1])
    assert 1 == len([*tmp_path.iterdir()])
    first.clear()
    second.clear()
    first.add(FRAMES[0])

    assert [] == [*first.frames()][1:]
    assert [] == [*tmp_path.iterdir()]


@pytest.mark.parametrize("room", [0, 1 << 20])
def test_each_frame_that_is_taken_leaves_room_at_once(tmp_path, room):
    """What is worked on once need not wait for the end: what becomes of it finds its room."""
    spill = Scratch(tmp_path, MemoryBudget(room=room)).spill()
    for frame in FRAMES:
        spill.add(frame)
    left = []
    for frame, taken in zip(FRAMES, spill.taken(), strict=True):
        assert frame.equals(taken)
        left.append((spill.rows, spill.size))

    assert [(4, True), (3, True), (3, True), (0, False)] == [(n, size > 0) for n, size in left]
    assert [] == [*spill.frames()]
    assert spill.scratch.take(room)


def test_every_frame_can_be_changed(tmp_path):
    """A change reaches frames in memory and on disk."""
    spill = Scratch(tmp_path, MemoryBudget(room=40)).spill()
    for frame in FRAMES[:2]:
        spill.add(frame)
    spill.change(lambda frame: frame.select(pl.col("a") * 10))

    assert [[10, 20], [30]] == [frame["a"].to_list() for frame in spill.frames()]


def test_a_file_of_frames_is_read_frame_by_frame_or_in_portions(tmp_path):
    """Each frame that was written is a group of rows, and portions have as many as asked."""
    writer = FrameWriter(tmp_path / "frames.parquet")
    for first in (0, 5, 10):
        writer.append(pl.DataFrame({"n": range(first, first + 5), "t": ["x"] * 5}))
    writer.append(pl.DataFrame(schema={"n": pl.Int64, "t": pl.String}))
    frames = writer.close()

    assert (15, 15) == (writer.rows, frames.rows)
    assert [5, 5, 5] == [frame.height for frame in frames.frames()]
    portions = [*frames.frames(["n"], rows=4)]
    assert [*range(15)] == pl.concat(portions)["n"].to_list()
    assert max(portion.height for portion in portions) <= 4
    assert ["n", "t"] == frames.empty().columns


def test_large_frames_are_written_beside_and_stay_in_order(tmp_path):
    """Whatever is written in a thread is in the file when it is told to have grown, and at last."""
    seen = []
    writer = FrameWriter(tmp_path / "f", lambda path: seen.append(path.stat().st_size))
    sizes = [30_000, 1, 40_000, 30_000]
    for number, size in enumerate(sizes):
        writer.append(pl.DataFrame({"n": [number] * size}))
    frames = writer.close()

    assert sizes == [frame.height for frame in frames.frames()]
    assert [0, 1, 2, 3] == [frame["n"][-1] for frame in frames.frames()]
    assert seen == sorted(set(seen))
    assert len(sizes) == len(seen)


@pytest.mark.parametrize(("room", "files"), [(150_000, 0), (100_000, 1)])
def test_texts_take_the_room_that_they_have_in_memory(tmp_path, room, files):
    """Where texts are, within lists too, takes nearly as much again as short texts themselves."""
    frame = pl.DataFrame({"t": ["x" * 20] * 1_000, "l": [["y" * 20, "z" * 20]] * 1_000})
    spill = Scratch(tmp_path, MemoryBudget(room=room)).spill()
    spill.add(frame)

    # Three texts of 20 bytes, and 16 bytes for the place of each, in each of a thousand rows.
    assert 3 * 36 * 1_000 <= spill.size < 150_000
    assert files == len([*tmp_path.iterdir()])


def test_files_are_read_without_pandas(tmp_path):
    """Where pandas is installed it is left alone: importing it takes half a second, and 40 MB."""
    path = tmp_path / "f.parquet"
    pl.DataFrame({"a": ["x"], "s": [{"x": 1}]}).write_parquet(path)
    code = """
import sys
from pathlib import Path
from exchanger.config.models import Source
from exchanger.files.scratch.frame_file import FrameFile
from exchanger.files.formats.read import read_table
path = Path(sys.argv[1])
FrameFile(path).empty()
[*read_table(path, "f.parquet", Source(prefix="in/")).pieces()]
print([name for name in ("polars", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)

    assert ("['polars']\n", "") == (done.stdout.decode(), done.stderr.decode())


def test_columns_that_are_as_they_are_used_are_read_without_arrows_functions(tmp_path):
    """Loading these takes a third of a second, and most files have no column to be cast."""
    path = tmp_path / "f.parquet"
    at = datetime(2026, 9, 15, tzinfo=UTC)
    cells = {"t": ["x"], "n": [1], "d": [Decimal("1.50")], "at": [at], "day": [at.date()]}
    cells |= {"l": [["a", "b"]]}
    pl.DataFrame(cells).write_parquet(path)
    code = """
import sys
from pathlib import Path
from exchanger.config.models import Source
from exchanger.files.formats.read import read_table
[*read_table(Path(sys.argv[1]), "f.parquet", Source(prefix="in/")).pieces()]
print("pyarrow.compute" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)

    assert ("False\n", "") == (done.stdout.decode(), done.stderr.decode())


def refuse(_path):
    """Be of no help to a writer."""
    raise OSError("no room left")


@pytest.mark.parametrize("rows", [10, 30_000])
def test_what_goes_wrong_beside_is_raised_to_the_caller(tmp_path, rows):
    """Whoever writes, an error is not lost: the next call raises it, at the latest the last one."""
    writer = FrameWriter(tmp_path / "f", refuse)

    def write():
        writer.append(pl.DataFrame({"n": range(rows)}))
        writer.close()

    with pytest.raises(OSError, match="no room left"):
        write()


@pytest.mark.parametrize("rows", [1, 3, 7, 1_000])
@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a.parquet"])
def test_a_file_reads_the_same_in_pieces(tmp_path, rows, name):
    """Row numbers, bad rows, types and JSON columns do not depend on the size of pieces."""
    path = tmp_path / name
    if name.endswith("csv"):
        path.write_text(CSV)
    elif name.endswith("ndjson"):
        lines = [f'{{"id": "p{n}", "n": {n}}}' for n in range(20)]
        path.write_text("\n".join([*lines, "?", '{"n": [1], "late": true}', '{"n": 1.5}']))
    else:
        frame = pl.DataFrame({"n": range(20), "s": [{"x": n} for n in range(20)]})
        frame.write_parquet(path, row_group_size=6)
    whole = read_table(path, name, Source(prefix="in/"))
    parted = read_table(
        path, name, Source(prefix="in/"), scratch=Scratch(tmp_path, MemoryBudget(rows=rows, room=0))
    )

    assert whole.frame.equals(parted.frame)
    assert whole.bad_rows.equals(parted.bad_rows)
    assert whole.json_columns == parted.json_columns
    assert rows >= max(piece.height for piece in parted.pieces())
    assert whole.rows == parted.rows >= 20


@pytest.mark.parametrize("name", ["f.csv", "f.ndjson", "f.parquet"])
def test_rows_of_long_texts_come_in_smaller_pieces(tmp_path, name):
    """What is worked on at once is bounded by its bytes, not only by its rows."""
    size = 4 << 20
    frame = pl.DataFrame({"id": [f"p{n}" for n in range(20_000)], "text": ["long" * 250] * 20_000})
    write = {"csv": frame.write_csv, "ndjson": frame.write_ndjson, "parquet": frame.write_parquet}
    write[name.split(".")[1]](tmp_path / name)
    read = read_table(
        tmp_path / name,
        name,
        Source(prefix="in/"),
        Scratch(tmp_path, MemoryBudget(size=size)),
    )

    pieces = [*read.pieces()]
    assert frame["id"].equals(pl.concat(piece["id"] for piece in pieces))
    assert size * 1.1 > max(piece.rechunk().estimated_size() for piece in pieces)
    assert 5 <= len(pieces) <= 10, "20 MB in pieces of 4 MB, and none of them is a crumb"
