"""What belongs to a job that does something with people as such: renames and the like."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.braze.identifiers import SHARED
from exchanger.config.checks.matching import check_alias, check_columns
from exchanger.config.findings import Finding, Where
from exchanger.config.models import CALLS, Identify, ImportJob, Match, PersonMerge

_OF_OTHERS = {
    "fields", "remaining_fields", "baseline", "row_id", "on_unknown", "on_ambiguous",
    "create_missing", "may_resubscribe", "only_if",
}  # fmt: skip


def check_call(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what does not go together in a job whose rows are calls about people."""
    for key in sorted(job.model_fields_set & _OF_OTHERS):
        yield Finding((*where, key), f"this means nothing to {job.object}", beside=("object",))
    if job.source.order_by is not None:
        message = "these have no order: give what comes second in a later file"
        yield Finding((*where, "source", "order_by"), message)
    if job.object == "deletions":
        if not job.confirm_deletes:
            message = "profiles are deleted for good: say that this is meant"
            yield Finding(where, message, "confirm_deletes: true", missed=("confirm_deletes",))
        return
    own = CALLS[job.object]
    if getattr(job, own) is None:
        yield Finding(where, f"'object: {job.object}' needs '{own}'", missed=(own,))
        return
    yield from _check_columns(job, where)
    yield from _check_who(job, where)


def _check_who(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find out whether those can be meant whom the job means."""
    if job.rename is not None and job.match != (Match(external_id=job.rename.from_),):
        message = "'rename' says who is meant: leave this out"
        yield Finding((*where, "match"), message, beside=("rename",))
    if job.merge is not None:
        yield from _check_merge(job, job.merge, where)
    if job.identify is not None:
        yield from _check_identify(job, job.identify, where)
    if job.alias is not None:
        yield from check_alias(job.alias, (*where, "alias"))
        if not job.by_external_id:
            message = "Braze gives aliases to who is named by external_id alone"
            yield Finding((*where, "match"), message, "{external_id: COLUMN}")


def _check_columns(job: ImportJob, where: Where) -> Iterator[Finding]:
    own = CALLS[job.object]
    for name, part in (job.call.cells if job.call is not None else {}).items():
        if part.get("from") == "" and name in ("to", "replaces", "external_id"):
            yield Finding((*where, own, name), "name a column")


def _check_merge(job: ImportJob, merge: PersonMerge, where: Where) -> Iterator[Finding]:
    for side, match in (("keep", merge.keep), ("drop", merge.drop)):
        place: Where = (*where, "merge", side)
        yield from check_columns(match, place)
        if match.kind not in ("external_id", "alias"):
            message = "a profile is merged by its external_id or an alias alone"
            yield Finding(place, message, "{external_id: COLUMN}")
    if job.match != (merge.drop,):
        yield Finding(
            (*where, "match"), "'merge' says who is meant: leave this out", beside=("merge",)
        )


def _check_identify(job: ImportJob, identify: Identify, where: Where) -> Iterator[Finding]:
    for i, match in enumerate(job.match):
        if match.kind not in ("alias", *SHARED):
            message = "name who is known by an alias, email or phone alone"
            yield Finding((*where, "match", i), message)
    place: Where = (*where, "identify", "prioritization")
    words = identify.prioritization
    shared = any(match.kind in SHARED for match in job.match)
    if shared and not words:
        message = "say who is meant where several profiles have an address or number"
        yield Finding(place, message, "[unidentified, most_recently_updated]")
    elif words and not shared:
        yield Finding(place, "an alias is that of one profile: leave this out", beside=("match",))
    elif {"identified", "unidentified"} <= {*words}:
        yield Finding(place, "nobody is both identified and unidentified")
