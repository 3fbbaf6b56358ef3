"""Why profiles cannot be merged, in words for whoever made the file."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.frames.filled import filled

REJECTED_PROFILES = pl.Schema(
    dict.fromkeys((PROFILE, "field", "value", "reason", "message"), pl.String)
)


def rejections(profiles: pl.Series, fields: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """
    List each profile that has a problem once, with the first of its fields that has one.

    Args:
        profiles: Their keys.
        fields: What ``merge_field`` gave for each field, beside them.
    """
    frames = [
        outcome.with_columns(profiles)
        .filter(pl.col("problem").is_not_null())
        .select(
            PROFILE,
            pl.lit(name).alias("field"),
            pl.col("about").alias("value"),
            pl.col("problem").alias("reason"),
            _message(name).alias("message"),
        )
        for name, outcome in fields.items()
        if outcome["problem"].count()
    ]
    nothing = pl.DataFrame(schema=REJECTED_PROFILES)
    if not frames:
        return nothing
    return pl.concat([nothing, *frames]).unique(PROFILE, keep="first", maintain_order=True)


def _message(name: str) -> pl.Expr:
    """Describe what is wrong and what to do."""
    value = pl.col("about")
    return (
        pl.when(pl.col("problem") == "held_type")
        .then(
            filled(
                "Braze holds {} in {}, which this merge cannot use: change the field's type, "
                "or correct the value in Braze and retry.",
                value,
                pl.lit(name),
            )
        )
        .when(pl.col("problem") == "changed_by_others")
        .then(
            filled(
                "Somebody else changed {} in Braze, where it is {} now, and it is not written over "
                "('on_drift: quarantine'). To write over it: set 'on_drift: overwrite' and retry.",
                pl.lit(name),
                value,
            )
        )
        .when(pl.col("problem") == "too_large")
        .then(
            filled(
                "With what Braze has, {} would take {} bytes, and Braze would drop it without a "
                "word, as it keeps 100 KB of an object. Give less, or remove something in Braze.",
                pl.lit(name),
                value,
            )
        )
        .when(pl.col("problem") == "an_order")
        .then(
            filled(
                "What changes in {} is {}, which Braze would carry out as an order (inc, add or "
                "remove) and not keep. Rename the key.",
                pl.lit(name),
                value,
            )
        )
        .when(pl.col("problem") == "overflow")
        .then(
            filled(
                "The sum of {} would be {}, which is too large to be kept: correct the rows.",
                pl.lit(name),
                value,
            )
        )
        .otherwise(
            filled(
                "The sum of {} would be {}, which has more than 15 digits and would be rounded: "
                "use a smaller scale.",
                pl.lit(name),
                value,
            )
        )
    )
