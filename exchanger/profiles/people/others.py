"""Rows that name two people: an identifier beside the one that counts is somebody else's."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.columns import BESIDE, FILE, PROFILE, ROW
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.reading.faults import DROPPED
from exchanger.profiles.spelling.profile_key import kind_of, shown, value_of
from exchanger.profiles.spelling.same_person import LINKED
from exchanger.profiles.validation.messages import REJECTED

PERSON = "@person"
"""String: the key that stands for whom the identifier beside belongs to."""
_FOR_GOOD = ("external_id", "alias")
"""What stands for a person whom nobody takes for another one; who has an address may change."""


def whose_beside(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """
    Choose the rows whose identifier beside is known to be somebody's, if not whom the row names.

    Args:
        rows: As ``typed_rows.NAMED_TWICE``.
        links: To whom the keys beside belong: ``@profile`` and ``@linked``.

    Returns:
        The rows, with ``@person``.
    """
    whose = links.rename({PROFILE: BESIDE, LINKED: PERSON})
    own = pl.when(kind_of(pl.col(BESIDE)) == "external_id").then(BESIDE)
    known = rows.join(whose, on=BESIDE, how="left", maintain_order="left").with_columns(
        pl.coalesce(PERSON, own).alias(PERSON)
    )
    return known.filter(kind_of(pl.col(PERSON)).is_in(_FOR_GOOD), pl.col(PERSON) != pl.col(PROFILE))


def other_people(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """
    Put into words that rows name two people who are known to be different.

    Args:
        rows: What *whose_beside* gave.
        links: To whom the keys that count belong, likewise.

    Returns:
        As ``faults.DROPPED``: the identifiers beside say nothing.
    """
    own = pl.when(kind_of(pl.col(PROFILE)) == "external_id").then(PROFILE)
    meant = rows.join(links, on=PROFILE, how="left", maintain_order="left").with_columns(
        pl.coalesce(LINKED, own).alias(LINKED)
    )
    message = (
        "The row is taken for {}, whom 'match' names first. The {} {} beside belongs to somebody "
        "else: {}. Correct whichever is wrong."
    )
    told = meant.filter(pl.col(LINKED) != pl.col(PERSON)).sort(FILE, ROW)
    return _in_words(told, message, PERSON).select(*DROPPED)


def different_people(rows: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """
    Put into words that rows name two people, where none of them may be taken for the one meant.

    Args:
        rows: As ``typed_rows.NAMED_TWICE``.
        seen: Who has which identifier, as ``calls.SEEN``.

    Returns:
        As ``messages.REJECTED``: those of which other profiles have the one than the other.
    """
    meant, others = (
        seen.select(pl.col("key").alias(name), pl.col("ids").alias(f"ids:{name}"))
        for name in (PROFILE, BESIDE)
    )
    both = rows.join(meant, on=PROFILE, how="left").join(others, on=BESIDE, how="left")
    ids, other_ids = pl.col(f"ids:{PROFILE}").list, pl.col(f"ids:{BESIDE}").list
    differ = (ids.len() > 0) & (other_ids.len() > 0)
    shared = ids.set_intersection(pl.col(f"ids:{BESIDE}")).list.len()
    message = (
        "The row names two people: the profile of {} is another than that of the {} {}. Nothing is "
        "done, as it could not be taken back. Correct whichever is wrong."
    )
    told = both.filter(differ, shared == 0).sort(FILE, ROW)
    return _in_words(told, message).select(*REJECTED)


def _in_words(rows: pl.DataFrame, message: str, *more: str) -> pl.DataFrame:
    """Word identifiers beside; the message says who is meant, their kind and value, and more."""
    kind, value = kind_of(pl.col(BESIDE)), value_of(pl.col(BESIDE))
    people = [shown(pl.col(name)) for name in more]
    return rows.select(
        FILE,
        ROW,
        kind.alias("field"),
        value.alias("value"),
        pl.lit("somebody_else").alias("reason"),
        filled(message, shown(pl.col(PROFILE)), kind, value, *people).alias("message"),
        pl.col(PROFILE).alias("profile"),
    )
