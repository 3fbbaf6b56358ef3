"""What files would add to each summed field in all: the numbers that a person approves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE
from exchanger.profiles.merging.contributions import corrected
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.spelling.json_values import canonical, fragment

if TYPE_CHECKING:
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext

log = structlog.get_logger()


def totals_of(batch: InputBatch, files: list[int] | None = None) -> dict[str, str]:
    """
    Add up what files would add to each summed field, as canonical numbers.

    Args:
        batch: The files.
        files: Only these, by their positions; all if left out.
    """
    rules = list(batch.rules.values())
    summed = [rule for rule in rules if rule.merge == "sum"]
    if not summed:
        return {}
    sums = [pl.col(rule.name).sum() for rule in summed]
    parts = []
    for number in range(len(batch.given)):
        given = batch.given.part(number)
        if files is not None:
            given = given.filter(pl.col(FILE).is_in(files))
        folded = corrected(fold(given, rules), batch.corrections.part(number), rules)
        parts.append(folded.select(sums))
    whole = pl.concat(parts).select(sums)
    return {
        rule.name: whole.select(canonical(rule, fragment(rule, pl.col(rule.name)))).item()
        for rule in summed
    }


def exceed(totals: dict[str, str], shown: dict[str, str]) -> bool:
    """Return whether a total goes beyond what was shown, in either direction."""
    return any(not _within(Decimal(total), shown.get(name, "0")) for name, total in totals.items())


def note_totals(totals: dict[str, str]) -> list[Note]:
    """Note what would be added to each field."""
    return [noted("would_add", field=field, total=total) for field, total in totals.items()]


def note_what_counts_again(call: ImportContext, batch: InputBatch) -> list[Note]:
    """Note, before anything is sent, what is added although its file was applied before."""
    applied = call.state.file_ledger.snapshot()
    again: dict[str, list[int]] = {}
    for position, file in enumerate(batch.files):
        given = applied.given(file.sha256, file.sums)
        for field in () if file.replaces else file.sums:  # Rows that were tried are left out.
            if field in given or applied.last_version(file.key, [field]):
                again.setdefault(field, []).append(position)
    said = []
    for files in sorted(set(map(tuple, again.values()))):
        totals = totals_of(batch, list(files))
        for field in (name for name in totals if again.get(name) == list(files)):
            log.warning("sum.added_again", field=field, total=totals[field], files=len(files))
            said.append(noted("added_again", field=field, total=totals[field]))
    return said


def _within(total: Decimal, shown: str) -> bool:
    limit = Decimal(shown)
    return min(limit, Decimal(0)) <= total <= max(limit, Decimal(0))
