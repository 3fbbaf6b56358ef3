"""Rows whose keys are replaced: each person is in one part, and nothing is lost."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.spelling.same_person import linked


@pytest.mark.parametrize("count", [1, 7])
def test_renamed_rows_are_in_the_part_of_their_new_key(tmp_path, count):
    """Whatever part an address was in, its rows come to those of the external id."""
    keys = [f"email\x1f{n}@example.com" for n in range(50)] + [f"c{n}" for n in range(50)]
    rows = PartitionedRows(Scratch(tmp_path), count, pl.DataFrame(schema={"@profile": pl.String}))
    rows.add(pl.DataFrame({"@profile": keys, "n": range(100)}))
    links = pl.DataFrame({"@profile": keys[:40], "@linked": [f"c{n}" for n in range(40)]})

    rows.rename(lambda frame: linked(frame, links))

    parts = [rows.part(number) for number in range(count)]
    found = pl.concat(parts)
    expected = [f"c{n}" for n in range(40)] + keys[40:]
    assert expected == found.sort("n")["@profile"].to_list()
    homes = pl.concat(
        part.select("@profile", pl.lit(number).alias("part")) for number, part in enumerate(parts)
    ).unique()
    assert homes["@profile"].is_unique().all()
