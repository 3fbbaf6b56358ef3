"""
Frames of a run that wait: in memory while there is room, on disk beyond it.

Whatever a run has to keep of a file, or of all its files, goes here, so that memory is bounded by
what is worked on, not by what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock

import polars as pl
from polars import selectors

from exchanger.files.scratch.arrow import pa
from exchanger.files.scratch.budget import MemoryBudget

_ALIGNED = 64
"""Bytes at a multiple of which Arrow begins, so that frames need not be copied to be read."""
_PLACE = 16
"""Bytes that say where a text is, which polars does not count."""
_WHOLE = pl.Decimal(38, 0)
"""What 128-bit integers are on disk, as Arrow has none."""


class Scratch:
    """
    The room of one run, and the folder for what does not fit.

    Args:
        folder: On this machine; whoever made it removes it.
        bounds: How much is worked on at once.
    """

    def __init__(self, folder: Path, bounds: MemoryBudget | None = None) -> None:
        self.folder = folder
        self.bounds = bounds or MemoryBudget()
        self._left = self.bounds.room
        self._lock = Lock()  # Frames are made ahead, in threads.
        self._numbers = count()

    def spill(self) -> Spill:
        """Begin to keep frames."""
        return Spill(self, self.path())

    def path(self) -> Path:
        """Name a file that is not there yet."""
        return self.folder / f"shelf-{id(self):x}-{next(self._numbers):06d}"

    def take(self, size: int) -> bool:
        """Take room for so many bytes; False if there is not so much."""
        with self._lock:
            fits = size <= self._left
            self._left -= size if fits else 0
        return fits

    def give_back(self, size: int) -> None:
        """Release what was taken."""
        with self._lock:
            self._left += size


@dataclass(frozen=True)
class _OnDisk:
    at: int
    schema: pl.Schema

    @property
    def columns(self) -> list[str]:
        return self.schema.names()


class Spill:
    """
    Frames in order, each with columns of its own.

    Args:
        scratch: Gives the room.
        path: Where to write what has none.
    """

    def __init__(self, scratch: Scratch, path: Path) -> None:
        self.scratch = scratch
        self._path = path
        self._kept: list[pl.DataFrame | _OnDisk] = []
        self.rows = 0
        self.size = 0

    @property
    def row_size(self) -> int:
        """Bytes of a row in memory, on average."""
        return self.size // max(self.rows, 1)

    def add(self, frame: pl.DataFrame) -> None:
        """Keep one more frame; one without rows tells its columns."""
        size = _size_of(frame)
        self.rows += frame.height
        self.size += size
        self._kept.append(frame if self.scratch.take(size) else self._write(frame))

    def frames(self, columns: Collection[str] | None = None) -> Iterator[pl.DataFrame]:
        """
        Yield the frames, in order, as often as asked.

        Args:
            columns: Only these, as far as a frame has them; all if None.
        """
        for kept in self._kept:
            chosen = [name for name in kept.columns if columns is None or name in columns]
            if isinstance(kept, pl.DataFrame):
                yield kept.select(chosen) if len(chosen) < kept.width else kept
            else:
                yield self._read(kept, chosen)

    def taken(self) -> Iterator[pl.DataFrame]:
        """Yield the frames, in order, each of which is forgotten then: its room is for others."""
        while self._kept:
            kept = self._kept.pop(0)
            frame = kept if isinstance(kept, pl.DataFrame) else self._read(kept, kept.columns)
            self.rows -= frame.height
            self.size -= (size := _size_of(frame))
            if isinstance(kept, pl.DataFrame):
                self.scratch.give_back(size)
            yield frame

    def change(self, made: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Replace each frame by what is made of it."""
        changed = self.scratch.spill()
        for frame in self.frames():
            changed.add(made(frame))
        self.clear()
        self._path, self._kept = changed._path, changed._kept  # noqa: SLF001 - of our own kind
        self.rows, self.size = changed.rows, changed.size

    def clear(self) -> None:
        """Forget all frames, and give back their room."""
        for kept in self._kept:
            if isinstance(kept, pl.DataFrame):
                self.scratch.give_back(_size_of(kept))
        self._kept.clear()
        self.rows = self.size = 0
        self._path.unlink(missing_ok=True)

    def _write(self, frame: pl.DataFrame) -> _OnDisk:
        # Uncompressed: that would take longer than all that is done with a frame in between.
        rows = frame.with_columns(selectors.by_dtype(pl.Int128).cast(_WHOLE)).to_arrow()
        with self._path.open("ab") as file:
            file.write(bytes(-file.tell() % _ALIGNED))
            at = file.tell()
            with pa.ipc.new_stream(file, rows.schema) as stream:
                stream.write_table(rows)
        return _OnDisk(at, frame.schema)

    def _read(self, kept: _OnDisk, columns: list[str]) -> pl.DataFrame:
        """Map a frame into memory: what nobody looks at is not read."""
        with pa.memory_map(str(self._path)) as file:
            file.seek(kept.at)
            rows = pl.DataFrame(pl.from_arrow(pa.ipc.open_stream(file).read_all()))
        return rows.select(pl.col(name).cast(kept.schema[name]) for name in columns)


def _size_of(frame: pl.DataFrame) -> int:
    """Return the bytes that a frame takes in memory."""
    return int(frame.estimated_size()) + _PLACE * sum(map(_texts, frame.get_columns()))


def _texts(cells: pl.Series) -> int:
    """Count the texts of a column, those within lists included."""
    if cells.dtype == pl.List(pl.String):
        return int(cells.list.len().sum())
    return len(cells) if cells.dtype == pl.String else 0
