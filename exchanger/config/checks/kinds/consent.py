"""What belongs to states of subscriptions."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.checks.kinds.words import check_words
from exchanger.config.findings import Finding, Where
from exchanger.config.models import ImportJob

_WHO = {"subscriptions": ("external_id", "email", "phone"), "email_state": ("email",)}
"""What may name a person, or whose state it is."""
_NOT_HERE = {
    "fields", "remaining_fields", "baseline", "row_id", "on_unknown", "only_if", "on_ambiguous",
    "create_missing",
}  # fmt: skip


def check_consent(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is wrong in a job of ``subscriptions`` or ``email_state``."""
    for key in sorted(job.model_fields_set & _NOT_HERE):
        message = f"this is not of {job.object}, which are states and nothing else; leave it out"
        yield Finding((*where, key), message, beside=("object",))
    own = "subscription" if job.object == "subscriptions" else "state"
    if getattr(job, own) is None:
        yield Finding(where, f"'object: {job.object}' needs '{own}'", missed=(own,))
    for i, match in enumerate(job.match):
        if match.kind not in _WHO[job.object]:
            names = " or ".join(_WHO[job.object])
            message = f"Braze takes {job.object} by {names} alone"
            yield Finding((*where, "match", i, match.kind), message, beside=("object",))
    if job.subscription is not None:
        place: Where = (*where, "subscription")
        group = job.subscription.group
        given = group.from_ or (str(group.value).strip() if group.value is not None else "")
        if not given:
            yield Finding((*place, "group"), "give the id of the group, or {from: COLUMN}")
        if group.model_fields_set - {"from_", "value"}:
            yield Finding((*place, "group"), "a group is an id or {from: COLUMN}, and no more")
        yield from check_words(job.subscription.state, (*place, "state"), "state")
    if job.state is not None:
        yield from check_words(job.state, (*where, "state"), "state")
