"""
Audiences: rows that say who comes and who goes become fields, and are merged and held as such.

So the last word about somebody counts, and what Braze has already is not sent. Of an array
attribute one entry alone is given, whatever else is in it. Where events are sent, the field is
membership itself, which Braze does not have: they are about those for whom it changes. Likewise of
a cohort, which Braze has and does not show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.cohorts import is_billed
from exchanger.braze.endpoints import COHORT as COHORT_ENDPOINT
from exchanger.braze.endpoints import EVENTS, MEMBERSHIP
from exchanger.config.models import (
    ACTION,
    COMES,
    Audience,
    AudienceEvents,
    EntryField,
    FieldConfig,
)
from exchanger.objects.states import MEANT, Shaped, rejected_for, words_read
from exchanger.profiles.frames.columns import (
    BEFORE,
    COHORT,
    ENDPOINT,
    FILE,
    ITEM,
    MEMBER,
    OBJECT,
    POINTS,
    PROFILE,
    ROW,
    SEND,
    WANTED,
    before,
    said,
    send,
)
from exchanger.profiles.frames.columns import wanted as after
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.strategies import entry_goes
from exchanger.profiles.planning.cohort_requests import LEAVES, named_in_cohort
from exchanger.profiles.planning.payloads import creation, objects
from exchanger.profiles.reading.field_columns import type_of_value
from exchanger.profiles.spelling.json_values import json_string, spell_json
from exchanger.profiles.spelling.profile_key import are_external_ids, identifier_member
from exchanger.profiles.validation.messages import no_rejections

if TYPE_CHECKING:
    from exchanger.config.models import AudienceTarget, FieldType, ImportJob
    from exchanger.profiles.planning.part import PartInput

_COMES = "@comes"
_EVENT = "@event"
_TIME = "%Y-%m-%dT%H:%M:%S.%f"


def members(given: pl.DataFrame, parts: Mapping[str, Rule], job: ImportJob) -> Shaped:
    """Read from each row what becomes of whom it names: of somebody who comes, or who goes."""
    found, rejected = _read(given, parts, job)
    targets = job.audience.as_ if job.audience is not None else ()
    fields = [_field(target, _column(parts)) for target in targets]
    values = [value.alias(rule.name) for rule, value in fields]
    spoken = [
        pl.lit(value=True).alias(said(rule.name)) for rule, _ in fields if rule.merge == "clear"
    ]
    frame = found.with_columns(*values, *spoken).drop(_COMES)
    return Shaped(frame, [rule for rule, _ in fields], rejected)


def memberships(given: pl.DataFrame, parts: Mapping[str, Rule], job: ImportJob) -> Shaped:
    """Read from each row whether whom it names belongs to the audience."""
    found, rejected = _read(given, parts, job)
    events = job.audience.events if job.audience is not None else None
    name = MEMBER + (events.key if events is not None else "")
    config = FieldConfig(type="boolean")
    rule = Rule(name, _column(parts), "boolean", config)
    return Shaped(found.rename({_COMES: name}), [rule], rejected)


def _read(
    given: pl.DataFrame, parts: Mapping[str, Rule], job: ImportJob
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read what each row says of somebody, and reject those that do not say it."""
    if ACTION not in parts:  # Whoever is named by a snapshot belongs to it.
        return given.with_columns(pl.lit(value=True).alias(_COMES)), no_rejections()
    words = job.action.words if job.action is not None else {}
    meant, strange = words_read(given, parts, (ACTION, words, "no_such_action"))
    silent = rejected_for(meant.filter(pl.col(MEANT).is_null()), parts, ACTION, "no_action")
    told = meant.drop_nulls(MEANT).with_columns((pl.col(MEANT) == COMES).alias(_COMES))
    return told.drop(ACTION, MEANT), pl.concat([strange, silent])


def _column(parts: Mapping[str, Rule]) -> str:
    return parts[ACTION].column if ACTION in parts else ""


def _field(target: AudienceTarget, column: str) -> tuple[Rule, pl.Expr]:
    """Build the field of a target, and its value in each row."""
    comes = pl.when(_COMES)
    if target.cohort is not None:
        config = FieldConfig(type="boolean")
        return Rule(COHORT + target.cohort.key, column, "boolean", config), pl.col(_COMES)
    if target.list_ is not None:
        entry = spell_json(target.entry)
        there, gone = (pl.lit([text], pl.List(pl.String)) for text in (entry, entry_goes(entry)))
        rule = Rule(target.list_, column, "list", EntryField(type="list"))
        return rule, comes.then(there).otherwise(gone)
    member, leaver = target.value.member, target.value.leaver
    told = leaver if member is None else member
    kind: FieldType = "string" if told is None else type_of_value(told)
    merge = "clear" if member is None or leaver is None else "set"
    config = FieldConfig.model_validate({"merge": merge, "type": kind})
    rule = Rule(target.attribute or "", column, kind, config)
    return rule, comes.then(pl.lit(member)).otherwise(pl.lit(leaver))


@dataclass(frozen=True)
class Crossings:
    """
    The events of those who came and who went.

    Who belongs to the audience is remembered with them, also where no event is sent for it.

    Args:
        events: Their names.
        at: When it was found that somebody came or went, as JSON text.
        create_missing: Profiles that Braze does not have are created.
        quiet: No event is sent, as nobody knows who belonged to it before.
    """

    events: AudienceEvents
    at: str
    create_missing: bool
    quiet: bool = False

    def changes(self, wanted: pl.DataFrame, _part: PartInput) -> pl.DataFrame:
        """Choose who came, and who went of those who were there."""
        name = MEMBER + self.events.key
        if after(name) not in wanted.columns:  # Nothing is read of any file.
            nothing = pl.lit(None, pl.String)
            wanted = wanted.with_columns(nothing.alias(after(name)), nothing.alias(before(name)))
        comes, was = pl.col(after(name)) == "true", pl.col(before(name)) == "true"
        crossing = wanted.filter(comes | was.fill_null(value=False))
        told = (
            pl.when(comes).then(pl.lit(self.events.entered)).otherwise(pl.lit(self.events.exited))
        )
        sent = told.is_not_null() & pl.lit(not self.quiet)
        to = pl.when(sent).then(pl.lit(EVENTS.name)).otherwise(pl.lit(MEMBERSHIP.name))
        chosen = crossing.select(
            PROFILE, FILE, ROW, comes.alias(name), told.alias(_EVENT), to.alias(ENDPOINT)
        )
        return chosen.sort(ENDPOINT, maintain_order=True)

    def objects(self, crossing: pl.DataFrame) -> pl.DataFrame:
        """Render the event of each."""
        keys = crossing[PROFILE]
        plain = are_external_ids(keys)
        rendered = pl.concat_str(
            pl.lit("{"),
            identifier_member(keys, plain=plain),
            *creation(update_only=not self.create_missing, plain=plain),
            pl.lit(',"name":') + json_string(pl.col(_EVENT)),
            pl.lit(f',"time":{self.at}}}'),
            ignore_nulls=True,
        )
        return crossing.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM),
            PROFILE,
            ENDPOINT,
            rendered.alias(OBJECT),
            (pl.col(ENDPOINT) == EVENTS.name).cast(pl.UInt32).alias(POINTS),
            MEMBER + self.events.key,
        )


@dataclass(frozen=True)
class CohortShape:
    """
    What is sent of those who come into a cohort, and of those who leave it.

    Args:
        key: What names the cohort.
    """

    key: str

    def changes(self, wanted: pl.DataFrame, _part: PartInput) -> pl.DataFrame:
        """Choose all of them."""
        return wanted

    def objects(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Render each as a change of the cohort, which is about nobody else."""
        name = send(COHORT + self.key)
        told = pl.col(name) if name in wanted.columns else pl.lit(None, pl.String)
        comes = told == "true"
        rendered = pl.concat_str(
            pl.lit("{"),
            named_in_cohort(pl.col(PROFILE)),
            pl.when(comes).then(pl.lit("}")).otherwise(pl.lit(f',"{LEAVES}":true}}')),
        )
        points = comes.cast(pl.UInt32) if is_billed(self.key) else pl.lit(0, pl.UInt32)
        return wanted.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM),
            PROFILE,
            pl.lit(f"{COHORT_ENDPOINT.name}:{self.key}").alias(ENDPOINT),
            rendered.alias(OBJECT),
            points.alias(POINTS),
        )


@dataclass(frozen=True)
class BothShape:
    """
    What is sent of those who come and who go, where that is a cohort and attributes as well.

    Each is an object of its own, which has nothing of the other, and is answered by itself. Nobody
    is created, so neither has to wait for the other.

    Args:
        key: What names the cohort.
    """

    key: str

    def changes(self, wanted: pl.DataFrame, _part: PartInput) -> pl.DataFrame:
        """Part each change into that of attributes and that of the cohort, which comes later."""
        name = COHORT + self.key
        of_cohort = [side(name) for side in (before, after, send)]
        if after(name) not in wanted.columns:  # Nothing is read of any file.
            return wanted
        sides = [each for each in wanted.columns if each.startswith((BEFORE, WANTED, SEND))]
        of_others = [each for each in sides if each not in of_cohort]
        changed = [pl.col(each).is_not_null() for each in of_others if each.startswith(WANTED)]
        attributes = wanted.filter(pl.any_horizontal(pl.lit(value=False), *changed))
        cohort = wanted.filter(pl.col(after(name)).is_not_null())
        parted = (_without(attributes, of_cohort), _without(cohort, of_others))
        return pl.concat(parted)

    def objects(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Render the attributes of each, or its change of the cohort."""
        name = send(COHORT + self.key)
        if name not in wanted.columns:
            return objects(wanted, update_only=True)
        is_cohort = pl.col(name).is_not_null()
        rendered = (
            objects(wanted.filter(~is_cohort).drop(name), update_only=True),
            CohortShape(self.key).objects(wanted.filter(is_cohort)),
        )
        number = pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM)
        return pl.concat(rendered).with_columns(number)


def _without(changes: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Take from changes what they say of some fields."""
    nothing = (pl.lit(None, changes.schema[name]).alias(name) for name in names)
    return changes.with_columns(nothing)


def shape_of_both(job: ImportJob) -> BothShape:
    """Return what a job sends of those who come and who go, to a cohort and as attributes."""
    return BothShape(job.cohort.key if job.cohort is not None else "")


def shape_of_cohort(job: ImportJob) -> CohortShape:
    """Return what a job sends of those who come into its cohort, and of those who leave it."""
    return CohortShape(job.cohort.key if job.cohort is not None else "")


def crossings_of(job: ImportJob, at: datetime, first: bool) -> Crossings:  # noqa: FBT001 - a kind's way
    """
    Return what a job sends of those who came and who went.

    Args:
        job: It names the events.
        at: The time.
        first: Whether it has taken no file yet.
    """
    audience = job.audience or Audience()
    text = spell_json(at.astimezone(UTC).strftime(_TIME)[:-3] + "Z")
    events = audience.events or AudienceEvents()
    return Crossings(events, text, job.create_missing, first and not audience.historical)
