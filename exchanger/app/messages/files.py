"""What became of a file, in lines that a marketer understands: what happened, and what to type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from shlex import quote
from typing import Any

from exchanger.app.messages.notes.words import worded_file
from exchanger.config.findings import counted
from exchanger.jobs.inventory.file_fate import FileFate, JobStand
from exchanger.jobs.inventory.unclaimed import OBJECTS, PassedOver, Unclaimed

_OUTCOMES = {
    "applied": "applied",
    "rejected": "rejected",
    "equal_content": "held back, as it is a copy",
    "replaced": "held back, as it is a new version",
    "applied_elsewhere": "held back, as another state knows it",
    "memory_lost": "held back, as it may have been applied before the memory was lost",
    "doubtful_type": "held back, as a few words make a column text",
    "guarded": "held back by a guard",
    "retried": "given again in part",
    "corrected": "its rows given in place of the rejected ones that they name",
    "left": "compared with the snapshot before, for who left",
    "tested": "one row of it given by send-test",
    "undone": "what it gave was taken back",
    "discarded": "dropped by a person",
    "shadowed": "planned, and nothing of it sent, as its job is in shadow",
    "overtaken": "left out, as a newer version was applied",
    "superseded": "left out, as a newer file counts alone",
    "known": "the same content as before, so it is the same file",
}

_GIVEN = ("applied", "retried", "corrected")
"""Outcomes of files of which rows were given."""
_NO_DATA = {
    "hidden": "a name with _ or . in front",
    "marker": "no content",
    "unfinished": "the name of a file still on its way",
    "companion": "about the files beside it, or a copy of one",
}
_LISTED = 20
"""Objects that are no data and that are listed."""
_TOLD = 3
"""Files or folders that no job takes, and that are named beside what is asked for."""
_LEFT = {
    "file": "correct the file and drop it again; or correct the job, and then",
    "rows": "give the rows corrected in a new file; or correct the job, and then",
    "snapshot": "drop the whole file again, corrected, and never these rows alone; or correct the "
    "job, and then",
    "refused": "to give again what Braze refused",
}
"""What to do about what is left of a file."""
_IN_PLACE = (
    "correct the rows of {0}, and drop the result under the same name in {1}; or give them "
    "corrected in a new file; or correct the job, and then"
)
"""The same of rows that can be corrected beside the folder."""


def describe_fate(fate: FileFate, of: str = "") -> list[str]:
    """
    Describe what became of a file.

    Args:
        fate: What is known of it, with words beside the facts of its versions.
        of: What a command needs besides, where there are several connections; it begins with a
            space.
    """
    lines = [f"{fate.key}: {_place(fate)}"]
    lines += [f"  {_version(version)}" for version in fate.versions]
    if fate.is_known:
        lines += [f"  {_job(stand, fate, of)}" for stand in fate.jobs]
        lines += [f"  {job}, of another connection, takes it" for job in fate.others]
        lines += [f"  {line}" for line in _why(fate)]
    elif fate.nearest:
        lines.append(f"  did you mean {fate.nearest}?")
    return lines


def with_versions_worded(fate: FileFate, of: str) -> FileFate:
    """Put words beside the facts of what became of each version, where anything was noted."""
    versions = [worded_file(each, of) if "facts" in each else each for each in fate.versions]
    return replace(fate, versions=versions)


def describe_recent(files: Sequence[dict[str, Any]]) -> list[str]:
    """Describe the files of the last runs, a line each, the newest run first."""
    if not files:
        return ["No run has met a file yet."]
    return [f"{file['key']}: {_version(file)}" for file in files]


def describe_unclaimed(found: Sequence[Unclaimed]) -> list[str]:
    """Describe the files that no job takes, a line each."""
    if not found:
        return ["Every file in the folders of the jobs, and beside them, is taken by a job."]
    return [_unclaimed(each) for each in found]


def describe_passed_over(found: Sequence[PassedOver]) -> list[str]:
    """List objects that are no data, each with why, and how many there are besides."""
    said = [f"passed over: {one.key} ({_NO_DATA[one.why]})" for one in found[:_LISTED]]
    if len(found) > _LISTED:
        said.append(f"and {len(found) - _LISTED:,} more that are no data")
    return said


def describe_first_unclaimed(found: Sequence[Unclaimed]) -> list[str]:
    """Describe the first few files that no job takes, and say where all of them are told."""
    said = [_unclaimed(each) for each in found[:_TOLD]]
    if len(found) > _TOLD:
        said.append(f"and {len(found) - _TOLD:,} more: exchanger files --unclaimed")
    return said


def _unclaimed(one: Unclaimed) -> str:
    """Describe of a file, or of a folder, why no job takes it."""
    if one.why == "pattern":
        return f"no job takes {one.key}: the pattern of {one.job} is {one.pattern}"
    near = f"; {one.job} reads {one.folder}" if one.job else ""
    if not one.key.endswith("/"):
        return f"no job takes {one.key}: none reads this folder{near}"
    count = f"{one.files:,}{' or more' if one.files >= OBJECTS else ''}"
    files = "file" if one.files == 1 else "files"
    return f"no job reads {one.key}, with {count} {files} such as {one.example}{near}"


def _place(fate: FileFate) -> str:
    if fate.there is None and fate.moved_to:
        return f"moved to {fate.moved_to}"
    if fate.there is None:
        gone = "not in the bucket any more" if fate.versions else "there is no such object"
        return gone if fate.versions else f"{gone}, and no run has met one"
    there = fate.there
    return f"{there.size:,} bytes, dropped {there.last_modified:%Y-%m-%d %H:%M:%S} UTC"


def _version(version: dict[str, Any]) -> str:
    said = f"run {version['run']} of {version['job']}: {_outcome(version['outcome'])}"
    if version["outcome"] in ("applied", "retried") and version["rows"] is not None:
        less = [
            f"{version[kind]:,} of them {kind}" for kind in ("rejected", "refused") if version[kind]
        ]
        said += f", {', '.join([counted(version['rows'], 'row'), *less])}"
    if undo := version.get("taken_back_by"):
        said += f"; taken back by run {undo}"
    if version.get("note"):
        said += f". {version['note']}"
    return said


def _outcome(outcome: str) -> str:
    return _OUTCOMES.get(outcome, outcome.replace("_", " "))


def _job(job: JobStand, fate: FileFate, of: str) -> str:
    if job.stand == "to_be_read":
        return f"next: {job.job} has not read it yet: exchanger run {job.job}"
    if job.stand == "begun":
        return f"next: run {job.run} of {job.job} has begun with it: exchanger run {job.job}"
    if job.stand == "held_back":
        choices = f"exchanger approve {job.run}{of}, or exchanger discard {job.run}{of}"
        return f"next: it waits for a person: {choices}"
    if job.stand == "left_over":
        back = "" if fate.there or fate.moved_to else "put the same file back, and: "
        return f"next: {_left(job)}: {back}exchanger retry {job.run}{of}"
    undone = [one for one in fate.versions if one["outcome"] in _GIVEN and "taken_back_by" in one]
    if undone:
        return _taken_back(job, fate.key, undone[0])
    return _done_with(job, fate.key)


def _left(job: JobStand) -> str:
    if job.rejected_rows:
        return _IN_PLACE.format(job.rejected_rows, job.corrected_rows)
    return _LEFT[job.left]


def _taken_back(job: JobStand, key: str, version: dict[str, Any]) -> str:
    """Describe how to give once more what was taken back: as it was, if it was a whole file."""
    said = f"next: run {version['taken_back_by']} took back what run {version['run']} applied of it"
    if version["outcome"] != "applied":
        return f"{said}; what you need of that belongs into a new file"
    return (
        f"{said}; to apply it once more: exchanger backfill {job.job} --prefix {quote(key)} --force"
    )


def _done_with(job: JobStand, key: str) -> str:
    if job.stand == "dropped":
        return f"{job.job} does not read this version again, as a person dropped it"
    if job.stand == "superseded":
        again = f"exchanger backfill {job.job} --prefix {quote(key)}"
        return f"{job.job} takes the newest file alone; to take this one all the same: {again}"
    return f"{job.job} has taken all of it; nothing is to be done"


def _why(fate: FileFate) -> Iterator[str]:
    if fate.why is None:
        return
    if fate.why == "ours":
        yield "no job takes it: exchanger or Braze writes here, and nothing of it is read"
    elif fate.why == "hidden":
        yield "no job takes names that begin with _ or ., nor what lies in folders of such names"
        yield "next: drop it under another name"
    elif fate.why == "marker":
        yield "no job takes it, as it has no content, or stands for a folder"
    elif fate.why == "sign":
        yield "no job takes it: it says of files that they are complete (source.complete_when)"
    elif fate.why == "companion":
        yield "no job takes it, as its name says that it is about the files beside it, or a copy"
        yield "next: nothing; if it has rows all the same, let source.pattern end as its name does"
    elif fate.why == "unfinished":
        yield "no job takes it yet: its name is that of a file that is still on its way"
        yield "next: once all of it has arrived, give it its own name"
    elif fate.why == "pattern":
        for job, pattern in fate.around.items():
            yield f"{job} does not take it: its pattern is {pattern}"
        wider = f", such as {fate.pattern}" if fate.pattern else ""
        yield f"next: drop it under a name that fits, or set source.pattern of the job{wider}"
    else:
        near = f"; there is {fate.nearest}" if fate.nearest else ""
        yield f"no job reads this folder{near}"
        yield "next: drop it into the folder of a job (exchanger jobs), or make a job for this one"
