"""What goes to quarantine once a run is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.quarantine import quarantined
from exchanger.profiles.columns import FILE, PROFILE, ROW

if TYPE_CHECKING:
    from exchanger.jobs.reading import Reading


def rejected_by_plan(
    reading: Reading, given: pl.DataFrame, taken_back: pl.DataFrame, rejected: pl.DataFrame
) -> pl.DataFrame:
    """
    Join the rows that could not be read with those whose profile could not be merged.

    A profile that only earlier versions of a file named has no row; it is listed without one.

    Args:
        reading: All that was read.
        given: Its rows.
        taken_back: What new versions of files take back.
        rejected: ``reconcile.REJECTED_PROFILES``.

    Returns:
        Rows in the shape of quarantine.
    """
    alone = taken_back.select(PROFILE, FILE).join(given, on=PROFILE, how="anti")
    rows = pl.concat([given, alone.unique(PROFILE)], how="diagonal")
    unmergeable = rows.join(rejected, on=PROFILE, maintain_order="left")
    lists = [name for name in given.columns if given[name].dtype.is_nested()]
    record = pl.struct(
        pl.col(PROFILE).alias("external_id"),
        *(
            pl.col(name) if name in lists else pl.col(name).cast(pl.String)
            for name in given.columns
            if not name.startswith("@")
        ),
    ).struct.json_encode()
    by_profile = unmergeable.with_columns(record.alias("record")).select(
        FILE, ROW, pl.col(PROFILE).alias("profile"), *rejected.columns[1:], "record"
    )
    return pl.concat(
        [
            quarantined(reading.rejected_rows(), reading.files, "rejected"),
            quarantined(by_profile, reading.files, "rejected"),
        ]
    )
