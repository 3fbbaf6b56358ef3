"""``exchanger jobs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level

if TYPE_CHECKING:
    from exchanger.cli.asking import Fault
    from exchanger.config.models import Config, ImportJob, Schedule
    from exchanger.jobs.inventory.listing import Backlog
    from exchanger.jobs.inventory.unclaimed import Unclaimed
    from exchanger.jobs.runtime.context import JobContext


def jobs(
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Also ask the bucket which files wait for imports.")
    ] = False,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    List the jobs of the configuration.

    Example: exchanger jobs --waiting
    """
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of

    loaded = prepare(config, log_level, as_json=as_json)
    chosen = connections_of(loaded, connection)
    entries = [entry for entry in _entries(loaded) if entry["connection"] in chosen]
    faults = _add_what_waits(loaded, chosen, entries) if waiting else []
    from exchanger.cli.asking import end_with

    several = len(loaded.connections) > 1
    code = end_with(
        "jobs", entries, faults, as_json=as_json, show=lambda: _show(entries, several=several)
    )
    raise typer.Exit(code)


def _show(entries: list[dict[str, Any]], *, several: bool) -> None:
    if not entries:
        typer.echo("No jobs yet. exchanger init --force writes a sample with two.")
    for entry in entries:
        state = "" if entry["enabled"] else "  (disabled)"
        schedule = entry["schedule"] or "by hand"
        typer.echo(f"{entry['job']}  {entry['type']}  {schedule}{_precedence(entry)}{state}")
        for line in _waiting_lines(entry, several=several):
            typer.echo(f"  {line}")
        if entry["description"]:
            typer.echo(f"  {entry['description']}")


def _entries(config: Config) -> list[dict[str, Any]]:
    entries = []
    for name, job in config.jobs.items():
        connection = config.connection_of(name)
        entries.append(
            {
                "job": name,
                "type": job.type,
                "connection": connection,
                "enabled": job.enabled and config.connections[connection].enabled,
                "schedule": _when(job.schedule),
                "priority": job.priority,
                "description": job.description,
                "labels": list(job.labels),
            }
        )
    return entries


def _add_what_waits(
    config: Config, connections: list[str], entries: list[dict[str, Any]]
) -> list[Fault]:
    """Say in the entries of imports what waits for them; of connections that answer."""
    from exchanger.cli.asking import ask_each
    from exchanger.config.models import ImportJob
    from exchanger.jobs.inventory.left_over import left_in_words
    from exchanger.jobs.inventory.listing import backlog
    from exchanger.jobs.inventory.unclaimed import below, beside, unclaimed_in_words

    imports: dict[str, dict[str, ImportJob]] = {}
    for name, job in config.jobs.items():
        if isinstance(job, ImportJob) and config.connection_of(name) in connections:
            imports.setdefault(config.connection_of(name), {})[name] = job

    def ask(world: JobContext) -> tuple[Backlog, list[Unclaimed]]:
        ours = imports[world.connection]
        found = backlog(world, ours)
        return found, [*below(world.folders, found.strays), *beside(world, [*ours])]

    found, faults = ask_each(config, imports, ask)
    for entry in entries:
        home = entry["connection"]
        if home in found and entry["type"] == "import":
            waiting, unclaimed = found[home]
            _add_backlog(entry, waiting, imports[home])
            first = next(iter(imports[home]))
            near = [
                each
                for each in unclaimed
                if entry["job"] == (each.job if each.job in imports[home] else first)
            ]
            entry["unclaimed"] = [each.to_json() for each in near]
            of = f" --connection {home}" if len(config.connections) > 1 else ""
            entry["notes"] = left_in_words(waiting.left[entry["job"]], of)
            entry["notes"] += unclaimed_in_words(near)
    return faults


def _add_backlog(entry: dict[str, Any], found: Backlog, imports: dict[str, ImportJob]) -> None:
    # A run of a job that is no more is finished by whichever job runs next.
    heir = found.unfinished if found.unfinished in imports else next(iter(imports))
    entry["not_taken"] = [run.to_json() for run in found.left[entry["job"]]]
    entry["files_waiting"] = found.files[entry["job"]]
    entry["unfinished"] = bool(found.unfinished) and entry["job"] == heir
    entry["held_back"] = [run.to_json() for run in found.held[entry["job"]]]


def _precedence(entry: dict[str, Any]) -> str:
    return "" if entry["priority"] == "normal" else f"  {entry['priority']}"


def _waiting_lines(entry: dict[str, Any], *, several: bool) -> list[str]:
    lines = []
    if entry.get("files_waiting"):
        count = entry["files_waiting"]
        lines.append(f"{count:,} {'file waits' if count == 1 else 'files wait'}")
    if entry.get("unfinished"):
        lines.append("a run was interrupted; the next one goes on with it")
    # Each connection counts its runs from 1.
    of = f" --connection {entry['connection']}" if several else ""
    held = [line for run in entry.get("held_back", []) for line in _held_lines(run, of)]
    return [*lines, *held, *entry.get("notes", [])]


def _held_lines(run: dict[str, Any], of: str) -> list[str]:
    """Say which files of a run wait for a person, and what to type."""
    seq, since = run["run"], run["applied_since"]
    waiting = [key for key in run["files"] if key not in since]
    if not waiting:
        later = ", ".join(str(number) for number in sorted(set(since.values())))
        said = f"run {seq} was held back, and its files were applied since by run {later}: "
        return [f"{said}exchanger discard {seq}{of}"]
    count = f"{len(waiting):,} {'file waits' if len(waiting) == 1 else 'files wait'}"
    choices = f"exchanger approve {seq}{of}, or exchanger discard {seq}{of}"
    return [f"{count} for a person in run {seq}: {choices}", *(f"  {key}" for key in waiting)]


def _when(schedule: Schedule | None) -> str | None:
    from exchanger.config.durations import show_duration

    if schedule is None:
        return None
    if schedule.every is not None:
        return f"every {show_duration(schedule.every)}"
    return f"{schedule.cron} {schedule.timezone}"
