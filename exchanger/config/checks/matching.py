"""What may go together in ``match``, and beside it."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from exchanger.braze.attributes import CONSENT, IDENTIFIERS, NOT_EXPORTED
from exchanger.braze.identifiers import LONGEST, SHARED
from exchanger.config.findings import Finding, Where
from exchanger.config.models import (
    NEEDS_HELD,
    Alias,
    Baseline,
    FieldConfig,
    ImportJob,
    Match,
    RemainingFields,
)

_NAMES = {"email": "e-mail address", "phone": "phone number"}


def check_match(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is wrong in who is meant by the rows of an import job."""
    if job.object == "catalog_items":
        return
    if not job.match:
        given = "match" in job.model_fields_set
        message = "this must not be empty" if given else "this must be given"
        yield Finding((*where, "match"), message, missed=("match",))
        return
    # Of others, what they do says who is meant, and is looked at.
    matches = () if job.merge is not None else job.match
    for i, match in enumerate(matches):
        place: Where = (*where, "match", i)
        yield from check_columns(match, place)
        if match in job.match[:i]:
            yield Finding(place, "this stands here already")
    yield from _check_ambiguous(job, where)
    yield from _check_own_fields(job, where)
    yield from _check_gates(job, where)
    yield from _check_segment(job, where)


def _check_segment(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what an export of a segment cannot tell: whether somebody outside has an address."""
    known = job.baseline
    if not isinstance(known, Baseline) or known.segment is None or known.complete:
        return
    shared = [match.kind for match in job.match if match.kind in SHARED]
    if shared and job.on_ambiguous == "reject":
        message = (
            f"the export of a segment tells who has a given {_NAMES[shared[0]]} only if everybody"
            " is in it: name such a segment, and say complete: true"
        )
        yield Finding((*where, "baseline", "segment"), message, beside=("match",))


def check_columns(match: Match, where: Where) -> Iterator[Finding]:
    """Find what is wrong in the columns of one identifier."""
    if match.alias is None:
        if not match.column:
            yield Finding((*where, match.kind), "name the column of the identifier")
        return
    yield from check_alias(match.alias, (*where, "alias"))


def check_alias(alias: Alias, place: Where) -> Iterator[Finding]:
    """Find what is wrong in the columns of an alias."""
    if not alias.name:
        yield Finding((*place, "name"), "name the column of the alias's name")
    label = alias.label
    if alias.label_column == "":
        yield Finding((*place, "label", "from"), "name the column of the label")
    if isinstance(label, str) and not label.strip():
        yield Finding((*place, "label"), "an alias needs a label")
    elif isinstance(label, str) and len(label.encode()) > LONGEST["alias"]:
        message = f"Braze takes a label of at most {LONGEST['alias']} bytes"
        yield Finding((*place, "label"), message)
    elif isinstance(label, str) and (label != label.strip() or not label.isprintable()):
        message = "a label has no space around it, and no sign that cannot be seen"
        yield Finding((*place, "label"), message, label.strip() if label.isprintable() else "")


def _check_ambiguous(job: ImportJob, where: Where) -> Iterator[Finding]:
    place: Where = (*where, "on_ambiguous")
    if not any(match.kind in SHARED for match in job.match):
        if "on_ambiguous" in job.model_fields_set:
            message = "only an email or a phone in match may belong to several profiles"
            yield Finding(place, message, beside=("match",))
        return
    if job.calls_people or job.cohort is not None:
        return
    if job.object in ("subscriptions", "email_state"):
        return  # They are about an address, whoever has it.
    if job.on_ambiguous == "reject":
        if job.kind == "audience_events":
            message = (
                "this is not in this version of audiences with events: nobody is looked up for"
                " them; write most_recent"
            )
            yield Finding(place, message, "most_recent", beside=("match", "object"))
        return
    blocks: list[FieldConfig | RemainingFields] = [*job.fields.values(), *job.remaining_fields]
    needing: list[str] = sorted({block.merge for block in blocks if block.merge in NEEDS_HELD})
    needing += ["an entry of a list"] if job.audience is not None and job.audience.entries else []
    if needing:
        message = (
            f"with most_recent nobody knows what Braze has, as it does not say which profile it"
            f" chose, and {needing[0]} needs to know; write reject"
        )
        yield Finding(place, message, "reject", beside=("fields", "remaining_fields"))
    elif not job.may_resubscribe and (names := sorted(CONSENT & {*job.fields})):
        message = (
            "with most_recent nobody knows who is unsubscribed, as Braze does not say which"
            f" profile it chose, so {names[0]} cannot be sent; write reject, or set"
            " may_resubscribe: true"
        )
        yield Finding(place, message, "reject", beside=("fields",))
    elif any(block.on_drift != "overwrite" for block in blocks):
        message = "with most_recent nobody can see what somebody else changed; leave out on_drift"
        yield Finding(place, message, beside=("fields", "remaining_fields"))


def _check_gates(job: ImportJob, where: Where) -> Iterator[Finding]:
    place: Where = (*where, "only_if")
    if not job.only_if:
        return
    if job.kind not in ("attributes", "audience"):
        message = f"this is not in this version of {job.object}: nobody is looked up for them"
        yield Finding(place, message, beside=("object",))
    if job.on_ambiguous == "most_recent":
        message = "with most_recent nobody knows of whom this would be; write reject"
        yield Finding((*where, "on_ambiguous"), message, "reject", beside=("only_if",))
    if job.gate_segment is not None:
        if any(match.external_id is None for match in job.match):
            message = "the export of a segment tells of profiles by their external_id alone"
            yield Finding((*place, "segment"), message, beside=("match",))
        if not job.gate_segment.strip():
            yield Finding((*place, "segment"), "give the name or id of a segment")
    for name, values in job.gates.items():
        if name in NOT_EXPORTED or name in IDENTIFIERS:
            yield Finding((*place, name), "nobody can be looked up by this: Braze does not tell it")
        if not values:
            yield Finding((*place, name), "name the values of which one is enough")


def _check_own_fields(job: ImportJob, where: Where) -> Iterator[Finding]:
    """
    Find fields that set what names the profile.

    Beside an e-mail address or phone number that names the profile, Braze takes an attribute of
    that name for the identifier (braze-api.md 2.3).
    """
    kinds = [match.kind for match in job.match]
    for name, field in job.fields.items():
        place: Where = (*where, "fields", name)
        own = [match.column for match in job.match if match.kind == name]
        if own and field.from_ not in own:
            message = (
                f"the {_NAMES.get(name, name)} that names the profile cannot be set to another"
                f" one; take it from {own[0]}, or find the profile by something else"
            )
            yield Finding(place, message, f"{{from: {own[0]}}}", beside=("match",))
        elif name == "email" and _is_taken_for_the_phone(job, field.from_):
            message = (
                "Braze would find the profile by this e-mail address rather than by the phone"
                " number; let an email of the same column stand before phone in match"
            )
            yield Finding(place, message, beside=("match",))
    named = {match.kind for match in job.match if match.kind in SHARED}
    if (
        set(kinds) <= SHARED
        and job.fields
        and not job.remaining_fields
        and named >= set(job.fields)
    ):
        message = "beside what names the profile there is nothing to set; name another field"
        yield Finding((*where, "fields"), message, beside=("match",))
    for i, block in enumerate(job.remaining_fields):
        takes = block.standard and fnmatchcase("email", block.columns) and not block.prefix
        kept = any(fnmatchcase("email", pattern) for pattern in block.exclude)
        if (
            takes
            and not kept
            and "email" not in job.fields
            and _is_taken_for_the_phone(job, "email")
        ):
            message = (
                "a column email would be taken here, by which Braze would find the profile rather"
                " than by the phone number; exclude it"
            )
            yield Finding((*where, "remaining_fields", i), message, 'exclude: "email"')


def _is_taken_for_the_phone(job: ImportJob, column: str | None) -> bool:
    """Check whether a row that a phone number names may have an e-mail address beside it."""
    kinds = [(match.kind, match.column) for match in job.match]
    phones = [i for i, (kind, _) in enumerate(kinds) if kind == "phone"]
    return bool(phones) and ("email", column or "email") not in kinds[: phones[0]]
