"""How a person is taken out of a table of rows by profile, so that none of its files has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.frames.slices import slice_of

if TYPE_CHECKING:
    from exchanger.outside.delta.table import Table


def slice_number(profile: str) -> int:
    """Return the slice of a profile."""
    return int(pl.DataFrame({PROFILE: [profile]}).select(slice_of(PROFILE)).item())


def count_rows(table: Table, profile: str) -> int:
    """Count the rows that a profile has in the newest version."""
    rows = table.scan()
    if rows is None:
        return 0
    near = rows.filter(pl.col("slice") == slice_number(profile), pl.col("profile") == profile)
    return table.collect(near.select("profile"), streaming=True).height


def forget_rows(table: Table, profile: str) -> None:
    """
    Remove the rows of a profile, and every file that an earlier version had them in.

    Only the slice is named in the table's log. Files that no version has named yet stay until they
    are swept.
    """
    number = slice_number(profile)

    def without(rows: pl.LazyFrame) -> pl.DataFrame:
        share = rows.filter(pl.col("slice") == number, pl.col("profile") != profile)
        return table.collect(share, streaming=True)

    table.cut(f"slice = {number}", without)
