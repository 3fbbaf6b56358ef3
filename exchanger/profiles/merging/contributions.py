"""What earlier versions of files gave to sums, and is taken back by newer ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from exchanger.profiles.frames.columns import FILE, PROFILE, ROW, ROWS, said
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.profiles.spelling.json_values import canonical, fragment


def negated(given: pl.DataFrame, position: int) -> pl.DataFrame:
    """Turn what a key counts for into the corrections that its new version brings."""
    fields = [name for name in given.columns if name != PROFILE]
    return given.select(
        PROFILE, pl.lit(position, pl.UInt32).alias(FILE), *(pl.col(name) * -1 for name in fields)
    )


def corrected(
    folded: pl.DataFrame, corrections: pl.DataFrame, rules: Sequence[Rule]
) -> pl.DataFrame:
    """
    Add corrections to folded rows.

    A profile that only corrections name gets a row of its own, which counts for no row of a file.
    Where a correction leaves nothing to add, nothing is given.
    """
    if corrections.is_empty():
        return folded
    fields = [name for name in corrections.columns if name not in (PROFILE, FILE)]
    totals = corrections.group_by(PROFILE).agg(
        pl.col(FILE).last().alias("@corrected"),
        *(pl.col(name).sum().alias(f"@correction:{name}") for name in fields),
    )
    joined = folded.join(totals, on=PROFILE, how="full", coalesce=True, maintain_order="left_right")
    told = [said(rule.name) for rule in rules if rule.merge == "clear"]
    return joined.with_columns(
        pl.col(FILE).fill_null(pl.col("@corrected")),
        pl.col(ROW).fill_null(0),
        pl.col(ROWS).fill_null(0),
        *(pl.col(name).fill_null(value=False) for name in told),
        *(_less(name) for name in fields),
    ).select(folded.columns)


def _less(name: str) -> pl.Expr:
    total = pl.col(name).fill_null(0) + pl.col(f"@correction:{name}").fill_null(0)
    touched = pl.col(f"@correction:{name}").is_not_null()
    return (
        pl.when(touched).then(pl.when(total != 0).then(total)).otherwise(pl.col(name)).alias(name)
    )


def as_contributions(corrections: pl.DataFrame, rules: Iterable[Rule]) -> pl.DataFrame:
    """Render corrections in the shape of contributions."""
    by_name = {rule.name: rule for rule in rules}
    return pl.concat(
        [
            pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA),
            *(
                corrections.filter(pl.col(name).is_not_null()).select(
                    PROFILE,
                    FILE,
                    pl.lit(name).alias("field"),
                    canonical(by_name[name], fragment(by_name[name], pl.col(name))).alias("given"),
                )
                for name in corrections.columns
                if name in by_name
            ),
        ]
    )
