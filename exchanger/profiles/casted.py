"""What casting one column gives: the values, and a reason wherever there is none."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

RAW = pl.col("raw")
VALUE = pl.col("value")


@dataclass(frozen=True)
class Casted:
    """
    One column after casting. Both series have the length of the raw column.

    Args:
        values: The typed values; null where the cell is empty or at fault.
        faults: String: the word for what is wrong with a cell; null where nothing is.
        dropped: Null members of JSON objects that were left out.
    """

    values: pl.Series
    faults: pl.Series
    dropped: int = 0

    def over(self, earlier: pl.Series) -> Casted:
        """Put the faults of an *earlier* step before those of this one, and in place of values."""
        faults = earlier.zip_with(earlier.is_not_null(), self.faults)
        frame = pl.DataFrame({"value": self.values, "fault": faults})
        values = frame.select(pl.when(pl.col("fault").is_null()).then(VALUE).alias("value"))
        return Casted(values["value"], faults, self.dropped)


def judge(frame: pl.DataFrame, faults: list[tuple[str, pl.Expr]], dropped: int = 0) -> Casted:
    """
    Put a reason to every cell that one of *faults* finds, the first that does.

    Args:
        frame: The columns ``raw`` and ``value``, and whatever *faults* look at.
        faults: Reasons and the condition under which each holds; a null condition does not.
        dropped: Handed on.
    """
    reason = pl.lit(None, dtype=pl.String)
    for word, found in reversed(faults):
        reason = pl.when(found).then(pl.lit(word)).otherwise(reason)
    judged = frame.select("value", reason.alias("fault"))
    values = judged.select(pl.when(pl.col("fault").is_null()).then(VALUE).alias("value"))
    return Casted(values["value"], judged["fault"], dropped)


def nothing_but(fault: str, raw: pl.Series, dtype: pl.DataType) -> Casted:
    """Find every cell that is not empty at fault: no value of this file type can be cast."""
    frame = pl.DataFrame({"raw": raw, "value": pl.Series([None] * len(raw), dtype=dtype)})
    return judge(frame, [(fault, RAW.is_not_null())])
