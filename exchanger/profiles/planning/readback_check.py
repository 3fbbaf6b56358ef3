"""
Did values stick? Braze answers before it applies a value, and ignores some without a word.

Samples are long: ``@profile``, ``field`` and ``wanted``, the canonical text that was sent.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from exchanger.profiles.frames.columns import EXISTS, PROFILE, wanted
from exchanger.profiles.spelling.canonical_reader import members
from exchanger.profiles.spelling.json_values import spell_inner_times

SAMPLE = pl.Schema({PROFILE: pl.String, "field": pl.String, "wanted": pl.String})
AT_ONCE = 25
"""Attributes that share profiles; with a profile more for each that these lack, at most twice."""


def sample_of(delivered: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """
    Choose few profiles that show how attributes were delivered.

    Args:
        delivered: Accepted rows of an outbox.
        fields: Attributes that they change.

    Returns:
        A sample: for every 25 attributes at most 50 profiles, and each attribute at least once.
    """
    parts = []
    for at in range(0, len(fields), AT_ONCE):
        part = fields[at : at + AT_ONCE]
        speaking = delivered.filter(
            pl.any_horizontal(pl.col(wanted(name)).is_not_null() for name in part)
        )
        shared = speaking.head(AT_ONCE)
        missing = [name for name in part if not shared[wanted(name)].count()]
        alone = [speaking.filter(pl.col(wanted(n)).is_not_null()).head(1) for n in missing]
        parts.append(long_sample(pl.concat([shared, *alone]), part))
    return pl.concat([pl.DataFrame(schema=SAMPLE), *parts]).unique(maintain_order=True)


def long_sample(delivered: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Build a sample of all that rows of an outbox say of some attributes."""
    parts = [
        delivered.filter(pl.col(wanted(name)).is_not_null()).select(
            PROFILE, pl.lit(name).alias("field"), pl.col(wanted(name)).alias("wanted")
        )
        for name in fields
    ]
    return pl.concat([pl.DataFrame(schema=SAMPLE), *parts])


def beside(sample: pl.DataFrame, held: pl.DataFrame, name: str) -> pl.DataFrame:
    """
    Put held values, or what was seen, beside a sample.

    Args:
        sample: Values.
        held: A held frame.
        name: Of the new column; null where nothing is known of a value, or of its profile.
    """
    fields = [field for field in sample["field"].unique() if field in held.columns]
    known = held.filter(pl.col(EXISTS).fill_null(value=True))
    # Attributes may be called like any column, but none begins with @.
    long = known.unpivot(fields, index=PROFILE, variable_name="@field", value_name="@value")
    found = long.rename({"@field": "field", "@value": name})
    return sample.join(found, on=[PROFILE, "field"], how="left", maintain_order="left")


def not_stuck(seen: pl.DataFrame) -> pl.DataFrame:
    """
    Choose the values that Braze shows otherwise than they were sent.

    The members of a list may be in another order, and times inside of JSON come back as text.

    Args:
        seen: A sample with ``seen``; null where nobody knows.
    """
    wanted_texts = spell_inner_times(seen["wanted"])
    one, other = members(wanted_texts).list.sort(), members(seen["seen"]).list.sort()
    same = (seen["seen"] == wanted_texts) | (one == other).fill_null(value=False)
    return seen.filter(seen["seen"].is_not_null() & ~same)
