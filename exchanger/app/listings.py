"""What is listed: jobs and what waits for them, runs, and Braze's segments."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from exchanger.app.asking import Fault, ask_each
from exchanger.app.messages.files import describe_first_unclaimed, describe_passed_over
from exchanger.app.messages.notes.words import in_words, worded, worded_hold
from exchanger.config.answers import takes_corrections
from exchanger.config.durations import show_duration
from exchanger.config.models import ImportJob
from exchanger.jobs.history.runs import list_runs
from exchanger.jobs.inventory.completeness import note_incomplete
from exchanger.jobs.inventory.corrections import note_corrected
from exchanger.jobs.inventory.left_over import note_left
from exchanger.jobs.inventory.listing import backlog
from exchanger.jobs.inventory.unclaimed import below, beside

if TYPE_CHECKING:
    from exchanger.config.models import Config, Schedule
    from exchanger.jobs.inventory.listing import Backlog
    from exchanger.jobs.inventory.unclaimed import Unclaimed
    from exchanger.jobs.runtime.context import JobContext

Entries = list[dict[str, Any]]


def runs_of(
    config: Config, connections: list[str], job: str | None, *, latest: bool
) -> tuple[dict[str, Entries], list[Fault]]:
    """
    List what happened on each connection, newest first.

    Args:
        config: The configuration.
        connections: Whom to ask.
        job: Only runs of this job.
        latest: Only the last run of each job.

    Returns:
        Reports by connection, which each of them names if there are several connections; and the
        connections that did not answer.
    """
    listed, faults = ask_each(config, connections, lambda it: list_runs(it, job, latest=latest))
    # Each connection counts its runs from 1.
    several = len(config.connections) > 1
    return {
        name: [
            {**worded(run, config.option_of(name)), **({"connection": name} if several else {})}
            for run in reports
        ]
        for name, reports in listed.items()
    }, faults


def newest_first(listed: dict[str, Entries]) -> Entries:
    """Join the runs of all connections."""
    found = [run for reports in listed.values() for run in reports]
    return sorted(found, key=lambda run: str(run.get("started_at") or ""), reverse=True)


def segments_of(config: Config, connections: list[str]) -> tuple[Entries, list[Fault]]:
    """List Braze's segments, and the connections that did not answer."""
    listed, faults = ask_each(config, connections, lambda context: asyncio.run(_segments(context)))
    return [segment for segments in listed.values() for segment in segments], faults


async def _segments(context: JobContext) -> Entries:
    async with context.braze() as braze:
        listed = await braze.segments()
    return [
        {
            "connection": context.connection,
            "id": segment.id,
            "name": segment.name,
            "tags": list(segment.tags),
        }
        for segment in listed
    ]


def job_entries(config: Config) -> list[dict[str, Any]]:
    """List the jobs as plain values, in the order of the configuration."""
    entries = []
    for name, job in config.jobs.items():
        connection = config.connection_of(name)
        entries.append(
            {
                "job": name,
                "type": job.type,
                "connection": connection,
                "enabled": job.enabled and config.connections[connection].enabled,
                "schedule": _when(config.schedule_of(name)),
                "priority": job.priority,
                "description": job.description,
                "labels": list(job.labels),
            }
        )
    return entries


def add_what_waits(
    config: Config, connections: list[str], entries: list[dict[str, Any]]
) -> list[Fault]:
    """Add to the entries of imports what waits for them; of connections that answer."""
    imports: dict[str, dict[str, ImportJob]] = {}
    for name, job in config.jobs.items():
        if isinstance(job, ImportJob) and config.connection_of(name) in connections:
            imports.setdefault(config.connection_of(name), {})[name] = job

    def ask(context: JobContext) -> tuple[Backlog, list[Unclaimed]]:
        ours = imports[context.connection]
        found = backlog(context, ours)
        return found, [*below(context.folders, found.strays), *beside(context, [*ours])]

    found, faults = ask_each(config, imports, ask)
    several = len(config.connections) > 1
    for entry in entries:
        home = entry["connection"]
        if home in found and entry["type"] == "import":
            (waiting, unclaimed), of = found[home], config.option_of(home)
            _add_backlog(entry, waiting, imports[home], of)
            first = next(iter(imports[home]))
            near = [
                each
                for each in unclaimed
                if entry["job"] == (each.job if each.job in imports[home] else first)
            ]
            entry["unclaimed"] = [each.to_dict() for each in near]
            facts = note_incomplete(waiting.incomplete[entry["job"]])
            facts += note_corrected(waiting.corrected[entry["job"]])
            job = imports[home][entry["job"]]
            prefix = job.source.prefix if takes_corrections(job) else None
            facts += note_left(waiting.left[entry["job"]], home if several else "", prefix)
            entry["facts"] = [note.to_dict() for note in facts]
            entry["notes"] = [in_words(note, of) for note in facts]
            entry["notes"] += describe_first_unclaimed(near)
            entry["notes"] += describe_passed_over(waiting.passed_over[entry["job"]])
    return faults


def _add_backlog(
    entry: dict[str, Any], found: Backlog, imports: dict[str, ImportJob], of: str
) -> None:
    # A run of a job that is no more is finished by whichever job runs next.
    heir = found.unfinished if found.unfinished in imports else next(iter(imports))
    entry["not_taken"] = [run.to_dict() for run in found.left[entry["job"]]]
    entry["files_waiting"] = found.files[entry["job"]]
    entry["unfinished"] = bool(found.unfinished) and entry["job"] == heir
    entry["passed_over"] = [one._asdict() for one in found.passed_over[entry["job"]]]
    entry["files_incomplete"] = len(found.incomplete[entry["job"]])
    rule = imports[entry["job"]].source.complete_when
    settles = rule is not None and rule.settled is not None
    entry["files_settling"] = entry["files_incomplete"] if settles else 0
    entry["awaits_corrections"] = entry["job"] in found.awaiting
    entry["held_back"] = [worded_hold(run.to_dict(), of) for run in found.held[entry["job"]]]


def _when(schedule: Schedule | None) -> str | None:
    if schedule is None:
        return None
    if schedule.every is not None:
        return f"every {show_duration(schedule.every)}"
    return f"{schedule.cron} {schedule.timezone}"
