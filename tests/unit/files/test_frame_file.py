"""Frames of a file come back in portions that suit whoever works on them."""

import polars as pl
import pytest

from exchanger.files.scratch.frame_file import FrameWriter


@pytest.mark.parametrize(
    ("frames", "rows", "portions"),
    [
        ([10, 10], 4, [4, 4, 2, 4, 4, 2]),
        ([1, 1, 0, 1, 1, 1], 3, [3, 2]),
        ([5, 1, 1], 4, [4, 3]),
        ([3, 3], 6, [6]),
        ([3, 4], 6, [3, 4]),
        ([7], 7, [7]),
        ([0], 7, []),
    ],
)
def test_large_frames_are_divided_and_small_ones_joined(tmp_path, frames, rows, portions):
    """No portion has more rows than asked for, or parts of two frames that are larger than it."""
    writer, whole = FrameWriter(tmp_path / "frames"), pl.int_range(sum(frames), eager=True)
    first = 0
    for height in frames:
        writer.append(pl.DataFrame({"n": whole.slice(first, height)}))
        first += height
    file = writer.close()

    found = [*file.frames(rows=rows)]

    assert portions == [portion.height for portion in found]
    assert whole.to_list() == [n for portion in found for n in portion["n"]]
    assert [height for height in frames if height] == [frame.height for frame in file.frames()]


def test_frames_that_stay_on_this_machine_are_not_packed(tmp_path):
    """What will be sent is worth the time to make it small; either comes back as it was."""
    frame = pl.DataFrame({"n": ["the same text"] * 1_000})
    sizes = []
    for stored in (True, False):
        writer = FrameWriter(tmp_path / f"{stored}", stored=stored)
        writer.append(frame)
        file = writer.close()
        assert [frame.to_dicts()] == [found.to_dicts() for found in file.frames()]
        sizes.append(file.path.stat().st_size)
    assert sizes[0] * 10 < sizes[1]
