"""What files would add to each summed field in all: the numbers that a person approves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.jobs.contributions import corrected
from exchanger.profiles.columns import FILE
from exchanger.profiles.folding import fold
from exchanger.profiles.fragments import canonical, fragment

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.reading import Reading

log = structlog.get_logger()


def totals_of(reading: Reading, files: list[int] | None = None) -> dict[str, str]:
    """
    Add up what files would add to each summed field, as canonical numbers.

    Args:
        reading: The files.
        files: Only these, by their positions; all if left out.
    """
    rules = list(reading.rules.values())
    given = reading.given()
    if files is not None:
        given = given.filter(pl.col(FILE).is_in(files))
    folded = corrected(fold(given, rules), reading.taken_back(), rules)
    return {
        rule.name: folded.select(canonical(rule, fragment(rule, pl.col(rule.name).sum()))).item()
        for rule in rules
        if rule.merge == "sum"
    }


def exceed(totals: dict[str, str], shown: dict[str, str]) -> bool:
    """Tell whether a total goes beyond what was shown, in either direction."""
    return any(not _within(Decimal(total), shown.get(name, "0")) for name, total in totals.items())


def in_words(totals: dict[str, str]) -> list[str]:
    """Say the totals, a sentence each."""
    return [
        f"{field}: {total} would be added in all, over all profiles."
        for field, total in totals.items()
    ]


def say_what_counts_again(call: ImportCall, reading: Reading) -> list[str]:
    """Say, before anything is sent, what is added although it was added before."""
    applied = call.state.applied.snapshot()
    again = [
        position
        for position, file in enumerate(reading.files)
        if applied.summed_version(file.key, file.sums) or applied.summed(file.sha256, file.sums)
    ]
    if not again:
        return []
    totals = totals_of(reading, again)
    for field, total in totals.items():
        log.warning("sum.added_again", field=field, total=total, files=len(again))
    return [
        f"{field}: {total} was added in all by files that had been added before."
        for field, total in totals.items()
    ]


def _within(total: Decimal, shown: str) -> bool:
    limit = Decimal(shown)
    return min(limit, Decimal(0)) <= total <= max(limit, Decimal(0))
