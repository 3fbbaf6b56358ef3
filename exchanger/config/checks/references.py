"""What no single value shows: keys that must go together, and what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from exchanger.config.checks.after import check_after, check_places
from exchanger.config.checks.arrival import check_arrival
from exchanger.config.checks.fields import check_export_field, check_import_fields
from exchanger.config.checks.folders import check_beginning, check_folder
from exchanger.config.checks.guards import check_budget, check_delivery, check_guards
from exchanger.config.checks.keys import check_key
from exchanger.config.checks.kinds.objects import check_object
from exchanger.config.checks.lengths import (
    check_completion_lengths,
    check_connection_lengths,
    check_lengths,
)
from exchanger.config.checks.matching import check_match
from exchanger.config.checks.overlaps import check_overlaps
from exchanger.config.checks.timezones import check_timezone
from exchanger.config.cron import CronError, CronExpression
from exchanger.config.durations import show_duration
from exchanger.config.endpoints import endpoint_fault, guess_endpoint, scheduler_fault, store_fault
from exchanger.config.findings import Finding, Where, closest, listed
from exchanger.config.loading.shorthand import REGISTER, default_state_prefix
from exchanger.config.models import (
    Baseline,
    BrazeConfig,
    Connection,
    CsvOptions,
    EngineConfig,
    ExportJob,
    ImportJob,
    Job,
    Retention,
    S3Config,
    Schedule,
)
from exchanger.config.names import without_case
from exchanger.config.patterns import compile_pattern
from exchanger.config.queries import wording_fault

_NAME_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_SHORTEST_RETENTION = timedelta(days=1)
_LENGTHS = ("outbox", "acknowledgements", "quarantine", "contributions", "changes")
_AS_LONG = {
    "contributions": "rows that are given again are counted by them",
    "changes": "rows that are given again must not undo them",
}
"""What is kept for as long as quarantine, and why."""
_FOLDER_SIGNS = _NAME_SIGNS | frozenset("/=+@!$&'(),;:~*")
"""What objects and tables alike spell as it is, in the address of a folder."""
_LONGEST_FOLDER = 500


def check(
    connections: Mapping[str, Connection], jobs: Mapping[str, Job], known: list[str]
) -> list[Finding]:
    """
    Check what is sound by itself against everything else.

    Args:
        connections: The connections that could be built.
        jobs: The jobs that could be built.
        known: The names of all connections, also of those that could not be built.
    """
    findings: list[Finding] = []
    homes: dict[str, str] = {}
    for name, connection in connections.items():
        findings += check_name(("connections", name))
        findings += check_connection_lengths(connection, ("connections", name))
        findings += _check_braze(connection.braze, ("connections", name, "braze"))
        findings += _check_s3(connection.s3, ("connections", name, "s3"))
        findings += _check_retention(connection.retention, ("connections", name, "retention"))
        if connection.budget is not None:
            findings += check_budget(connection.budget, ("connections", name, "budget"))
    for name, job in jobs.items():
        where: Where = ("jobs", name)
        findings += check_name(where)
        findings += _check_connection(job, known, where)
        findings += _check_job(job, where)
        homes[name] = job.connection or (known[0] if len(known) == 1 else "")
    findings += check_overlaps(connections, jobs, homes)
    return [*findings, *check_places(connections, jobs, homes)]


def check_name(where: Where) -> Iterator[Finding]:
    """Find out whether a job or connection has a name that can be part of an object's name."""
    name = str(where[-1])
    if not name or not set(name) <= _NAME_SIGNS or not name[0].isalnum():
        message = "a name is made of letters, digits, '.', '_' and '-', and begins with no sign"
        yield Finding(where, message)


def check_engine(engine: EngineConfig, where: Where) -> Iterator[Finding]:
    """Find out whether the address of a scheduler is one."""
    fault, guess = scheduler_fault(engine.dask)
    if fault:
        yield Finding((*where, "dask"), fault, guess)


def _check_connection(job: Job, known: list[str], where: Where) -> Iterator[Finding]:
    if job.connection is None and len(known) > 1:
        yield Finding(
            (*where, "connection"), f"say which connection it uses: {listed(sorted(known))}"
        )
    if job.connection is not None and known and job.connection not in known:
        guess = closest(job.connection, known)
        message = f"there is no connection '{job.connection}'"
        yield Finding((*where, "connection"), message, guess)


def _check_braze(braze: BrazeConfig, where: Where) -> Iterator[Finding]:
    fault = endpoint_fault(braze.endpoint)
    if fault:
        yield Finding((*where, "endpoint"), fault, guess_endpoint(braze.endpoint))
    yield from check_key(braze.api_key, (*where, "api_key"))


def _check_s3(s3: S3Config, where: Where) -> Iterator[Finding]:
    if not s3.bucket or "/" in s3.bucket:
        message = "write the name of the bucket alone, without s3:// and without a folder"
        guess = s3.bucket.removeprefix("s3://").partition("/")[0]
        yield Finding((*where, "bucket"), message, guess)
    if (s3.access_key_id is None) != (s3.secret_access_key is None):
        missing = "access_key_id" if s3.access_key_id is None else "secret_access_key"
        message = "access_key_id and secret_access_key go together: give both or none"
        yield Finding((*where, missing), message, beside=("access_key_id", "secret_access_key"))
    for name in ("access_key_id", "secret_access_key"):
        if (key := getattr(s3, name)) is not None:
            yield from check_key(key, (*where, name))
    if s3.endpoint_url is not None:
        fault = store_fault(s3.endpoint_url)
        if fault:
            yield Finding((*where, "endpoint_url"), fault)
    if s3.state_prefix != default_state_prefix(str(where[1])):
        # Else it is made of the connection's name, which is checked by itself.
        yield from _check_state_prefix(s3.state_prefix or "", (*where, "state_prefix"))
    if not s3.export_root:
        yield Finding(
            (*where, "export_root"), "name the folder that Braze writes to", "segment-export"
        )
    yield from check_folder(s3.export_root, (*where, "export_root"))


def _check_retention(retention: Retention, where: Where) -> Iterator[Finding]:
    """Find out whether each kind is kept for long enough to be of any use."""
    short = [key for key in _LENGTHS if getattr(retention, key) < _SHORTEST_RETENTION]
    for key in short:
        yield Finding((*where, key), "what names people is kept for a day at least", "1d")
    for key, why in _AS_LONG.items():
        if not short and getattr(retention, key) < retention.quarantine:
            message = f"{key} are kept for as long as quarantine at least: {why}"
            guess = show_duration(retention.quarantine)
            yield Finding((*where, key), message, guess, beside=("quarantine",))


def _check_state_prefix(prefix: str, where: Where) -> Iterator[Finding]:
    """Find out whether tables would lie in the very folder that the documents are in."""
    steps = prefix.removesuffix("/").split("/")
    if not prefix:
        yield Finding(where, "our own state needs a folder of its own")
    elif not set(prefix) <= _FOLDER_SIGNS:
        shown = listed(sorted({repr(sign) for sign in set(prefix) - _FOLDER_SIGNS}), "and")
        guess = "".join(sign if sign in _FOLDER_SIGNS else "-" for sign in prefix)
        message = (
            f"tables of our state cannot lie in a folder whose name has {shown}; use letters a to"
            " z, digits, '-', '_', '.' and '='"
        )
        yield Finding(where, message, guess)
    elif {"", ".", ".."} & set(steps):
        guess = "/".join(step for step in steps if step not in ("", ".", ".."))
        message = "each folder on the way needs a name, which is neither '.' nor '..'"
        yield Finding(where, message, guess and f"{guess}/")
    elif prefix.startswith(REGISTER):
        message = f"{REGISTER} is where the states of a bucket find each other; use another folder"
        yield Finding(where, message, default_state_prefix(str(where[1])))
    elif len(prefix) > _LONGEST_FOLDER:
        yield Finding(where, f"write at most {_LONGEST_FOLDER} characters")


def _check_job(job: Job, where: Where) -> Iterator[Finding]:
    if job.schedule is not None:
        yield from _check_schedule(job.schedule, (*where, "schedule"))
    if job.expect is not None:
        yield from check_lengths(job.expect, (*where, "expect"))
    if isinstance(job, ImportJob):
        yield from _check_import(job, where)
    else:
        yield from _check_export(job, where)


def _check_schedule(schedule: Schedule, where: Where) -> Iterator[Finding]:
    if (schedule.cron is None) == (schedule.every is None):
        missed = ("cron", "every") if schedule.cron is None else ()
        yield Finding(where, "give either cron or every", missed=missed)
    if schedule.cron is not None:
        try:
            CronExpression.parse(schedule.cron)
        except CronError as error:
            yield Finding((*where, "cron"), str(error))
    yield from check_lengths(schedule, where)
    yield from check_timezone(schedule.timezone, (*where, "timezone"))


def _check_csv_signs(csv: CsvOptions, where: Where) -> Iterator[Finding]:
    """Find one sign that is to mean two things; quotes within quotes are doubled anyway."""
    if csv.escape == csv.quote:
        message = "quotes within quotes are doubled without it; leave it out"
        yield Finding((*where, "escape"), message, "none", beside=("quote",))
    for key in ("quote", "escape"):
        if getattr(csv, key) == csv.delimiter:
            message = "this separates the cells already"
            yield Finding((*where, key), message, beside=("delimiter",))


def _check_import(job: ImportJob, where: Where) -> Iterator[Finding]:
    yield from check_folder(job.source.prefix, (*where, "source", "prefix"))
    yield from check_beginning(job.source.pattern, job.source.prefix, (*where, "source"))
    yield from check_timezone(job.source.timezone, (*where, "source", "timezone"))
    try:
        compile_pattern(job.source.pattern)
    except ValueError as error:
        yield Finding((*where, "source", "pattern"), str(error))
    if job.source.csv.thousands == job.source.csv.decimal:
        message = "what stands before fractions is no sign that separates thousands"
        yield Finding((*where, "source", "csv", "thousands"), message, beside=("decimal",))
    yield from _check_csv_signs(job.source.csv, (*where, "source", "csv"))
    if job.source.sql is not None and (fault := wording_fault(job.source.sql)):
        yield Finding((*where, "source", "sql"), fault)
    yield from check_arrival(job, where)
    yield from check_after(job, where)
    yield from check_guards(job, where)
    yield from check_delivery(job, where)
    yield from check_match(job, where)
    if job.source.order_by == "":
        yield Finding((*where, "source", "order_by"), "name a column, or leave this out")
    yield from check_object(job, where)
    if job.object == "attributes" and not job.fields and not job.remaining_fields:
        message = "name at least one field, or say what becomes of the remaining ones"
        guess = "remaining_fields: {merge: set}"
        yield Finding(where, message, guess, missed=("fields", "remaining_fields"))
    if isinstance(job.baseline, Baseline):
        yield from _check_baseline(job.baseline, (*where, "baseline"))
    yield from check_import_fields(job, where)


def _check_baseline(baseline: Baseline, where: Where) -> Iterator[Finding]:
    yield from check_lengths(baseline, where)
    if baseline.segment is not None and not baseline.segment.strip():
        yield Finding((*where, "segment"), "give the name or id of a segment")
    for key in ("complete", "completion", "raw"):
        if key in baseline.model_fields_set and baseline.segment is None:
            message = f"{key} is about a segment; name one"
            yield Finding((*where, key), message, beside=("segment",))
    yield from check_completion_lengths(baseline.completion, (*where, "completion"))


def _check_export(job: ExportJob, where: Where) -> Iterator[Finding]:
    yield from check_folder(job.target.prefix, (*where, "target", "prefix"))
    if not job.segment.strip():
        yield Finding((*where, "segment"), "give the name or id of a segment")
    if not job.fields and job.remaining_fields is None:
        message = "name at least one column, or say what becomes of the remaining ones"
        guess = 'remaining_fields: {prefix: ""}'
        yield Finding(where, message, guess, missed=("fields", "remaining_fields"))
    spelt: dict[str, str] = {}
    for name, field in job.fields.items():
        place: Where = (*where, "fields", name)
        twin = spelt.setdefault(without_case(name), name)
        if twin != name:
            message = (
                f"this differs from '{twin}' in case alone, and readers such as Athena and Spark"
                " would take both for one column; give one of them another name"
            )
            yield Finding(place, message)
        yield from check_export_field(field, place)
    if job.empty == "allow" and not job.completion.confirm:
        message = "without confirm nobody can tell an export of nobody from one that is under way"
        yield Finding((*where, "empty"), message, beside=("completion",))
    yield from check_completion_lengths(job.completion, (*where, "completion"))
