"""
Reads what is held of the profiles of a run, and learns what is unknown and needed (law 10).

Held values are read part by part. Only once all parts are known is anything asked of Braze, so
that look-ups share one pace and one warning, and a segment is exported at most once.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.limits import ADDRESS_KEPT
from exchanger.jobs.history.shown import has_sent_unheld, wait_until_shown
from exchanger.jobs.observing.baseline import learn_from_segment
from exchanger.jobs.observing.lookup import (
    NOBODY,
    LookUps,
    alone_in_a_request,
    look_up_all,
    note_if_slow,
    overlay,
)
from exchanger.notes import noted
from exchanger.objects.kinds import Folded
from exchanger.profiles.frames.columns import EXISTS, IDENTIFIED, PROFILE, SENT, is_shown
from exchanger.profiles.merging.consent import as_last_seen, guarded_rules, to_be_asked
from exchanger.profiles.merging.contributions import corrected
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import needs_lookup
from exchanger.profiles.people.ambiguous import ambiguous_keys
from exchanger.profiles.people.duplicates import (
    ADDRESS,
    addresses_of_strangers,
    would_duplicate,
)
from exchanger.profiles.people.gates import unknown_gates
from exchanger.profiles.planning.part import PartInput
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.profile_key import external_ids_among
from exchanger.state.held.reading import with_newer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from exchanger.files.scratch.spill import Spill
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.people import People
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.planning.part import PlanOptions


class KnownValues:
    """
    The parts of a run, with all that is known of their profiles.

    What is held of the next part is read in a thread while a part is worked on.

    Args:
        call: The job.
        batch: The rows.
        terms: What holds for all parts.
        people: What was looked up already, to know who is meant; None if nobody was.
    """

    def __init__(
        self,
        call: ImportContext,
        batch: InputBatch,
        terms: PlanOptions,
        people: People | None = None,
    ) -> None:
        self._call = call
        self._people = people
        self._batch = batch
        self._rules = list(terms.rules)
        self.fields = [rule.name for rule in self._rules]
        self._gates = [gate.field for gate in terms.gates if gate.field not in self.fields]
        self._known: dict[int, Spill] = {}
        self._at_first: dict[int, Spill] = {}
        self._folded: tuple[int, pl.DataFrame] | None = None
        self._seen: dict[int, Spill] = {}
        self._ambiguous: dict[int, pl.Series] = {}
        self._addresses = _may_duplicate(call, batch, self.fields)
        self._reader = ThreadPoolExecutor(1, "held")
        self._ahead: dict[int, Future[pl.DataFrame]] = {}
        self.lookups = NOBODY if people is None else people.lookups
        self.from_segment = people is not None and people.from_segment
        self.maybe_forgotten = call.state.forgotten.may_have_had() if terms.assume_empty else None

    def go_on(self) -> None:
        """Raise ``Stopped`` if the process was asked to stop."""
        self._call.context.go_on()

    def part(self, number: int) -> PartInput:
        """Read a part."""
        known = self.known(number)
        first = self._at_first.get(number)
        seen = [*self._seen[number].frames()] if number in self._seen else []
        return PartInput(
            given=self._batch.given.part(number),
            corrections=self._batch.corrections.part(number),
            folded=self.folded(number),
            known=known if first is None else pl.concat(first.frames()),
            held=overlay(known, pl.concat(seen, how="diagonal")) if seen else known,
            barred=self._barred(number, known),
        )

    @property
    def ambiguous(self) -> pl.Series:
        """Keys that several profiles were seen to have."""
        found = [] if self._people is None else self._people.ambiguous
        nobody = pl.Series(PROFILE, [], pl.String)
        return pl.concat([nobody, *found, *self._ambiguous.values()])

    def _barred(self, number: int, known: pl.DataFrame) -> pl.DataFrame | None:
        """Name the profiles whose rows are rejected for who is meant by them; None if nobody is."""
        found = []
        folded = self.folded(number)
        several = self.ambiguous
        if several.len():
            found.append(ambiguous_keys(folded, several))
        if self._addresses and "email" in folded.columns:
            strangers = addresses_of_strangers(folded, known)
            held = self._call.state.held.of(strangers[ADDRESS].unique(), [IDENTIFIED])
            found.append(would_duplicate(strangers, held))
        barred = pl.concat(found) if found else None
        return None if barred is None or barred.is_empty() else barred

    def folded(self, number: int) -> pl.DataFrame:
        """Fold a part; the last one is remembered, so that a single part is folded once."""
        if self._folded is None or self._folded[0] != number:
            given = self._batch.given.part(number)
            taken_back = self._batch.corrections.part(number)
            self._folded = number, corrected(fold(given, self._rules), taken_back, self._rules)
        return self._folded[1]

    def known(self, number: int) -> pl.DataFrame:
        """Read what was held of a part's profiles before this run looked any of them up."""
        if number not in self._known:
            known = self._without_old_states(number, self._read(number))
            if self._people is not None:
                known = self._with_seen(number, known, self._people)
            self._known[number] = self._batch.scratch.spill()
            self._known[number].add(known)
        return pl.concat(self._known[number].frames())

    def _without_old_states(self, number: int, known: pl.DataFrame) -> pl.DataFrame:
        """Take states by which somebody would be subscribed as unknown, unless seen just now."""
        names = [rule.name for rule in guarded_rules(self._rules)]
        if not names:
            return known
        asked = to_be_asked(self.folded(number), known, self._rules)
        if asked.is_empty():
            return known
        # What was delivered within the grace is what Braze has, whatever it shows.
        since = self._call.context.bucket.now() - timedelta(seconds=self._call.context.grace)
        fresh = self._call.state.held.of(asked, names, since=since, fresh=names)
        return as_last_seen(known, asked, fresh, self._rules)

    def _with_seen(self, number: int, known: pl.DataFrame, people: People) -> pl.DataFrame:
        """Add what was looked up to know who is meant; what was held before that is kept apart."""
        seen = people.seen.part(number)
        if seen.is_empty() and not people.new:
            return known
        self._at_first[number] = self._batch.scratch.spill()
        self._at_first[number].add(people.first(known))
        seen = seen.unique(PROFILE, keep="last", maintain_order=True)
        return overlay(known, seen, over_uncertain=False)

    def _read(self, number: int) -> pl.DataFrame:
        """Read what is held of a part, and begin to read what is held of the next."""
        ahead = self._ahead.pop(number, None) or self._begun(number)
        known = ahead.result()
        if number + 1 < len(self._batch.given):
            self._ahead = {number + 1: self._begun(number + 1)}
        return known

    def _begun(self, number: int) -> Future[pl.DataFrame]:
        parted = (self._batch.given, self._batch.corrections)
        profiles = pl.concat(rows.profiles(number) for rows in parted)
        return self._reader.submit(_held, self._call, profiles, self._rules, self._gates)

    def see(self, number: int, seen: pl.DataFrame) -> None:
        """Take what was looked up for a part, and which keys several profiles have."""
        self.lookups += LookUps.of(seen[PROFILE])
        several = seen.filter(pl.col(EXISTS).is_null())
        if several.height:
            so_far = self._ambiguous.get(number, several[PROFILE].clear())
            self._ambiguous[number] = so_far.append(several[PROFILE])
            seen = seen.filter(pl.col(EXISTS).is_not_null())
        self._seen.setdefault(number, self._batch.scratch.spill()).add(seen)

    def clear(self, number: int) -> None:
        """Forget a part, with its rows."""
        self._folded = None
        self._batch.given.clear(number)
        self._batch.corrections.clear(number)
        for spills in (self._known, self._at_first, self._seen):
            if number in spills:
                spills.pop(number).clear()

    def close(self) -> None:
        """End the thread that reads what is held."""
        self._reader.shutdown(wait=True, cancel_futures=True)

    def read_again(self) -> None:
        """Read anew what is held, as more is known by now; whom we knew at first is kept."""
        self._at_first, self._known, self._ahead = self._known, {}, {}


def resolve_unknowns(
    call: ImportContext,
    batch: InputBatch,
    terms: PlanOptions,
    report: RunReport,
    people: People | None = None,
) -> KnownValues:
    """
    Look up what a strategy needs and nobody knows.

    Returns:
        What is known; the caller closes it.

    Args:
        call: The job; what is learnt is recorded, unless it may not write.
        batch: The rows.
        terms: What holds for all parts.
        report: Gets what is noted of it.
        people: What was looked up already.

    Raises:
        BrazeError: A look-up failed.
    """
    learnt = KnownValues(call, batch, terms, people)
    try:
        return _learn(call, batch, terms, report, learnt)
    except BaseException:
        learnt.close()
        raise


def _learn(
    call: ImportContext,
    batch: InputBatch,
    terms: PlanOptions,
    report: RunReport,
    learnt: KnownValues,
) -> KnownValues:
    asks = terms.there or terms.gates or any(rule.needs_held for rule in terms.rules)
    if not asks:
        if terms.assume_empty:
            report.facts.append(noted("taken_for_empty", profiles=0))
        return learnt
    needed, assumed = _needed(learnt, batch, terms)
    if terms.assume_empty:
        report.facts.append(noted("taken_for_empty", profiles=assumed))
    may_learn = call.record and not call.job.delivery.shadow and not learnt.from_segment
    if needed.rows and may_learn:
        # Whom other keys mean was settled before.
        profiles = external_ids_among(pl.concat(needed.frames([PROFILE])).to_series().unique())
        told = learn_from_segment(call, profiles, list(terms.rules)) if profiles.len() else None
        if told is not None:
            report.facts.append(told.note)
            learnt.read_again()
            needed, _ = _needed(learnt, batch, terms)
    if needed.rows:
        _look_up(call, learnt, needed, report)
    return learnt


def _needed(learnt: KnownValues, batch: InputBatch, terms: PlanOptions) -> tuple[Spill, int]:
    """
    Name, in a frame for each part, the fields of profiles that must be looked up.

    Also count the profiles that need not be, as they are taken for empty.
    """
    rules = list(terms.rules)
    needed = batch.scratch.spill()
    assumed = 0
    for number in range(len(batch.given)):
        learnt.go_on()
        folded, known = learnt.folded(number), learnt.known(number)
        behind = unknown_gates(folded, known, terms.gates)
        unknown = _unknown(folded, known, rules, terms, learnt.maybe_forgotten)
        nobody_saw = _never_seen(folded, known) if terms.there else unknown.clear()
        unknown = pl.concat([unknown, behind, nobody_saw]).unique(maintain_order=True)
        if (several := learnt.ambiguous).len():
            unknown = unknown.filter(~pl.col(PROFILE).is_in(several.implode()))
        needed.add(unknown)
        if terms.assume_empty:
            every = pl.concat([needs_lookup(folded, known, rules), behind])
            assumed += every[PROFILE].n_unique() - unknown[PROFILE].n_unique()
    return needed, assumed


def _unknown(
    folded: pl.DataFrame,
    known: pl.DataFrame,
    rules: list[Rule],
    terms: PlanOptions,
    maybe_forgotten: pl.Expr | None,
) -> pl.DataFrame:
    """Name what must be looked up; who may have been forgotten is never taken for empty."""
    if not terms.assume_empty or maybe_forgotten is None:
        return needs_lookup(folded, known, rules, assume_empty=terms.assume_empty)
    few, others = folded.filter(maybe_forgotten), folded.filter(~maybe_forgotten)
    certain = needs_lookup(others, known, rules, assume_empty=True)
    return pl.concat([certain, needs_lookup(few, known, rules)])


def _never_seen(folded: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """
    Name the profiles of which nobody knows whether they are there, and what tells it.

    That somebody is not is known only of whom this run has looked up, to know who is meant.
    """
    seen = known.filter(pl.col(EXISTS).is_not_null())[PROFILE]
    strangers = folded.filter(~pl.col(PROFILE).is_in(seen.implode()))
    return strangers.select(PROFILE, pl.lit(IDENTIFIED).alias("field"))


def _may_duplicate(call: ImportContext, batch: InputBatch, fields: list[str]) -> bool:
    """
    Return whether a row may give a person a second profile whose address is known here.

    Rows that are given again are a person's decision.
    """
    if not (call.job.create_missing and call.kind.looked_up) or "email" not in fields:
        return False
    again = any(file.outcome == "retried" for file in batch.files)
    return not again and IDENTIFIED in call.state.held.fields()


def _look_up(call: ImportContext, learnt: KnownValues, needed: Spill, report: RunReport) -> None:
    asked = alone = 0
    for frame in needed.frames([PROFILE]):
        keys = frame[PROFILE].unique()
        asked, alone = asked + keys.len(), alone + alone_in_a_request(keys)
    if call.job.subscription is None:  # Groups have a limit that is far wider.
        report.facts += note_if_slow(asked, call.context.lookup_limit, alone)
    _wait_until_shown(call, learnt, needed, report)
    fields = [name for name in learnt.fields if is_shown(name)]
    look_up_all(call, needed, {*call.job.fields, *fields}, learnt.see)


def _wait_until_shown(
    call: ImportContext, learnt: KnownValues, needed: Spill, report: RunReport
) -> None:
    """
    Wait before looking up what became uncertain: it may have changed so lately.

    Only values that a run has left uncertain need it, and what was sent to people who were never
    seen. Whatever else is unknown was not sent by us.
    """
    last = (report.seq or 1) - 1
    if not call.record or not last:
        return
    uncertain = (
        frame.height and _is_uncertain(learnt.known(number))
        for number, frame in enumerate(needed.frames([PROFILE]))
    )
    fields = {name for frame in needed.frames(["field"]) for name in frame["field"].unique()}
    if any(uncertain) or has_sent_unheld(call.context, call.state.runs, last, fields):
        wait_until_shown(call.context, call.state.runs, last)


def _is_uncertain(known: pl.DataFrame) -> bool:
    """Return whether a run has left any value of some profiles uncertain."""
    values = (name for name in known.columns if name != PROFILE and not name.startswith(SENT))
    texts = (known[name] for name in values if known[name].dtype == pl.String)
    return any(bool((text == UNCERTAIN).any()) for text in texts)


def _held(
    call: ImportContext, profiles: pl.Series, rules: list[Rule], gates: list[str]
) -> pl.DataFrame:
    """
    Read what is held.

    A job that creates no profiles waits for somebody else to create them, so to such a job an
    absence seen in the past is unknown. What is older than ``max_age`` is unknown as well, where a
    strategy needs it; but a value that was delivered within the grace is what Braze has, whatever
    it shows.
    """
    names = [*(rule.name for rule in rules), *gates]
    sent = [rule.name for rule in rules if rule.config.on_drift != "overwrite"]
    if call.kind.making == Folded(consent=True):
        # Of an address without a profile Braze forgets it, and any may be one.
        since = call.context.bucket.now() - (ADDRESS_KEPT - timedelta(days=1))
        return call.state.held.of(profiles, names, since=since, fresh=names)
    if call.job.max_age is None:
        held = with_others(call, profiles, call.held.of(profiles, names, sent=sent), names)
    else:
        oldest = max(call.job.max_age, timedelta(seconds=call.context.grace))
        needed = [*(rule.name for rule in rules if rule.needs_held), *call.job.gates]
        since = call.context.bucket.now() - oldest
        held = call.held.of(profiles, names, since=since, fresh=needed, sent=sent)
        held = with_others(call, profiles, held, names, since, needed)
        # Whose absence is too old to be believed was in effect never seen.
        held = held.filter(pl.col(EXISTS).is_not_null())
    return held if call.job.creates else held.filter(pl.col(EXISTS).fill_null(value=True))


def with_others(  # noqa: PLR0913, PLR0917 - as of HeldValues.of
    call: ImportContext,
    profiles: pl.Series,
    held: pl.DataFrame,
    names: Sequence[str],
    since: datetime | None = None,
    fresh: Sequence[str] = (),
) -> pl.DataFrame:
    """Add what other connections of the bucket know later of the same workspace."""
    if call.job.catalog or not call.memories.values:
        return held
    others = [
        other.held.timed(profiles, shared, since=since, fresh=fresh)
        for other in call.memories.values
        if (shared := [name for name in names if name in other.fields])
    ]
    return with_newer(held, call.state.held.timed(profiles, names), others) if others else held
