"""
What a key of the bucket counts for in summed fields, so that a new version can replace it exactly.

Every settled run keeps what its files really gave: not what Braze refused, and not what was
rejected. A key counts, per field, for the sum of that over the run which applied a version of it in
full and all runs after it that applied a difference or gave rows again.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import FileRejected, StateMissing
from exchanger.jobs.history.other_keys import owners_of
from exchanger.jobs.intake.deduplication import DIFFERENCE_UNKNOWN
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.spelling.canonical_reader import read_held
from exchanger.profiles.spelling.same_person import LINKED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.frames.rules import Rule
    from exchanger.state.inputs.file_ledger import LedgerSnapshot

CONTRIBUTED = pl.Schema(
    {PROFILE: pl.String, "key": pl.String, "field": pl.String, "given": pl.String}
)
"""What a run really gave: one row per profile, file and field; ``given`` is canonical text."""


ALREADY = "already"
"""Marks contributions of earlier runs that are only known to have taken effect now."""


def with_already(given: pl.DataFrame, already: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put contributions beside those that took effect before, whatever Braze answers now."""
    return pl.concat(
        [
            given.with_columns(pl.lit(value=False).alias(ALREADY)),
            *(before.with_columns(pl.lit(value=True).alias(ALREADY)) for before in already),
        ]
    )


def contributions(
    call: ImportContext, key: str, sha256: str, rules: Sequence[Rule], applied: LedgerSnapshot
) -> pl.DataFrame:
    """
    Return what a key counts for, and what single rows of its new version gave by another name.

    Args:
        call: The job.
        key: A key in the bucket.
        sha256: The content of its new version.
        rules: The fields of its new version; only those under *sum* matter.
        applied: The applied files.

    Returns:
        ``@profile`` and one column for each summed field that it counts for, typed as folded
        values are; null where it gave a profile nothing.

    Raises:
        FileRejected: A field is of a type by now that cannot hold what was given, or what was
            given is not kept any more (``DIFFERENCE_UNKNOWN``).
        StorageError: What a run gave could not be read.
    """
    sums = {rule.name: rule for rule in rules if rule.merge == "sum"}
    runs = {name: applied.given_under(key, name, sha256) or [] for name in sums}
    gave = {run: _given_by(call, *run) for run in sorted(set(chain(*runs.values())))}
    nothing = pl.DataFrame(schema=CONTRIBUTED)
    whole = pl.concat([nothing, *gave.values()]).select(PROFILE).unique()
    for name, rule in sums.items():
        ours = pl.concat([nothing, *(gave[run] for run in runs[name])])
        contributions = ours.filter(pl.col("field") == name)
        if contributions.height:
            totals = _typed(key, rule, contributions).group_by(PROFILE).agg(pl.col(name).sum())
            whole = whole.join(totals, on=PROFILE, how="left")
    return _without_undone(call, whole)


def _without_undone(call: ImportContext, whole: pl.DataFrame) -> pl.DataFrame:
    """Leave out what people were given by one key, and what was taken back by another."""
    owners = owners_of(call.state.held, whole[PROFILE])
    if owners.is_empty():
        return whole
    person = pl.coalesce(LINKED, PROFILE)
    names = [name for name in whole.columns if name != PROFILE]
    left = (pl.when(pl.col(name).sum().over(person) != 0).then(name) for name in names)
    beside = whole.join(owners, on=PROFILE, how="left", maintain_order="left")
    return beside.select(PROFILE, *(each.alias(n) for n, each in zip(names, left, strict=True)))


def _given_by(call: ImportContext, seq: int, key: str) -> pl.DataFrame:
    """Read what a key really gave in a run."""
    nothing = pl.DataFrame(schema=CONTRIBUTED)
    kept = call.state.runs.read(seq).document.settled_contributions
    if not kept:
        return nothing
    try:
        with fetched(call.context, kept) as gave:
            return pl.concat(
                [nothing, *(frame.filter(pl.col("key") == key) for frame in gave.frames())]
            )
    except StateMissing as error:
        message = (
            f"What run {seq} gave of an earlier version is not kept any more, so nobody can tell "
            "the difference to it."
        )
        raise FileRejected(key, DIFFERENCE_UNKNOWN, message) from error


def _typed(key: str, rule: Rule, contributions: pl.DataFrame) -> pl.DataFrame:
    read = contributions.select(PROFILE, "given", read_held(rule, pl.col("given")).alias(rule.name))
    odd = read.filter(pl.col(rule.name).is_null())
    if odd.height:
        message = (
            f"An earlier version of this file gave {odd['given'][0]} to {rule.name!r}, which "
            f"{rule.type} cannot hold. Set the field's type back, or add this version in full "
            "with --force."
        )
        raise FileRejected(key, "given_as_other_type", message, column=rule.column)
    return read.drop("given")
