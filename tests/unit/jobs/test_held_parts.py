"""What settling takes of an outbox at once."""

import polars as pl
import pytest

from exchanger.files.scratch.budget import MemoryBudget
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.jobs.settlement.held_rows import sent_parts

ROWS = 400


@pytest.fixture
def outbox(tmp_path):
    """Rows of about 2 kB."""
    writer = FrameWriter(tmp_path / "outbox")
    writer.append(
        pl.DataFrame(
            {
                "@item": pl.int_range(ROWS, dtype=pl.UInt32, eager=True),
                "@profile": [f"p{n}" for n in range(ROWS)],
                "@object": ["{}"] * ROWS,
                "@sure": [True] * ROWS,
                "wanted:a": [f"{n:02000}" for n in range(ROWS)],
            }
        )
    )
    return writer.close()


@pytest.mark.parametrize(
    ("bounds", "most"),
    [
        (MemoryBudget(), ROWS),
        (MemoryBudget(rows=100), 100),
        (MemoryBudget(size=100_000), 50),
        (MemoryBudget(cells=30), 30),
    ],
)
def test_parts_are_bounded_by_rows_cells_and_bytes(outbox, bounds, most):
    """Of long rows fewer are in memory at once; all come, in order, with what is needed."""
    parts = [*sent_parts(outbox, bounds)]

    assert most * 0.9 <= max(part.height for part in parts) <= most
    assert [*range(ROWS)] == pl.concat(parts)["@item"].to_list()
    assert {"@item", "@profile", "@sure", "wanted:a"} == set(parts[0].columns)
