"""How much of a run is worked on at once; apart from frames, which the daemon has no room for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MemoryBudget:
    """
    How much of a run is worked on at once, and how much may wait in memory.

    Args:
        rows: Rows of a file that are cast at once, and rows of a run that are planned at once.
        cells: Cells of these rows: of wide tables fewer rows are taken.
        size: Bytes of these rows: of long texts fewer rows are taken.
        room: Bytes of frames that may wait in memory.
    """

    rows: int = 250_000
    cells: int = 5_000_000
    size: int = 32 << 20
    room: int = 192 << 20

    def rows_of(self, columns: int, row_size: int = 0) -> int:
        """Return how many rows of so many columns, and of so many bytes, are taken at once."""
        most = min(self.rows, self.cells // max(columns, 1), self.size // max(row_size, 1))
        return max(1, most)

    def shares(self, rows: int, columns: int, size: int = 0) -> int:
        """Return into how many shares so many rows, of so many bytes in all, are parted."""
        row_size = size // max(rows, 1)
        return max(1, -(-rows // self.rows_of(columns, row_size)))
