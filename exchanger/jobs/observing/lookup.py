"""Asks Braze for what is not known of some profiles, before a strategy needs it (law 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

import polars as pl
import structlog

from exchanger.braze.identifiers import PER_LOOK_UP
from exchanger.braze.limits import IDS_PER_REQUEST, STATES_PER_REQUEST
from exchanger.errors import Stopped
from exchanger.jobs.history.changes import just_given
from exchanger.jobs.history.shown import last_shown, shown_in, wait_until_shown
from exchanger.jobs.observing.left_out import LookUp
from exchanger.jobs.observing.state_look_up import StateLookUp
from exchanger.jobs.runtime.cancellation import together, until_stopped
from exchanger.notes import Note, noted
from exchanger.profiles.exported.held_rows import held_form
from exchanger.profiles.frames.columns import (
    EMAIL_STATE,
    EXISTS,
    GROUP,
    IDENTIFIED,
    NAMES,
    PROFILE,
)
from exchanger.profiles.spelling.profile_key import are_external_ids, are_shared, kind_of
from exchanger.profiles.spelling.same_person import with_identities

if TYPE_CHECKING:
    from exchanger.braze.identifiers import IdentifierKind
    from exchanger.config.models import RateLimit
    from exchanger.files.scratch.spill import Spill
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.import_context import ImportContext

log = structlog.get_logger()

PART = 5_000
"""Profiles whose answers are kept together."""
Keep = Callable[[pl.DataFrame, datetime], None]
WORTH_SAYING = 180.0
"""Seconds of look-ups from which a run says so before it starts."""
AT_ONCE = 8
"""Requests that are under way together."""
_PER_REQUEST = dict.fromkeys(PER_LOOK_UP, STATES_PER_REQUEST)
"""How many people of one kind a look-up of groups takes."""
_CERTAIN = pl.col(EXISTS).is_not_null()
"""Of who it is; several profiles may have one e-mail address."""


@dataclass(frozen=True)
class LookUps:
    """
    Who was looked up; adds up.

    Args:
        profiles: How many there are.
        alone: How many of them needed a request each.
    """

    profiles: int = 0
    alone: int = 0

    def __add__(self, other: LookUps) -> LookUps:
        return LookUps(self.profiles + other.profiles, self.alone + other.alone)

    @staticmethod
    def of(keys: pl.Series) -> LookUps:
        """Count keys."""
        return LookUps(keys.len(), alone_in_a_request(keys))

    @property
    def requests(self) -> int:
        """How many requests they took at least."""
        return -(-(self.profiles - self.alone) // IDS_PER_REQUEST) + self.alone


NOBODY = LookUps()


def lookup_seconds(profiles: int, limit: RateLimit, alone: int = 0) -> float:
    """
    Return how long looking up so many profiles takes at a limit, whose first window is free.

    Args:
        profiles: How many there are.
        limit: How many requests Braze takes.
        alone: How many of them need a request each.
    """
    return limit.seconds(LookUps(profiles, alone).requests)


def alone_in_a_request(keys: pl.Series) -> int:
    """Count the profiles whose identifier takes a request of its own."""
    if are_external_ids(keys):
        return 0
    kinds = keys.to_frame("key").select(kind_of(pl.col("key"))).to_series()
    return int(kinds.is_in([kind for kind, most in PER_LOOK_UP.items() if most == 1]).sum())


def note_if_slow(profiles: int, limit: RateLimit, alone: int = 0) -> list[Note]:
    """Note and log, before they start, look-ups that take more than a few minutes."""
    seconds = lookup_seconds(profiles, limit, alone)
    if seconds < WORTH_SAYING:
        return []
    log.warning("lookup.slow", profiles=profiles, alone=alone, minutes=round(seconds / 60))
    return [noted("slow_look_ups", profiles=profiles, alone=alone, minutes=round(seconds / 60))]


def look_up_all(
    call: ImportContext,
    parts: Spill,
    fields: Iterable[str],
    take: Callable[[int, pl.DataFrame], None],
) -> None:
    """
    Ask Braze as *look_up* does, for many profiles, of which few are in memory at once.

    What is asked of one profile is asked of all, and what an answer shows beside is learnt as well,
    so that values which Braze has already are not sent. But beside them, what was sent so lately
    that Braze may not show it yet would pass for what it has.

    Args:
        call: The job; nothing is kept if it may not record it.
        parts: Frames as for *look_up*.
        fields: All that the job writes.
        take: Given the position of a frame, and a part of the answer to it; with ``@names`` where
            ``@identified`` is asked for.

    Raises:
        BrazeError: Braze gave no usable answer.
        Stopped: The process was asked to stop.
    """
    keep = keeping(call) if _waited(call, parts) else None
    asked = [frame["field"].unique() for frame in parts.frames(["field"])]
    needed = pl.concat(asked).unique().sort().to_list()
    names = [NAMES] if IDENTIFIED in needed else []
    every = [*needed, *names, *sorted({*fields} - {*needed})]
    beside_in = shown_in(call.context, call.state.runs)
    begun = call.context.bucket.now()
    total = sum(frame[PROFILE].n_unique() for frame in parts.frames([PROFILE]))

    def answered(number: int, part: pl.DataFrame, asked_at: datetime) -> None:
        shown = (asked_at - begun).total_seconds() >= beside_in
        learnt = part if shown else part.select(PROFILE, EXISTS, *needed, *names)
        if IDENTIFIED in learnt.columns:
            learnt = with_identities(learnt)
        take(number, learnt)
        if keep is not None:
            keep(learnt.filter(_CERTAIN).drop(names), asked_at)

    call.context.progress.step("looking up profiles in Braze", total)
    profiles = (frame[PROFILE].unique().sort() for frame in parts.frames([PROFILE]))
    asyncio.run(_ask(call.context, profiles, every, answered))


def _waited(call: ImportContext, parts: Spill) -> bool:
    """
    Wait until Braze shows whom addresses and numbers were given to that are asked for.

    Returns:
        False where nobody waits: what Braze does not show yet must not be kept then.
    """
    nobody = pl.Series([], dtype=pl.String)
    keys = pl.concat([nobody, *(_shared(frame[PROFILE]) for frame in parts.frames([PROFILE]))])
    newest = call.state.runs.newest() if keys.len() else None
    last = 0 if newest is None else newest.document.seq
    if not just_given(call.context, call.state, last, keys):
        return True
    if call.record:
        wait_until_shown(call.context, call.state.runs, last)
    return call.record


def _shared(keys: pl.Series) -> pl.Series:
    return keys.filter(are_shared(keys)).unique()


def keeping(call: ImportContext) -> Keep | None:
    """Return what keeps answers, dated by the last run that Braze shows by now, if anything may."""
    # In shadow others write: what was looked up would be old by the time when the job goes live.
    if call.job.delivery.shadow or not (call.record or call.learn):
        return None
    runs, held = call.state.runs, call.state.held
    stamp = last_shown(call.context, runs)
    if call.record:
        return lambda part, asked_at: held.observe(part, stamp=stamp, at=asked_at)
    begun = runs.newest()

    def keep(part: pl.DataFrame, asked_at: datetime) -> None:
        # Without the lease another process may begin a run, and send to whom we have just seen.
        if runs.newest() == begun:
            held.observe(part, stamp=stamp, at=asked_at)

    return keep


def look_up(context: JobContext, needed: pl.DataFrame, keep: Keep | None = None) -> pl.DataFrame:
    """
    Ask Braze for fields of profiles.

    Args:
        context: The outside.
        needed: ``@profile`` and ``field``, one row per unknown field.
        keep: Given each part of the answer, and when it was asked for, as soon as it is there: at
            Braze's rate a large look-up takes hours, and a stop should not lose them.

    Returns:
        ``@profile``, ``@exists`` and one canonical String column for each field named anywhere in
        *needed*; a profile that Braze does not know has every field known empty. Of a key that
        several profiles have, all is null; it is not kept.

    Raises:
        BrazeError: Braze gave no usable answer.
        Stopped: The process was asked to stop.
    """
    frames: list[pl.DataFrame] = []

    def pass_on(_: int, part: pl.DataFrame, asked_at: datetime) -> None:
        frames.append(part)
        if keep is not None:
            keep(part.filter(_CERTAIN), asked_at)

    profiles = needed[PROFILE].unique().sort()
    fields = needed["field"].unique().sort().to_list()
    context.progress.step("looking up profiles in Braze", profiles.len())
    asyncio.run(_ask(context, [profiles], fields, pass_on))
    return pl.concat([held_form({}, [], fields), *frames])


def look_up_parts(context: JobContext, profiles: pl.Series, fields: list[str], keep: Keep) -> None:
    """
    Ask Braze for fields of any number of profiles; the answers are not gathered.

    Args:
        context: The outside.
        profiles: Identifiers, each once.
        fields: Attributes.
        keep: As for *look_up*, but also given keys that several profiles have.

    Raises:
        BrazeError: As for *look_up*.
        Stopped: As for *look_up*.
    """
    context.progress.step("looking up profiles in Braze", profiles.len())
    asyncio.run(_ask(context, [profiles], fields, lambda _, part, at: keep(part, at)))


async def _ask(
    context: JobContext,
    parts: Iterable[pl.Series],
    fields: list[str],
    answered: Callable[[int, pl.DataFrame, datetime], None],
) -> None:
    asked = 0
    async with context.braze() as braze:
        states = any(name == EMAIL_STATE or name.startswith(GROUP) for name in fields)
        asking = StateLookUp(braze, fields) if states else LookUp(braze, fields)
        most = _PER_REQUEST if any(name.startswith(GROUP) for name in fields) else PER_LOOK_UP
        for number, profiles in enumerate(parts):
            for at in range(0, profiles.len(), PART):
                asked_at = context.bucket.now()
                keys = requests_for(profiles.slice(at, PART), most)
                frame = await _ask_part(context, asking, keys, fields)
                await asyncio.to_thread(answered, number, frame, asked_at)
            asked += profiles.len()
    log.info("lookup.finished", profiles=asked, fields=len(fields), again=asking.again)


async def _ask_part(
    context: JobContext,
    asking: LookUp | StateLookUp,
    requests: list[list[str]],
    fields: list[str],
) -> pl.DataFrame:
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(asked: list[str]) -> pl.DataFrame:
        async with gate:
            users = await asking.users(asked)
        context.progress.advance(len(asked))
        found = {name: users[name][0] for name in asked if len(users.get(name, ())) == 1}
        absent = (name for name in asked if name not in users)
        several = (name for name in asked if len(users.get(name, ())) > 1)
        return held_form(found, absent, fields, several)

    everything = together(map(ask, requests))
    if not await until_stopped(everything, context.stopping):
        raise Stopped
    return pl.concat(everything.result())


def requests_for(
    keys: pl.Series, most: Mapping[IdentifierKind, int] = PER_LOOK_UP
) -> list[list[str]]:
    """Part keys into requests, each with as many of one kind as it takes."""
    if are_external_ids(keys):
        return _cut(keys, IDS_PER_REQUEST)
    kinds = keys.to_frame("key").with_columns(kind=kind_of(pl.col("key")))
    return [
        request
        for (kind,), some in kinds.group_by("kind", maintain_order=True)
        for request in _cut(some["key"], most[cast("IdentifierKind", kind)])
    ]


def _cut(keys: pl.Series, most: int) -> list[list[str]]:
    return [keys.slice(start, most).to_list() for start in range(0, keys.len(), most)]


def overlay(held: pl.DataFrame, seen: pl.DataFrame, *, over_uncertain: bool = True) -> pl.DataFrame:
    """
    Fill what is unknown in *held* with what was seen; what is known stays.

    Both have ``@profile``, ``@exists`` and canonical columns; *seen* may have other fields.

    Args:
        held: What was known.
        seen: What was looked up.
        over_uncertain: Whether it fills what is uncertain, too; not if nobody waited until Braze
            would show what was sent.
    """
    fields = [name for name in seen.columns if name != PROFILE and name in held.columns]
    joined = held.join(seen, on=PROFILE, how="full", coalesce=True, suffix="@seen")
    known = [
        pl.when(pl.col(name).cast(pl.String) == "?").then(None).otherwise(pl.col(name))
        if over_uncertain
        else pl.col(name)
        for name in fields
    ]
    return joined.with_columns(
        pl.coalesce(value, pl.col(f"{name}@seen")).alias(name)
        for name, value in zip(fields, known, strict=True)
    ).select(held.columns)
