"""When files of an import count as arrived: what that must say."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from exchanger.config.checks.lengths import check_lengths
from exchanger.config.endpoints import store_fault
from exchanger.config.findings import Finding, Where, listed
from exchanger.config.models import CompleteWhen, ImportJob, LeaverEvent, Notices, Source
from exchanger.config.patterns import compile_pattern

_WAYS = tuple(CompleteWhen.model_fields)


def check_arrival(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find out whether a source says in one way, and one that means something, what is complete."""
    source = job.source
    if source.is_snapshot:
        yield from _check_snapshot(job, where)
    elif "on_removed" in source.model_fields_set:
        message = "this is of snapshots alone: who is missing in a file of changes has not left"
        yield Finding((*where, "source", "on_removed"), message, beside=("mode",))
    if source.complete_when is not None:
        place: Where = (*where, "source", "complete_when")
        yield from _check_complete_when(source.complete_when, place)
        yield from _check_that_files_are_left(source, place)
    if source.schema_.missing == "note" and job.object not in ("attributes", "catalog_items"):
        message = f"rows without that column would be no {job.object}; put such files aside"
        place = (*where, "source", "schema", "missing")
        yield Finding(place, message, "quarantine", beside=("object",))
    if source.notices is not None:
        yield from _check_notices(source.notices, (*where, "source", "notices"))


def _check_snapshot(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what a job cannot do with files each of which is the whole truth."""
    place: Where = (*where, "source", "mode")
    if job.object not in ("attributes", "audience"):
        message = f"a snapshot is of attributes and audiences alone: {job.object} would add up"
        yield Finding(place, message, "changes", beside=("object",))
    if "files" in job.source.model_fields_set and job.source.files == "all":
        message = "the newest file is the whole truth, so it counts alone; leave this out"
        yield Finding((*where, "source", "files"), message, "latest", beside=("mode",))
    yield from _check_removal(job, where)
    summed = [name for name, field in job.fields.items() if field.merge == "sum"]
    message = "every snapshot has everything again, so it would be added up once more each time"
    for name in summed:
        yield Finding((*where, "fields", name, "merge"), message, "set", beside=("mode",))
    for position, block in enumerate(job.remaining_fields):
        if block.merge == "sum":
            yield Finding((*where, "remaining_fields", position, "merge"), message, "set")


def _check_removal(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what cannot become of people who left."""
    does = job.source.on_removed
    if does == "delete" and not job.confirm_deletes:
        message = "whoever is missing is deleted for good: say that this is meant"
        yield Finding(where, message, "confirm_deletes: true", missed=("confirm_deletes",))
    if isinstance(does, LeaverEvent) and (not does.event.strip() or does.event.startswith("$")):
        message = "name the event; its name must not begin with $"
        yield Finding((*where, "source", "on_removed", "event"), message)


def _check_that_files_are_left(source: Source, where: Where) -> Iterator[Finding]:
    """Find a sign that every file of the job would be, so that none were ever taken."""
    rule = source.complete_when
    suffix, manifest = (rule.suffix, rule.manifest) if rule is not None else (None, None)
    message = "every file that 'pattern' takes would be such a sign, so none would be read"
    if suffix and source.pattern.lower().endswith(suffix.lower()):
        yield Finding((*where, "suffix"), message, beside=("pattern",))
    if manifest and source.pattern == manifest:
        yield Finding((*where, "manifest"), message, beside=("pattern",))


def _check_complete_when(rule: CompleteWhen, where: Where) -> Iterator[Finding]:
    said = [way for way in _WAYS if getattr(rule, way) is not None]
    if len(said) != 1:
        yield Finding(where, f"write exactly one of {listed(_WAYS)}", missed=_WAYS)
    yield from check_lengths(rule, where)
    for way in ("marker", "suffix"):
        name = getattr(rule, way)
        if name is not None and (not name.strip() or "/" in name):
            message = f"a {way} is {'a name' if way == 'marker' else 'an ending'} without a slash"
            yield Finding((*where, way), message, "_SUCCESS" if way == "marker" else ".done")
    if rule.manifest is not None:
        yield from _check_pattern(rule.manifest, (*where, "manifest"))


def _check_pattern(pattern: str, where: Where) -> Iterator[Finding]:
    if not pattern.replace("*", "").replace("/", ""):
        message = "this would take every file for a manifest"
        yield Finding(where, message, '"*.manifest.json"')
    elif pattern.startswith("/"):
        message = "a pattern is compared with what follows the prefix, so it begins without a slash"
        yield Finding(where, message, pattern.lstrip("/"))
    try:
        compile_pattern(pattern)
    except ValueError as error:
        yield Finding(where, str(error))


def _check_notices(notices: Notices, where: Where) -> Iterator[Finding]:
    if store_fault(notices.sqs) or not urlsplit(notices.sqs).path.strip("/"):
        message = (
            "write the address of the queue, such as"
            " https://sqs.eu-west-1.amazonaws.com/123456789012/arrivals"
        )
        yield Finding((*where, "sqs"), message)
    if notices.endpoint_url is not None and (fault := store_fault(notices.endpoint_url)):
        yield Finding((*where, "endpoint_url"), fault)
