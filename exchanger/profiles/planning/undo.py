"""What taking a run back does to some profiles: frames in, frames out, as ``part.plan_part``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from exchanger.profiles.frames.columns import (
    EXISTS,
    FILE,
    KNOWN,
    PROFILE,
    ROW,
    ROWS,
    SURE,
    before,
    send,
    wanted,
)
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.profiles.merging.taking_back import taken_back
from exchanger.profiles.planning.part import PartPlan, Tally
from exchanger.profiles.planning.payloads import objects
from exchanger.profiles.planning.spoken import Spoken
from exchanger.profiles.spelling.canonical_reader import read_held
from exchanger.profiles.spelling.json_values import canonical, fragment
from exchanger.profiles.spelling.same_person import LINKED

STAYS = pl.Schema({"field": pl.String, "why": pl.String, "run": pl.Int64, "values": pl.UInt32})
"""How many values of a field stay as they are, why, and because of which later run."""
_DECIDED = pl.Schema(
    {
        PROFILE: pl.String,
        "field": pl.String,
        "before": pl.String,
        "wanted": pl.String,
        "why": pl.String,
        "run": pl.Int64,
    }
)
_IDLE = ("as_before", "done")
"""Why a value stays that is back already."""


@dataclass(frozen=True)
class UndoInput:
    """
    Some profiles that a run changed, and all that is known of them.

    Args:
        ours: What it changed, ``taking_back.CHANGED``.
        later: What later runs changed, ``taking_back.LATER``.
        gave: What its files gave to sums, as contributions.
        held: What is held of the profiles by now; ``@linked`` where only now somebody is known to
            be meant: what later runs changed of them by another key has not been looked for.
    """

    ours: pl.DataFrame
    later: pl.DataFrame
    gave: pl.DataFrame
    held: pl.DataFrame


@dataclass(frozen=True)
class UndoOptions:
    """
    What holds for every part of a run that takes another one back.

    Args:
        run: The run that is taken back.
        rules: How it merged each field.
    """

    run: int
    rules: Sequence[Rule]


def undo_part(part: UndoInput, terms: UndoOptions) -> PartPlan:
    """Decide what goes back, and render it."""
    decided = _decided(part, terms)
    back = decided.filter(pl.col("wanted").is_not_null())
    outbox = _outbox(back, part.held, terms)
    stays = decided.filter(pl.col("why").is_not_null())
    return PartPlan(
        outbox=outbox,
        contributions=_contributions(part.gave, back, terms.rules),
        rejected=None,
        tally=_tally(decided, outbox),
        stays=stays.group_by("field", "why", "run").agg(pl.len().cast(pl.UInt32).alias("values")),
    )


def unknown_now(part: UndoInput, terms: UndoOptions) -> pl.DataFrame:
    """Name what has to be looked up before anything is decided: ``@profile``, ``field``."""
    unknown = _decided(part, terms).filter(pl.col("why") == "unknown_now")
    return unknown.select(PROFILE, "field")


def _decided(part: UndoInput, terms: UndoOptions) -> pl.DataFrame:
    happened = part.ours.filter(pl.col("accepted") | pl.col("doubt"))
    fields = [_of_field(rule, happened, part, terms.run) for rule in terms.rules]
    return pl.concat([pl.DataFrame(schema=_DECIDED), *fields])


def _of_field(rule: Rule, changed: pl.DataFrame, part: UndoInput, run: int) -> pl.DataFrame:
    name = rule.name
    ours = changed.filter(pl.col("field") == name)
    text = pl.col(name) if name in part.held.columns else pl.lit(None, pl.String)
    met = pl.col(LINKED).is_not_null() if LINKED in part.held.columns else pl.lit(value=False)
    held = part.held.select(PROFILE, EXISTS, text.alias("held"), met.alias("met"))
    cells = ours.join(held, on=PROFILE, how="left", maintain_order="left")
    if rule.merge == "sum":
        gave = part.gave.filter(pl.col("field") == name)
        total = gave.group_by(PROFILE).agg(read_held(rule, pl.col("given")).sum().alias("gave"))
        cells = cells.join(total, on=PROFILE, how="left", maintain_order="left")
    later = part.later.filter(pl.col("field") == name)
    decided = taken_back(rule, cells, later, run)
    return decided.with_columns(pl.lit(name).alias("field")).select(_DECIDED.names())


def _outbox(back: pl.DataFrame, held: pl.DataFrame, terms: UndoOptions) -> pl.DataFrame:
    """Render an object for each profile of which anything goes back; nobody is created for it."""
    wide = back.select(PROFILE).unique().sort(PROFILE)
    for rule in terms.rules:
        name = rule.name
        changes = back.filter(pl.col("field") == name).select(
            PROFILE,
            pl.col("before").alias(before(name)),
            pl.col("wanted").alias(wanted(name)),
            pl.col("wanted").alias(send(name)),
        )
        wide = wide.join(changes, on=PROFILE, how="left", maintain_order="left")
    there = held.select(PROFILE, pl.col(EXISTS).fill_null(value=False).alias(SURE))
    wide = wide.join(there, on=PROFILE, how="left", maintain_order="left")
    in_parts = [send(rule.name) for rule in terms.rules if rule.in_parts]
    sides = [side(rule.name) for rule in terms.rules for side in (before, wanted)]
    beside = wide.select(
        pl.lit(None, pl.UInt32).alias(FILE),
        pl.lit(None, pl.UInt32).alias(ROW),
        pl.lit(1, pl.UInt32).alias(ROWS),
        pl.lit(value=True).alias(KNOWN),
        pl.col(SURE).fill_null(value=False),
        *sides,
        *in_parts,
    )
    return pl.concat([objects(wide, update_only=True), beside], how="horizontal")


def _contributions(
    gave: pl.DataFrame, back: pl.DataFrame, rules: Sequence[Rule]
) -> pl.DataFrame | None:
    """Take back what files gave to the sums that go back; None if there are no sums."""
    sums = [rule for rule in rules if rule.merge == "sum"]
    if not sums:
        return None
    theirs = gave.join(back, on=[PROFILE, "field"], how="semi")
    parts = [_negated(rule, theirs.filter(pl.col("field") == rule.name)) for rule in sums]
    return pl.concat([pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA), *parts])


def _negated(rule: Rule, gave: pl.DataFrame) -> pl.DataFrame:
    value = read_held(rule, pl.col("given")) * -1
    text = canonical(rule, fragment(rule, value)).alias("given")
    return gave.with_columns(text).select(CONTRIBUTIONS_SCHEMA.names())


def _tally(decided: pl.DataFrame, outbox: pl.DataFrame) -> Tally:
    """Count profiles; each stands for a row, as it has none in a file."""
    stays = pl.col("why").is_not_null() & ~pl.col("why").is_in(_IDLE).fill_null(value=False)
    by_profile = decided.group_by(PROFILE).agg(
        sent=pl.col("wanted").is_not_null().any(), skipped=stays.any()
    )
    sent = outbox.height
    skipped = by_profile.filter(~pl.col("sent") & pl.col("skipped")).height
    idle = by_profile.height - sent - skipped
    spoken = Counter(dict(decided["field"].value_counts().iter_rows()))
    return Tally(
        profiles_named=by_profile.height,
        profiles_skipped=skipped,
        profiles_unchanged=idle,
        rows_skipped=skipped,
        rows_unchanged=idle,
        spoken=Spoken(profiles=spoken),
    )
