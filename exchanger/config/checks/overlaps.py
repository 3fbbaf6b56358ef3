"""Jobs and connections that would get into each other's way."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import combinations

from exchanger.braze.attributes import STANDARD
from exchanger.config.answers import answer_folders
from exchanger.config.findings import Finding, Where
from exchanger.config.loading.shorthand import REGISTER
from exchanger.config.models import Connection, ExportJob, ImportJob, Job, RemainingFields
from exchanger.config.patterns import nested

_Named = tuple[str, Job]
_Import = tuple[str, ImportJob]
_Export = tuple[str, ExportJob]


def check_overlaps(
    connections: Mapping[str, Connection], jobs: Mapping[str, Job], homes: Mapping[str, str]
) -> Iterator[Finding]:
    """
    Find pairs of jobs, or of a job and our own state, that use the same objects.

    Args:
        connections: The sound connections.
        jobs: The sound jobs.
        homes: The connection of each job; empty if it is not known.
    """
    yield from _shared_state(connections)
    named: dict[str, Job] = {}
    for name, job in jobs.items():
        connection = connections.get(homes.get(name, ""))
        if not _prefix(job):
            # Braze's exports, our own state and every other job live in the same bucket.
            message = "name a folder of the bucket"
            yield Finding(_place(name, job), message, f"{name}/")
            continue
        named[name] = job
        if connection is not None:
            yield from _own_state(name, job, connection, connections)
            if isinstance(job, ImportJob):
                yield from _answers(name, job, connection)
    of_connection: dict[str, list[_Named]] = {}
    for name, job in named.items():
        of_connection.setdefault(homes.get(name, ""), []).append((name, job))
    for home, its_jobs in of_connection.items():
        for first, second in _that_meet(its_jobs) if home else ():
            yield from _of_a_pair(first, second)


def _that_meet(jobs: Sequence[_Named]) -> list[tuple[_Named, _Named]]:
    """
    List the pairs of jobs of which one's folder lies in a folder of the other, or of one cohort.

    In their order. Of hundreds of jobs hardly any pair does, so not each is looked at.
    """
    ordered = sorted((_prefix(job), number) for number, (_, job) in enumerate(jobs))
    pairs: set[tuple[int, int]] = set()
    cohorts: dict[str, list[int]] = {}
    for number, (_, job) in enumerate(jobs):
        answers: tuple[str, ...] = ()
        if isinstance(job, ImportJob):
            answers = answer_folders(job)
            if job.cohort is not None:
                cohorts.setdefault(job.cohort.key, []).append(number)
        for folder in (_prefix(job), *answers):
            for at in range(bisect_left(ordered, (folder, 0)), len(ordered)):
                inside, other = ordered[at]
                if not inside.startswith(folder):
                    break
                pairs.add((min(number, other), max(number, other)))
    pairs.update(pair for alike in cohorts.values() for pair in combinations(alike, 2))
    return [(jobs[one], jobs[other]) for one, other in sorted(pairs) if one != other]


def _of_a_pair(one_of: _Named, other_of: _Named) -> Iterator[Finding]:
    """Find what two jobs of one connection do to each other's objects."""
    (first, one), (second, other) = one_of, other_of
    yield from _amid_answers(one_of, other_of)
    yield from _amid_answers(other_of, one_of)
    if isinstance(one, ImportJob) and isinstance(other, ImportJob):
        yield from _shared_cohort((first, one), (second, other))
        yield from _shared_fields((first, one), (second, other))
    if isinstance(one, ExportJob) and isinstance(other, ExportJob):
        yield from _shared_target((first, one), (second, other))
    if isinstance(one, ImportJob) and isinstance(other, ExportJob):
        yield from _own_exports((first, one), (second, other))
    if isinstance(one, ExportJob) and isinstance(other, ImportJob):
        yield from _own_exports((second, other), (first, one))


def _shared_state(connections: Mapping[str, Connection]) -> Iterator[Finding]:
    for (first, one), (second, other) in combinations(connections.items(), 2):
        here, there = one.s3.state_prefix, other.s3.state_prefix
        if one.s3.place == other.s3.place and here and there and nested(here, there):
            message = f"connection '{first}' already keeps its state there"
            yield Finding(("connections", second, "s3", "state_prefix"), message)


def _own_state(
    name: str, job: Job, home: Connection, connections: Mapping[str, Connection]
) -> Iterator[Finding]:
    """Find what we or Braze write, of any connection of the bucket, in the folder of a job."""
    where = _place(name, job)
    beside = [one for one in connections.values() if one.s3.place == home.s3.place]
    states = [one.s3.state_prefix for one in beside if one.s3.state_prefix]
    roots = [f"{one.s3.export_root}/" for one in beside]
    for state in states:
        if nested(_prefix(job), state):
            yield Finding(where, f"this overlaps {state}, where exchanger keeps its own state")
    if _prefix(job).startswith(REGISTER):
        yield Finding(where, f"{REGISTER} is where exchanger keeps a register of its states")
    for root in roots:
        if nested(_prefix(job), root):
            yield Finding(where, f"this overlaps {root}, where Braze puts its segment exports")


def _answers(name: str, job: ImportJob, connection: Connection) -> Iterator[Finding]:
    """Find answers that would lie among our own state, or among what Braze exports."""
    root = f"{connection.s3.export_root}/"
    for folder in answer_folders(job):
        for taken in (connection.s3.state_prefix, root):
            if taken and nested(folder, taken):
                message = f"this job would answer in {folder}, which overlaps {taken}"
                yield Finding(_place(name, job), message)


def _amid_answers(answering: _Named, taking: _Named) -> Iterator[Finding]:
    (name, one), (other_name, other) = answering, taking
    if not isinstance(one, ImportJob):
        return
    for folder in answer_folders(one):
        if _prefix(other).startswith(folder):
            message = (
                f"job '{name}' answers in {folder} about its files; use another folder, or let"
                f" '{name}' say 'after: {{report: false, rejected: false}}'"
            )
            yield Finding(_place(other_name, other), message)


def _place(name: str, job: Job) -> Where:
    """Return where a job names the folder that it reads or writes."""
    return ("jobs", name, "source" if isinstance(job, ImportJob) else "target", "prefix")


def _prefix(job: Job) -> str:
    return job.source.prefix if isinstance(job, ImportJob) else job.target.prefix


def _shared_target(first: _Export, second: _Export) -> Iterator[Finding]:
    (name, one), (other_name, other) = first, second
    if nested(one.target.prefix, other.target.prefix):
        message = f"export '{name}' already writes to {one.target.prefix}"
        yield Finding(_place(other_name, other), message)


def _own_exports(importing: _Import, exporting: _Export) -> Iterator[Finding]:
    (name, one), (other_name, other) = importing, exporting
    if nested(one.source.prefix, other.target.prefix):
        yield Finding(
            _place(name, one),
            f"export '{other_name}' writes to {other.target.prefix}, so this job would send Braze"
            " what it said before; read from another folder",
        )


def _shared_cohort(first: _Import, second: _Import) -> Iterator[Finding]:
    (name, one), (other_name, other) = first, second
    if one.cohort is None or other.cohort is None or one.cohort.key != other.cohort.key:
        return
    if one.cohort != other.cohort:
        message = f"job '{name}' gives this cohort another name, or other keys; write them alike"
        yield Finding(("jobs", other_name, "audience", "as"), message)
    if nested(one.source.prefix, other.source.prefix):
        message = f"job '{name}' gives people to the same cohort by the same files"
        yield Finding(_place(other_name, other), message)


def _shared_fields(first: _Import, second: _Import) -> Iterator[Finding]:
    (name, one), (other_name, other) = first, second
    named = {job.one_catalog for job in (one, other) if job.catalog_column is None}
    same = one.object == other.object and len(named) <= 1
    items = "catalog_items" in (one.object, other.object)
    if not nested(one.source.prefix, other.source.prefix) or (items and not same):
        return
    shared = _shared_names(one, other)
    if shared:
        yield Finding(
            _place(other_name, other),
            f"jobs '{name}' and '{other_name}' would read the same files and both write {shared};"
            " give them folders of their own, or different fields",
        )


def _shared_names(one: ImportJob, other: ImportJob) -> str:
    """Return which attributes both jobs may write; empty if none."""
    named = sorted(one.written & other.written)
    for here, there in ((one, other), (other, one)):
        named += [
            name
            for name in sorted(here.written)
            if name not in named and any(_takes(block, name) for block in there.remaining_fields)
        ]
    if named:
        return ", ".join(named)
    for block in one.remaining_fields:
        for twin in other.remaining_fields:
            if nested(block.prefix, twin.prefix):
                return "their remaining fields"
    return ""


def _takes(block: RemainingFields, name: str) -> bool:
    if not name.startswith(block.prefix) or (name in STANDARD and not block.standard):
        return False
    column = name[len(block.prefix) :]
    return fnmatchcase(column, block.columns) and not any(
        fnmatchcase(column, pattern) for pattern in block.exclude
    )
