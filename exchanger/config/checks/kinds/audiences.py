"""What belongs to an audience: who comes and goes, and what becomes of that."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.braze.attributes import STANDARD
from exchanger.braze.limits import LONGEST_TEXT
from exchanger.config.checks.kinds.words import check_words
from exchanger.config.findings import Finding, Where
from exchanger.config.models import AudienceTarget, ImportJob, MemberValues

_NOT_HERE = {"fields", "remaining_fields", "row_id", "on_unknown", "may_resubscribe"}
_TARGETS = "{attribute: is_vip} or {list: audiences, entry: vip}"


def check_audience(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is wrong in a job of an audience."""
    for key in sorted(job.model_fields_set & _NOT_HERE):
        message = "this is not of an audience, which is membership and nothing else; leave it out"
        yield Finding((*where, key), message, beside=("object",))
    if job.action is None:
        message = "say which column tells who comes and who goes, and its words"
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


def _check_target(target: AudienceTarget, where: Where) -> Iterator[Finding]:
    if (target.attribute is None) == (target.list_ is None):
        yield Finding(where, f"write one of {_TARGETS}")
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
