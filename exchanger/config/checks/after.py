"""Whether what becomes of files that were taken is possible, and gets in nobody's way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from exchanger.config.answers import AnswerNames
from exchanger.config.checks.folders import check_folder
from exchanger.config.findings import Finding, Where
from exchanger.config.models import Connection, ExportJob, ImportJob, Job
from exchanger.config.patterns import may_share_names, nested, reaches_into

_MOST_TAGS = 10
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_TAG = re.compile(r"[\w+\-=.:/@ ]*")


def check_after(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find out whether S3 can do with files what a job says, once they were taken."""
    after, place = job.after, (*where, "after")
    rule = job.source.complete_when
    if after.move_to is not None:
        yield from _check_move_to(after.move_to, (*place, "move_to"))
    if after.suffix is not None:
        yield from _check_suffix(job, after.suffix, (*place, "suffix"))
    if after.moves and rule is not None and rule.manifest is not None:
        message = (
            "a manifest waits until all that it names is there, so its files stay where they are;"
            " 'tag' marks them"
        )
        yield Finding((*place, "suffix" if after.move_to is None else "move_to"), message)
    yield from _check_tags(after.tag, (*place, "tag"))


def _check_move_to(folder: str, where: Where) -> Iterator[Finding]:
    if not folder:
        yield Finding(where, "name a folder of the bucket", "done/")
    yield from check_folder(folder, where)


def _check_suffix(job: ImportJob, suffix: str, where: Where) -> Iterator[Finding]:
    rule = job.source.complete_when
    if not re.fullmatch(r"\.[\w.+-]*\w", suffix):
        message = "an ending begins with a dot, and has letters and digits, but no slash"
        yield Finding(where, message, ".done")
    elif rule is not None and rule.suffix is not None and suffix.endswith(rule.suffix):
        message = "by this ending 'complete_when' knows which files are complete; use another"
        yield Finding(where, message, ".taken")


def _check_tags(tags: Mapping[str, str], where: Where) -> Iterator[Finding]:
    if len(tags) > _MOST_TAGS:
        yield Finding(where, f"S3 gives an object {_MOST_TAGS} tags at most")
    for key, value in tags.items():
        if not 0 < len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            message = (
                f"a tag has 1 to {_LONGEST_KEY} characters, and its value at most {_LONGEST_VALUE}"
            )
            yield Finding((*where, key), message)
        elif key.lower().startswith("aws:") or not _TAG.fullmatch(key + value):
            message = "tags have letters, digits, spaces and + - = . _ : / @, and none begins aws:"
            yield Finding((*where, key), message)


def check_places(
    connections: Mapping[str, Connection], jobs: Mapping[str, Job], homes: Mapping[str, str]
) -> Iterator[Finding]:
    """
    Find files that one job would move away from another, or to where others read or write.

    Args:
        connections: The sound connections.
        jobs: The sound jobs.
        homes: The connection of each job; empty if it is not known.
    """
    for name, job in jobs.items():
        home = connections.get(homes.get(name, ""))
        if home is None or not isinstance(job, ImportJob) or not job.after.moves:
            continue
        folder = job.after.move_to
        where: Where = ("jobs", name, "after", "suffix" if folder is None else "move_to")
        beside = {key: one for key, one in connections.items() if one.s3.place == home.s3.place}
        others = {key: one for key, one in jobs.items() if homes.get(key) in beside}
        found = [*_of_ours(folder, beside), *_of_jobs(folder, others)] if folder else []
        found += _taken_away(name, job, others)
        yield from (Finding(where, message, guess) for message, guess in found[:1])


def _taken_away(name: str, moving: ImportJob, jobs: Mapping[str, Job]) -> Iterator[tuple[str, str]]:
    """Find jobs that take the same files: who comes second would not find them any more."""
    for other, job in jobs.items():
        if other == name or not isinstance(job, ImportJob):
            continue
        here, there = ((one.source.prefix, one.source.pattern) for one in (moving, job))
        if may_share_names(here, there):
            message = (
                f"job '{other}' takes files of this job as well, and would not find what was moved"
                " before it came; give each of them files of its own, or write 'tag'"
            )
            yield message, ""


def _of_ours(folder: str, connections: Mapping[str, Connection]) -> Iterator[tuple[str, str]]:
    for connection in connections.values():
        s3 = connection.s3
        for taken, whose in (
            (s3.state_prefix or "", "where exchanger keeps its own state"),
            (f"{s3.export_root}/", "where Braze puts its segment exports"),
        ):
            if taken and nested(folder, taken):
                yield f"this overlaps {taken}, {whose}", ""


def _of_jobs(folder: str, jobs: Mapping[str, Job]) -> Iterator[tuple[str, str]]:
    for name, job in jobs.items():
        if isinstance(job, ExportJob):
            if nested(folder, job.target.prefix):
                yield f"export '{name}' writes to {job.target.prefix}", ""
            continue
        prefix, names = job.source.prefix, AnswerNames(job.source.prefix)
        if not prefix:
            continue  # That it needs one is said there.
        if prefix.startswith(folder):
            yield f"job '{name}' reads {prefix}; use another folder", f"{prefix.rstrip('/')}_done/"
        elif folder.startswith(prefix) and _takes_in(job, folder.removeprefix(prefix)):
            message = (
                f"the pattern of job '{name}' reaches into this folder, so it would list all that"
                " was moved each time; use one beside its own"
            )
            yield message, f"{prefix.rstrip('/')}_done/"
        for answers in (names.reports, names.rejected_rows):
            if nested(folder, answers):
                yield f"job '{name}' answers in {answers}", ""


def _takes_in(job: ImportJob, folder: str) -> bool:
    """Return whether a job would take files in a folder below its own."""
    hidden = any(step.startswith(("_", ".")) for step in folder.split("/"))
    try:
        return not hidden and reaches_into(job.source.pattern, folder)
    except ValueError:
        return False  # That the pattern means nothing is said there.
