"""What belongs to an audience: who comes and goes, and what becomes of that."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exchanger.braze.attributes import STANDARD
from exchanger.braze.identifiers import NAMES_IN_COHORTS
from exchanger.braze.limits import LONGEST_TEXT
from exchanger.braze.objects import ORDER_EVENTS
from exchanger.config.checks.keys import check_key
from exchanger.config.checks.kinds.words import check_words
from exchanger.config.findings import Finding, Where
from exchanger.config.models import (
    Audience,
    AudienceCohort,
    AudienceTarget,
    ImportJob,
    MemberValues,
)

_NOT_HERE = {"fields", "remaining_fields", "row_id", "on_unknown", "may_resubscribe"}
_TARGETS = (
    "{attribute: is_vip}, {list: audiences, entry: vip},"
    " {events: {entered: VIP entered, exited: VIP exited}} or {cohort: {id: vip, ...}}"
)
_PARTNER = re.compile(r"[A-Za-z0-9_-]+")
_NOT_WITH_EVENTS = {"baseline", "only_if"}
_NOT_WITH_COHORTS = {"baseline", "only_if"}


def check_audience(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is wrong in a job of an audience."""
    for key in sorted(job.model_fields_set & _NOT_HERE):
        message = "this is not of an audience, which is membership and nothing else; leave it out"
        yield Finding((*where, key), message, beside=("object",))
    if job.source.is_snapshot:
        yield from _check_snapshot(job, where)
    elif job.action is None:
        message = (
            "say which column tells who comes and who goes, and its words; or that each file names"
            " everybody, with mode: snapshot in its source"
        )
        guess = "action: {from: op, add: [add], remove: [remove]}"
        yield Finding(where, message, guess, missed=("action",))
    else:
        yield from check_words(job.action, (*where, "action"), "action")
    if job.audience is None:
        yield Finding(where, "'object: audience' needs 'audience'", missed=("audience",))
        return
    place: Where = (*where, "audience", "as")
    if not job.audience.as_:
        yield Finding(place, f"say what membership becomes: {_TARGETS}")
    yield from _check_events(job, job.audience, where)
    yield from _check_cohort(job, job.audience, where)
    seen: set[str] = set()
    for i, target in enumerate(job.audience.as_):
        name = target.attribute or target.list_ or ""
        if name and name in seen:
            yield Finding((*place, i), f"'{name}' is written twice; leave one of them out")
        seen.add(name)
        yield from _check_target(target, (*place, i))
    if job.assumes_empty and job.audience.entries:
        message = "an entry is taken out of what Braze has, which has to be known; leave this out"
        yield Finding((*where, "baseline"), message, beside=("audience",))


def _check_snapshot(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is said twice, or otherwise, of people whom a snapshot names or leaves out."""
    if job.action is not None:
        message = "whoever is in a snapshot belongs to it, whatever a column says; leave this out"
        yield Finding((*where, "action"), message, beside=("source", "mode"))
    if "on_removed" in job.source.model_fields_set:
        message = "what becomes of people who left, the audience says; leave this out"
        yield Finding((*where, "source", "on_removed"), message, beside=("object",))


def _check_target(target: AudienceTarget, where: Where) -> Iterator[Finding]:
    every = (target.attribute, target.list_, target.events, target.cohort)
    given = [one for one in every if one is not None]
    if len(given) != 1:
        yield Finding(where, f"write one of {_TARGETS}")
        return
    if target.events is not None:
        yield from _check_names(target, where)
        return
    if target.cohort is not None:
        yield from _check_keys(target, target.cohort, (*where, "cohort"))
        return
    key = "attribute" if target.list_ is None else "list"
    name = target.attribute or target.list_ or ""
    if name in STANDARD:
        yield Finding((*where, key), f"{name} is one of Braze's own; name an attribute of yours")
    if target.list_ is not None:
        yield from _check_entry(target, where)
        return
    if target.entry is not None:
        yield Finding((*where, "entry"), "only a list has entries", beside=("attribute",))
    yield from _check_values(target.value, (*where, "value"))


def _check_events(job: ImportJob, audience: Audience, where: Where) -> Iterator[Finding]:
    """Find what does not go together with events of an audience."""
    place: Where = (*where, "audience")
    if audience.events is None:
        if "historical" in audience.model_fields_set:
            message = "this is about events alone: nobody gets an attribute twice"
            yield Finding((*place, "historical"), message, beside=("as",))
        return
    if len(audience.as_) > 1:
        message = (
            "events are a job of their own, as they are sent once where values are set: write a"
            " second job with the same source, match and action"
        )
        yield Finding((*place, "as"), message)
    for key in sorted(job.model_fields_set & _NOT_WITH_EVENTS):
        message = "nothing is looked up for events of an audience; leave this out"
        yield Finding((*where, key), message, beside=("audience",))


def _check_cohort(job: ImportJob, audience: Audience, where: Where) -> Iterator[Finding]:
    """Find what does not go together with a cohort of a partner."""
    if audience.cohort is None:
        return
    if sum(target.cohort is not None for target in audience.as_) > 1:
        message = (
            "one cohort is enough for a job: write a second job with the same source, match and"
            " action"
        )
        yield Finding((*where, "audience", "as"), message)
    if any(match.kind not in NAMES_IN_COHORTS for match in job.match):
        message = (
            "Braze takes people into a cohort by their external_id or an alias; devices, which it"
            " takes too, are not in this version"
        )
        yield Finding(
            (*where, "match"), message, "{external_id: customer_id}", beside=("audience",)
        )
    if job.create_missing and "create_missing" in job.model_fields_set:
        message = "Braze creates nobody who is given to a cohort; leave this out"
        yield Finding((*where, "create_missing"), message, beside=("audience",))
    if job.delivery.shadow:
        message = "nobody can look up who is in a cohort, so nothing could be compared; use plan"
        yield Finding((*where, "delivery", "shadow"), message, beside=("audience",))
    for key in sorted(job.model_fields_set & _NOT_WITH_COHORTS):
        message = "this is not in this version of cohorts; leave it out"
        yield Finding((*where, key), message, beside=("audience",))


def _check_keys(target: AudienceTarget, cohort: AudienceCohort, where: Where) -> Iterator[Finding]:
    if not _PARTNER.fullmatch(cohort.partner):
        message = "the name of a partner in Braze's addresses has letters, digits, - and _ alone"
        yield Finding((*where, "partner"), message)
    for key, text in (("id", cohort.id), ("name", cohort.name)):
        if not text or text != text.strip() or len(text) > LONGEST_TEXT or not text.isprintable():
            message = f"write at most {LONGEST_TEXT} signs that can be seen, and no space around"
            yield Finding((*where, key), message, text.strip() if text.isprintable() else "")
    yield from check_key(cohort.partner_key, (*where, "partner_key"))
    yield from check_key(cohort.client_secret, (*where, "client_secret"))
    for key in ("entry", "value"):
        if key in target.model_fields_set:
            yield Finding((*where[:-1], key), "a cohort has no other keys than its own")


def _check_names(target: AudienceTarget, where: Where) -> Iterator[Finding]:
    events = target.events
    names = {} if events is None else {"entered": events.entered, "exited": events.exited}
    if not any(name is not None for name in names.values()):
        yield Finding((*where, "events"), "name the event of who comes, of who goes, or both")
    for key, name in names.items():
        place: Where = (*where, "events", key)
        if name is None:
            continue
        if not name.strip() or len(name) > LONGEST_TEXT or not name.isprintable():
            yield Finding(place, f"an event has a name of at most {LONGEST_TEXT} signs")
        elif name.startswith("$") or name in ORDER_EVENTS:
            yield Finding(place, f"'{name}' means something else to Braze; choose another name")
    for key in ("entry", "value"):
        if key in target.model_fields_set:
            yield Finding((*where, key), "events have no other keys than their names")


def _check_values(values: MemberValues, where: Where) -> Iterator[Finding]:
    sides = {"member": values.member, "leaver": values.leaver}
    kinds = {type(value) for value in sides.values() if value is not None}
    if len(kinds) > 1:
        yield Finding(where, "both values have to be of one type; or write null")
    elif values.member == values.leaver:
        yield Finding(where, "members need another value than people who left")
    for side, value in sides.items():
        if isinstance(value, str) and not value.strip():
            yield Finding((*where, side), "write null for no value", "null")
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            message = f"Braze takes text of at most {LONGEST_TEXT} characters"
            yield Finding((*where, side), message)
        if isinstance(value, float) and not abs(value) < float("inf"):
            yield Finding((*where, side), "this is no number that Braze can hold")


def _check_entry(target: AudienceTarget, where: Where) -> Iterator[Finding]:
    entry = target.entry
    if entry is None or not entry.strip():
        message = "name the text that stands for the audience in the list"
        yield Finding(where, message, "entry: vip", missed=("entry",))
    elif len(entry) > LONGEST_TEXT or not entry.isprintable():
        message = f"an entry is a text of at most {LONGEST_TEXT} signs, all of which can be seen"
        yield Finding((*where, "entry"), message)
    if "value" in target.model_fields_set:
        yield Finding((*where, "value"), "a list has its entry, and no other value")
