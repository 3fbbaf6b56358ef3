"""Dictionaries in the Parquet parts of a dataset."""

from __future__ import annotations

import polars as pl
import pyarrow.parquet as pq

from exchanger.files.write import PartWriter


def test_only_columns_whose_values_repeat_have_a_dictionary(tmp_path):
    """A dictionary of values that each come once would only take time and room."""
    frame = pl.DataFrame({"id": [f"u{n}" for n in range(1000)], "tier": ["gold", "tin"] * 500})
    with PartWriter(tmp_path, "parquet", frame.schema, frozenset(), 10_000) as writer:
        assert [] == list(writer.append(frame))
        (part,) = writer.finish()
    group = pq.ParquetFile(part.path).metadata.row_group(0)
    assert [False, True] == [group.column(at).has_dictionary_page for at in range(2)]
    assert frame.equals(pl.read_parquet(part.path))
