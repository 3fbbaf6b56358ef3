"""What casting one column gives: the values, and a reason wherever there is none."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

RAW = pl.col("raw")
VALUE = pl.col("value")


@dataclass(frozen=True)
class CastResult:
    """
    One column after casting. Both series have the length of the raw column.

    Args:
        values: The typed values; null where the cell is empty or at fault.
        faults: String: the word for what is wrong with a cell; null where nothing is.
        dropped: How many null members of JSON objects were left out of each; None if none was.
    """

    values: pl.Series
    faults: pl.Series
    dropped: pl.Series | None = None

    def over(self, earlier: pl.Series) -> CastResult:
        """Put the faults of an *earlier* step before those of this one, and in place of values."""
        if earlier.null_count() == len(earlier):
            return self
        faults = earlier.zip_with(earlier.is_not_null(), self.faults)
        frame = pl.DataFrame({"value": self.values, "fault": faults})
        values = frame.select(pl.when(pl.col("fault").is_null()).then(VALUE).alias("value"))
        return CastResult(values["value"], faults, self.dropped)


def flag_faults(
    frame: pl.DataFrame, faults: list[tuple[str, pl.Expr]], dropped: pl.Series | None = None
) -> CastResult:
    """
    Put a reason to every cell that one of *faults* finds, the first that does.

    Args:
        frame: The columns ``raw`` and ``value``, and whatever *faults* look at.
        faults: Reasons and the condition under which each holds; a null condition does not.
        dropped: Handed on.
    """
    none = pl.Series("fault", [None], dtype=pl.String).new_from_index(0, frame.height)
    if not faults:
        return CastResult(frame["value"], none, dropped)
    names = [f"fault {position}" for position in range(len(faults))]
    found = frame.select(
        test.fill_null(value=False).alias(name)
        for name, (_, test) in zip(names, faults, strict=True)
    )
    # Most columns have no fault at all, and text is dear to make.
    if not any(found[name].any() for name in names):
        return CastResult(frame["value"], none, dropped)
    reason = pl.lit(None, dtype=pl.String)
    for name, (word, _) in reversed(list(zip(names, faults, strict=True))):
        reason = pl.when(name).then(pl.lit(word)).otherwise(reason)
    marked = found.select(reason.alias("fault"))["fault"]
    return CastResult(frame["value"], none, dropped).over(marked)


def nothing_but(fault: str, raw: pl.Series, dtype: pl.DataType) -> CastResult:
    """Find every cell that is not empty at fault: no value of this file type can be cast."""
    frame = pl.DataFrame({"raw": raw, "value": pl.Series([None] * len(raw), dtype=dtype)})
    return flag_faults(frame, [(fault, RAW.is_not_null())])
