"""
Resolves the keys of a run's rows to one key for each person, as far as anybody knows (protocol 8).

An e-mail address, phone number, alias or ``braze_id`` means whoever has it, for whom the external
id stands, or an alias where there is none: rows of one person fold together, and what is held of
them is one thing. Which profile it is, is held as the answer to a look-up; what was never looked up
is, where the job has to know.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.braze.identifiers import SHARED
from exchanger.jobs.history.shown import wait_until_shown
from exchanger.jobs.observing.baseline import learn_from_segment
from exchanger.jobs.observing.lookup import (
    NOBODY,
    LookUps,
    alone_in_a_request,
    keeping,
    look_up_all,
    note_if_slow,
)
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.exported.held_rows import held_form
from exchanger.profiles.frames.columns import EXISTS, IDENTIFIED, NAMES, PROFILE, is_shown
from exchanger.profiles.people.names import NAME, SAID, disputed, joined, names_of
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import json_string
from exchanger.profiles.spelling.profile_key import are_shared, external_ids_among, kind_of
from exchanger.profiles.spelling.same_person import (
    IS_LINKED,
    LINKED,
    linked,
    links_of,
    still_linked,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.observing.baseline import Learnt
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.profiles.frames.rules import Rule

log = structlog.get_logger()


@dataclass
class People:
    """
    What a run has learnt of who is meant, before anything is planned.

    Args:
        seen: What look-ups showed, parted as the rows are: held frames.
        ambiguous: Keys that several profiles have.
        new: Whom look-ups showed and of whom nothing was held before.
        lookups: Who was looked up.
        links: To whom keys of the run belong.
        names: What else the people were called who were looked up.
        disputed: Keys of whom something else was held.
        from_segment: The segment of the job's baseline was exported for it.
    """

    seen: PartitionedRows
    ambiguous: list[pl.Series] = field(default_factory=list)
    new: list[pl.Series] = field(default_factory=list)
    lookups: LookUps = NOBODY
    links: list[pl.DataFrame] = field(default_factory=list)
    names: list[pl.DataFrame] = field(default_factory=lambda: [pl.DataFrame(schema=SAID)])
    disputed: list[pl.Series] = field(default_factory=list)
    from_segment: bool = False

    def first(self, known: pl.DataFrame) -> pl.DataFrame:
        """Choose what was held before this run looked anybody up."""
        new = pl.concat([known[PROFILE].clear(), *self.new])
        return known.filter(~pl.col(PROFILE).is_in(new.implode()))


def resolve_people(
    call: ImportContext,
    batch: InputBatch,
    rules: Sequence[Rule],
    report: RunReport,
    *,
    there: bool = False,
) -> People | None:
    """
    Write into the rows of a run the keys that stand for the people whom they mean, if known.

    Args:
        call: The job; what is looked up is recorded, unless it may not write.
        batch: The rows, whose keys are replaced.
        rules: The fields.
        report: Gets sentences about look-ups, or the export that spares them.
        there: Whether it has to be known of each profile that Braze has it.

    Returns:
        What was learnt; None where external ids alone name the profiles, none of them an old one.

    Raises:
        BrazeError: A look-up failed.
        Stopped: The process was asked to stop.
    """
    old = _old_ids(call, batch)
    if call.job.by_external_id and old.is_empty():
        return None
    nobody = pl.DataFrame(schema={PROFILE: pl.String, EXISTS: pl.Boolean, IDENTIFIED: pl.String})
    people = People(PartitionedRows(batch.scratch, len(batch.given), nobody))
    keys = _other_keys(batch)
    if call.job.on_ambiguous == "most_recent":
        keys = keys.filter(~are_shared(keys))  # Braze chooses anew each time.
    links = _held_links(call, keys)
    unknown = keys.filter(~keys.is_in(links[PROFILE].implode()))
    uncertain = _uncertain(call, unknown)
    seen = unknown if there else _to_be_seen(call, unknown, rules)
    unknown = pl.concat([seen, uncertain]).unique().sort()
    last = (report.seq or 1) - 1
    asked = unknown.filter(~unknown.is_in(uncertain.implode()))
    if told := _from_segment(call, batch, rules, people, asked, last):
        report.facts.append(told.note)
        links = _held_links(call, keys)
        settled = pl.concat([links[PROFILE], *people.ambiguous, told.absent])
        unknown = unknown.filter(~unknown.is_in(settled.implode()))
    if uncertain.len() and call.record:
        wait_until_shown(call.context, call.state.runs, last)
    if unknown.len() or old.len():
        asked = pl.concat([unknown, old])
        links = pl.concat([links, _look_up(call, batch, rules, report, people, asked)])
    links = _joined(call, people, _settled(call, batch, rules, report, people, links))
    people.links.append(links)
    named = links.filter(pl.col(LINKED) != pl.col(PROFILE))
    if named.height:
        for rows in (batch.given, batch.corrections):
            rows.rename(lambda frame: linked(frame, named))
        log.info("people.linked", keys=named.height)
    return people


def known_links(call: ImportContext, people: People | None, keys: pl.Series) -> pl.DataFrame:
    """
    Read to whom else keys belong, for ``same_person.linked``; as *known_people* tells it.

    An old external id belongs to the one that it was renamed to.
    """
    links = known_people(call, people, keys)
    return links.filter(pl.col(LINKED) != pl.col(PROFILE))


def known_people(call: ImportContext, people: People | None, keys: pl.Series) -> pl.DataFrame:
    """
    Read to whom keys belong, as far as that is held or was looked up just now.

    Args:
        call: The job.
        people: What *resolve_people* has learnt; None where external ids alone name the profiles.
        keys: Of any kind.

    Returns:
        ``@profile`` and ``@linked``, each key once.
    """
    asked = pl.col(PROFILE).is_in(keys.implode())
    looked_up = [] if people is None else [links.filter(asked) for links in people.links]
    links = pl.concat([*looked_up, _held_links(call, keys)])
    return links.unique(PROFILE, keep="first", maintain_order=True)


def _other_keys(batch: InputBatch) -> pl.Series:
    """Name the keys of a run that are no external ids, each once."""
    found = [pl.Series(PROFILE, [], pl.String)]
    other = kind_of(pl.col(PROFILE)) != "external_id"
    for rows in (batch.given, batch.corrections):
        for number in range(len(rows)):
            keys = rows.profiles(number).unique().to_frame(PROFILE)
            found.append(keys.filter(other).to_series())
    return pl.concat(found).unique().sort()


def _old_ids(call: ImportContext, batch: InputBatch) -> pl.Series:
    """
    Name the external ids of a run that were renamed, each once.

    Whose each is, a look has to tell: it may have ended, and be somebody else's by now. Of rows
    that are objects of their own it does not matter: nothing is held of whom they are about.
    """
    found = [pl.Series(PROFILE, [], pl.String)]
    if not call.kind.holds_values or IDENTIFIED not in call.state.held.fields():
        return found[0]
    for rows in (batch.given, batch.corrections):
        for number in range(len(rows)):
            ids = external_ids_among(rows.profiles(number).unique())
            held = call.state.held.of(ids, [IDENTIFIED])
            found.append(held.filter(IS_LINKED, pl.col(PROFILE).is_in(ids.implode()))[PROFILE])
    return pl.concat(found).unique().sort()


def _held_links(call: ImportContext, keys: pl.Series) -> pl.DataFrame:
    """Read to whom keys belong: those that nobody was seen to have have a null."""
    if keys.is_empty() or IDENTIFIED not in call.state.held.fields():
        return links_of(pl.DataFrame(schema={PROFILE: pl.String, IDENTIFIED: pl.String}))
    since = None
    if call.job.max_age is not None:
        oldest = max(call.job.max_age, timedelta(seconds=call.context.grace))
        since = call.context.bucket.now() - oldest
    held = call.state.held.of(keys, [IDENTIFIED], since=since, fresh=[IDENTIFIED])
    held = held.filter(pl.col(PROFILE).is_in(keys.implode()))
    # Whom a job may not create, somebody else may have created since.
    there = pl.col(EXISTS) if not call.job.creates else pl.col(EXISTS).is_not_null()
    links = links_of(held.filter(there.fill_null(value=False)))
    others = links.filter(pl.col(LINKED) != pl.col(PROFILE))
    people = others[LINKED].unique().alias(PROFILE)
    return still_linked(links, call.state.held.of(people, [IDENTIFIED, *sorted(SHARED)]))


def _uncertain(call: ImportContext, keys: pl.Series) -> pl.Series:
    """Choose the keys that were known to mean somebody, until a call of ours was about them."""
    if keys.is_empty() or IDENTIFIED not in call.state.held.fields():
        return keys.clear()
    held = call.state.held.of(keys, [IDENTIFIED])
    links = links_of(held).drop_nulls(LINKED)
    people = call.state.held.of(links[LINKED].unique().alias(PROFILE), [IDENTIFIED])
    lost = people.filter(pl.col(IDENTIFIED) == UNCERTAIN)[PROFILE]
    found = [
        held.filter(pl.col(IDENTIFIED) == UNCERTAIN)[PROFILE],
        links.filter(pl.col(LINKED).is_in(lost.implode()))[PROFILE],
    ]
    return keys.filter(keys.is_in(pl.concat(found).implode()))


def _to_be_seen(call: ImportContext, keys: pl.Series, rules: Sequence[Rule]) -> pl.Series:
    """
    Choose the keys that are looked up.

    All, where a strategy has to know what their profiles hold; else addresses and numbers, of which
    it must be seen that one profile alone has them.
    """
    if call.job.assumes_empty:
        return keys.clear()
    if any(rule.needs_held for rule in rules):
        return keys
    return keys.filter(are_shared(keys))


def _from_segment(  # noqa: PLR0913, PLR0917 - a run, its rows, and where what is learnt goes
    call: ImportContext,
    batch: InputBatch,
    rules: Sequence[Rule],
    people: People,
    keys: pl.Series,
    last: int,
) -> Learnt | None:
    """
    Learn of keys, and of the external ids beside them, from the segment of the job's baseline.

    It shows what the job names people by; what is given again may be named otherwise. It is held
    from then on. That nobody has a key is believed where no run has found anybody since.
    """
    kind = keys.to_frame("key").select(kind_of(pl.col("key"))).to_series()
    keys = keys.filter(kind.is_in([match.kind for match in call.job.match]))
    if keys.is_empty() or not call.record or call.job.delivery.shadow:
        return None
    fields = [rule.name for rule in rules if rule.needs_held]
    wanted = pl.concat([keys, _unknown_ids(call, batch, fields)])
    told = learn_from_segment(call, wanted, list(rules), last)
    if told is None:
        return None
    people.from_segment = True
    people.ambiguous.append(told.several)
    people.new.append(told.new)
    people.disputed.append(told.disputed)
    held = call.state.held.of(told.absent, [])
    gone = held.filter(~pl.col(EXISTS) & pl.col(PROFILE).is_in(told.absent.implode()))[PROFILE]
    people.seen.add(held_form({}, gone.to_list(), [IDENTIFIED, *(rule.name for rule in rules)]))
    return replace(told, absent=gone)


def _unknown_ids(call: ImportContext, batch: InputBatch, fields: list[str]) -> pl.Series:
    """Name the external ids of a run of which something is unknown that a strategy needs."""
    found = [pl.Series(PROFILE, [], pl.String)]
    for number in range(len(batch.given) if fields else 0):
        ids = external_ids_among(batch.given.profiles(number).unique())
        held = call.state.held.of(ids, fields)
        known = pl.all_horizontal(pl.col(name).is_not_null() for name in fields)
        found.append(ids.filter(~ids.is_in(held.filter(known)[PROFILE].implode())))
    return pl.concat(found)


def _settled(  # noqa: PLR0913, PLR0917 - as *_look_up*, and to whom keys belong so far
    call: ImportContext,
    batch: InputBatch,
    rules: Sequence[Rule],
    report: RunReport,
    people: People,
    links: pl.DataFrame,
) -> pl.DataFrame:
    """Look names up together that were held to be two people's, once Braze shows what was sent."""
    unclear = pl.concat([links[PROFILE].clear(), *people.disputed]).unique().sort()
    if unclear.is_empty():
        return links
    if call.record:
        wait_until_shown(call.context, call.state.runs, (report.seq or 1) - 1)
    again = _look_up(call, batch, rules, report, people, unclear)
    return pl.concat([links.filter(~pl.col(PROFILE).is_in(unclear.implode())), again])


def _joined(call: ImportContext, people: People, links: pl.DataFrame) -> pl.DataFrame:
    """Let one key stand for each of the people, and remember it."""
    more = joined(pl.concat(people.names))
    keep = keeping(call) if more.height else None
    if keep is not None:
        there = pl.lit(value=True).alias(EXISTS)
        one = json_string(pl.col(LINKED)).alias(IDENTIFIED)
        keep(more.select(PROFILE, there, one), call.context.bucket.now())
    return pl.concat([links, more]).unique(PROFILE, keep="last", maintain_order=True)


def _look_up(  # noqa: PLR0913, PLR0917 - a run, its rows, and where what is learnt goes
    call: ImportContext,
    batch: InputBatch,
    rules: Sequence[Rule],
    report: RunReport,
    people: People,
    keys: pl.Series,
) -> pl.DataFrame:
    """Look keys up, with all that a strategy needs of them, and tell to whom they belong."""
    alone = alone_in_a_request(keys)
    report.facts += note_if_slow(keys.len(), call.context.lookup_limit, alone)
    fields = [IDENTIFIED, *(rule.name for rule in rules if rule.needs_held)]
    needed = batch.scratch.spill()
    needed.add(keys.alias(PROFILE).to_frame().join(pl.DataFrame({"field": fields}), how="cross"))
    links = [links_of(pl.DataFrame(schema={PROFILE: pl.String, IDENTIFIED: pl.String}))]

    def take(_: int, seen: pl.DataFrame) -> None:
        several = seen.filter(pl.col(EXISTS).is_null())
        people.ambiguous.append(several[PROFILE])
        certain = seen.filter(pl.col(EXISTS).is_not_null())
        others = kind_of(pl.col(PROFILE)) != "external_id"
        links.append(links_of(certain.filter(others | IS_LINKED)))
        names = names_of(certain)
        # What is looked up is recorded only after this.
        held = call.state.held.of(pl.concat([certain[PROFILE], names[NAME]]), [IDENTIFIED])
        people.new.append(certain.join(held, on=PROFILE, how="anti")[PROFILE])
        people.names.append(names)
        people.disputed.append(disputed(names, held, keys))
        people.seen.add(certain.drop(NAMES))
        people.lookups += LookUps.of(seen[PROFILE])

    shown = [rule.name for rule in rules if is_shown(rule.name)]
    look_up_all(call, needed, {*call.job.fields, *shown}, take)
    needed.clear()
    return pl.concat(links).unique(PROFILE, keep="last", maintain_order=True)
