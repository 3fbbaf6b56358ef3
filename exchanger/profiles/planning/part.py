"""
What becomes of one part of a run: all rows of some profiles, decided without any other part.

Frames in, frames out: nothing is read or written, so that any process may do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol

import polars as pl

from exchanger.braze.identifiers import NEVER_CREATED, SHARED
from exchanger.profiles.frames.columns import (
    BEFORE,
    ENDPOINT,
    EXISTS,
    FILE,
    ITEM,
    KNOWN,
    MERGED,
    PROFILE,
    ROW,
    ROWS,
    SURE,
    WANTED,
    send,
)
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.contributions import as_contributions
from exchanger.profiles.merging.event_order import news, orders_of
from exchanger.profiles.merging.folding import contributions, superseded
from exchanger.profiles.merging.reconcile import Merged, merge
from exchanger.profiles.merging.unmergeable import unmergeable
from exchanger.profiles.people.gates import Gate, shut_out
from exchanger.profiles.planning.consent_terms import ConsentTerms
from exchanger.profiles.planning.payloads import objects
from exchanger.profiles.planning.spoken import Spoken, spoken
from exchanger.profiles.spelling.profile_key import are_external_ids, kind_of


class Shape(Protocol):
    """What is sent of changes that are not those of a profile; it can be pickled."""

    def changes(self, wanted: pl.DataFrame, part: PartInput) -> pl.DataFrame:
        """
        Choose what changes, in the order in which it is sent.

        Args:
            wanted: What differs from what is held, as ``Merged.wanted``.
            part: All that is given and known.
        """

    def objects(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Render each change as ``payloads.objects`` does."""


@dataclass(frozen=True)
class PlanOptions:
    """
    What holds for every part of a run.

    Args:
        rules: What is done to each field.
        assume_empty: Profiles never observed and never sent are taken for empty.
        create_missing: Profiles that Braze does not have are created.
        most_recent: Of several profiles with one e-mail address or phone number Braze takes one,
            and does not say which; otherwise such rows are rejected.
        plain: Whether external ids name all profiles, if that is known.
        shape: What is sent instead of attributes of profiles, if something is.
        gates: What Braze must have of a profile for its rows to count.
        consent: Whose objects are states of subscriptions, which create nobody, and which an
            address has also where no profile has it; None of attributes.
        names_taken: Whether to tell of which profiles a row is taken.
        there: Whether it has to be known of each profile that Braze has it.
    """

    rules: Sequence[Rule]
    assume_empty: bool
    create_missing: bool
    most_recent: bool = False
    plain: bool | None = None
    shape: Shape | None = None
    gates: tuple[Gate, ...] = ()
    consent: ConsentTerms | None = None
    names_taken: bool = False
    there: bool = False


@dataclass(frozen=True)
class PartInput:
    """
    Some profiles of a run, and all that is known of them.

    Args:
        given: Their rows, in the shape of ``typed_rows.cast_rows``.
        corrections: What is taken back of what earlier versions of files gave them.
        folded: Both, one row for each profile.
        known: What was held of them before this run.
        held: The same, with what this run has looked up.
        applied: The orders that earlier runs applied to them; None without ``order_by``.
        barred: Profiles whose rows are rejected, as nobody knows who is meant, or Braze would
            create a second one of the same person: as ``Merged.rejected``. None if there is none.
        ready: Objects that are given again as they were; None if there is none.
    """

    given: pl.DataFrame
    corrections: pl.DataFrame
    folded: pl.DataFrame
    known: pl.DataFrame
    held: pl.DataFrame
    applied: pl.DataFrame | None = None
    barred: pl.DataFrame | None = None
    ready: pl.DataFrame | None = None


@dataclass(frozen=True)
class Tally:
    """What is known of some profiles before anything is sent; adds up over the parts of a run."""

    profiles_named: int = 0
    profiles_skipped: int = 0
    profiles_unchanged: int = 0
    rows_rejected: int = 0
    rows_superseded: int = 0
    rows_skipped: int = 0
    rows_unchanged: int = 0
    rows_repeated: int = 0
    type_changes: int = 0
    members_dropped: int = 0
    fields_kept: int = 0
    fields_withheld: int = 0
    rows_without_consent: int = 0
    rows_shut_out: int = 0
    spoken: Spoken = field(default_factory=Spoken)

    def __add__(self, other: Tally) -> Tally:
        names = [item.name for item in fields(self)]
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class PartPlan:
    """
    What a run will do to some profiles.

    Args:
        outbox: One row per object, as in docs/state.md; ``@item`` begins with 0, and
            ``@rows`` counts the rows of the profile that are not superseded.
        contributions: What each file gives to summed and added fields of mergeable profiles; None
            if no field can be.
        rejected: The rows of profiles that cannot be merged: ``@file @row profile field value
            reason message record``; None if any can.
        tally: The counts.
        event_order: How far the run takes the order, once accepted by Braze; None without one.
        stays: Of a run that takes another back, ``undo.STAYS``.
        taken: The profiles of which a row is taken, also if that changes nothing; None if nobody
            asks.
    """

    outbox: pl.DataFrame
    contributions: pl.DataFrame | None
    rejected: pl.DataFrame | None
    tally: Tally
    event_order: pl.DataFrame | None = None
    stays: pl.DataFrame | None = None
    taken: pl.Series | None = None


def plan_part(part: PartInput, terms: PlanOptions) -> PartPlan:
    """
    Decide what to send to some profiles.

    Raises:
        AssertionError: A held value that a strategy needs is unknown.
    """
    rules = list(terms.rules)
    folded, barred = part.folded, part.barred
    closed = shut_out(folded, part.held, terms.gates)
    if not closed.is_empty():
        folded = folded.filter(~_among(closed))
    if barred is not None:
        folded = folded.filter(~_among(barred[PROFILE]))
    merged = merge(folded, part.held, rules, assume_empty=terms.assume_empty)
    bad = merged.rejected if barred is None else pl.concat([barred, merged.rejected])
    named = part.folded.select(PROFILE, ROWS)
    rejected = bad[PROFILE]
    accepted = named if rejected.is_empty() else named.filter(~_among(rejected))
    rows = _effective_rows(part.given, accepted, rules)
    absent = _absent(part.held, terms).append(closed).unique()
    changes = merged.wanted if terms.shape is None else terms.shape.changes(merged.wanted, part)
    outbox = _outbox(part, changes, rows, absent, terms)
    return PartPlan(
        outbox=_with_ready(outbox, part.ready),
        contributions=_contributions(part, rules, rows, absent),
        rejected=unmergeable(part.given, part.corrections, bad, terms.rules)
        if bad.height
        else None,
        tally=_tally(_of(named, rejected), merged, rows, absent, outbox)
        # Those behind gates are among the rows that are skipped.
        + Tally(rows_shut_out=int(_of(rows, closed)[ROWS].sum()))
        + _spoken(part, rules, rejected, absent),
        event_order=_orders(part, rules, _present(rows, absent), outbox),
        taken=_present(rows, absent)[PROFILE] if terms.names_taken else None,
    )


def _with_ready(outbox: pl.DataFrame, ready: pl.DataFrame | None) -> pl.DataFrame:
    """Add objects that are given again as they were, which come first."""
    if ready is None:
        return outbox
    again = ready.select(name for name in outbox.columns if name in ready.columns)
    both = pl.concat([again, outbox], how="diagonal").select(outbox.columns)
    return both.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM))


def _spoken(part: PartInput, rules: list[Rule], rejected: pl.Series, absent: pl.Series) -> Tally:
    """Count what the rows say of each field, without those that bring nothing to anybody."""
    given, folded = part.given, part.folded
    if not rejected.is_empty() or not absent.is_empty():
        mute = _among(rejected.append(absent))
        given, folded = given.filter(~mute), folded.filter(~mute)
    return Tally(spoken=spoken(given, folded, rules))


def _effective_rows(given: pl.DataFrame, accepted: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """Count, for each accepted profile, its rows and those that later rows superseded."""
    several = accepted.filter(pl.col(ROWS) > 1)
    overridden = superseded(_of(given, several[PROFILE]), rules)
    if overridden.is_empty():
        return accepted.select(PROFILE, pl.lit(0, pl.UInt32).alias("gone"), ROWS)
    gone = (
        overridden.join(given.select(FILE, ROW, PROFILE), on=[FILE, ROW])
        .group_by(PROFILE)
        .agg(pl.len().alias("gone"))
    )
    return (
        accepted.select(PROFILE, ROWS)
        .join(gone, on=PROFILE, how="left")
        .select(
            PROFILE,
            pl.col("gone").fill_null(0).cast(pl.UInt32),
            (pl.col(ROWS) - pl.col("gone").fill_null(0)).cast(pl.UInt32).alias(ROWS),
        )
    )


def _absent(held: pl.DataFrame, terms: PlanOptions) -> pl.Series:
    """Name profiles that Braze does not have and that the job may not create."""
    gone = held.filter(~pl.col(EXISTS).fill_null(value=True))[PROFILE]
    if terms.consent is not None:
        return gone.filter(~_are_addresses(gone))
    return gone.clear() if terms.create_missing else gone


def _present(rows: pl.DataFrame, absent: pl.Series) -> pl.DataFrame:
    return rows if absent.is_empty() else rows.filter(~_among(absent))


def _orders(
    part: PartInput, rules: list[Rule], chosen: pl.DataFrame, sent: pl.DataFrame
) -> pl.DataFrame | None:
    """
    Return how far the run takes the order.

    Of profiles that get an object everything is told, so that what Braze refuses can be given again
    in its order; of others that can be merged, and that Braze is not known to lack, what is new.
    """
    if part.applied is None:
        return None
    rows = part.given.join(chosen, on=PROFILE, how="semi", maintain_order="left")
    every = orders_of(rows, rules)
    told = every.join(sent, on=PROFILE, how="semi", maintain_order="left")
    idle = every.join(sent, on=PROFILE, how="anti", maintain_order="left")
    return pl.concat([told, news(idle, part.applied)])


def _outbox(
    part: PartInput,
    changes: pl.DataFrame,
    rows: pl.DataFrame,
    absent: pl.Series,
    terms: PlanOptions,
) -> pl.DataFrame:
    """
    Render the objects, and put beside each what settling needs.

    ``@known`` is about us before this run, so a look-up of this run does not make a profile known.
    ``@sure`` is false where Braze may skip the object for want of a profile, and where nobody knows
    which profile it takes.
    """
    ours = part.known.filter(pl.col(EXISTS).fill_null(value=True))[PROFILE]
    seen = part.held.filter(pl.col(EXISTS).fill_null(value=False))[PROFILE]
    present = _present(changes, absent)
    plain = are_external_ids(present[PROFILE]) if terms.plain is None else terms.plain
    named = present.with_columns(
        _among(ours).alias(KNOWN),
        _surely_there(seen, terms, plain=plain).alias(SURE),
    )
    sendable = _counted_once(_with_rows(named, rows), terms)
    only = not terms.create_missing and terms.consent is None
    if terms.shape is None:
        rendered = objects(sendable, update_only=only, plain=plain)
    else:
        rendered = terms.shape.objects(sendable)
    if terms.consent is not None:
        rendered = terms.consent.addressed(rendered, sendable)
    parts = [send(rule.name) for rule in terms.rules if rule.in_parts]
    sides = [name for name in sendable.columns if name.startswith((MERGED, BEFORE, WANTED))]
    kept = sendable.select(FILE, ROW, ROWS, KNOWN, SURE, *sides, *parts)
    outbox = pl.concat([rendered, kept], how="horizontal")
    if terms.consent is None:
        return outbox
    # A request goes to one endpoint.
    number = pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM)
    return outbox.sort(ENDPOINT, maintain_order=True).with_columns(number)


def _are_addresses(keys: pl.Series) -> pl.Series:
    return keys.to_frame("key").select(kind_of(pl.col("key")).is_in(SHARED)).to_series()


def _surely_there(seen: pl.Series, terms: PlanOptions, *, plain: bool) -> pl.Expr:
    """Return of which profiles something is held once Braze has accepted their objects."""
    if terms.consent is not None:
        return kind_of(pl.col(PROFILE)).is_in(SHARED) | _among(seen)
    sure = pl.lit(value=True) if terms.create_missing else _among(seen)
    if plain:
        return sure
    kind = kind_of(pl.col(PROFILE))
    sure &= ~kind.is_in(NEVER_CREATED) | _among(seen)
    return sure & ~kind.is_in(SHARED) if terms.most_recent else sure


def _with_rows(changes: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Put ``@rows`` beside each change."""
    if changes[PROFILE].equals(rows[PROFILE]):
        # Nothing is held of a first load, so everything changes; a join would copy all of it.
        return changes.with_columns(rows[ROWS])
    return changes.join(rows.select(PROFILE, ROWS), on=PROFILE, maintain_order="left")


def _counted_once(changes: pl.DataFrame, terms: PlanOptions) -> pl.DataFrame:
    """Let of several objects of a profile the first alone count its rows, and the profile."""
    if not terms.there or changes[PROFILE].is_first_distinct().all():
        return changes
    first = pl.col(PROFILE).is_first_distinct()
    return changes.with_columns(
        pl.when(first).then(ROWS).otherwise(0).cast(pl.UInt32).alias(ROWS),
        pl.when(first).then(KNOWN).alias(KNOWN),
    )


def _among(profiles: pl.Series) -> pl.Expr:
    if profiles.is_empty():
        return pl.lit(value=False)
    return pl.col(PROFILE).is_in(profiles.implode())


def _of(frame: pl.DataFrame, profiles: pl.Series) -> pl.DataFrame:
    """Choose the rows of some profiles; mostly there are none, which must cost nothing."""
    if profiles.is_empty():
        return frame.clear()
    return frame.join(profiles.to_frame(), on=PROFILE, how="semi", maintain_order="left")


def _contributions(
    part: PartInput, rules: list[Rule], rows: pl.DataFrame, absent: pl.Series
) -> pl.DataFrame:
    """Return what counts as given once Braze has accepted it."""
    every = pl.concat([contributions(part.given, rules), as_contributions(part.corrections, rules)])
    if every.is_empty():
        return every
    accepted = every.join(rows, on=PROFILE, how="semi", maintain_order="left")
    return accepted if absent.is_empty() else accepted.filter(~_among(absent))


def _tally(
    rejected: pl.DataFrame,
    merged: Merged,
    rows: pl.DataFrame,
    absent: pl.Series,
    outbox: pl.DataFrame,
) -> Tally:
    """
    Count.

    Profiles that get nothing are skipped, for want of a profile or of consent, or unchanged.
    """
    # Whatever is sent is among the rows, so equal heights mean that all are.
    every = outbox.height - outbox[KNOWN].null_count() == rows.height
    idle = rows.clear() if every else rows.join(outbox.select(PROFILE), on=PROFILE, how="anti")
    gone, withheld = _among(absent), _among(merged.withheld)
    skipped, unchanged = idle.filter(gone | withheld), idle.filter(~gone & ~withheld)
    return Tally(
        profiles_named=rows.height,
        profiles_skipped=skipped.height,
        profiles_unchanged=unchanged.height,
        rows_rejected=int(rejected[ROWS].sum()),
        rows_superseded=int(rows["gone"].sum()),
        rows_skipped=int(skipped[ROWS].sum()),
        rows_unchanged=int(unchanged[ROWS].sum()),
        type_changes=merged.counts.type_changes,
        members_dropped=merged.counts.members_dropped,
        fields_kept=merged.counts.fields_kept,
        fields_withheld=merged.counts.fields_withheld,
        rows_without_consent=int(idle.filter(withheld & ~gone)[ROWS].sum()),
    )
