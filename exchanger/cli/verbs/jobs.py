"""``exchanger jobs``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level


def jobs(
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    waiting: Annotated[
        bool,
        typer.Option(
            "--waiting",
            help="Also ask the bucket how many files wait for each import, which of them for a"
            " person or a retry, and which files no job takes.",
        ),
    ] = False,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    List the jobs of the configuration.

    Example: exchanger jobs --waiting
    """
    from exchanger.cli.lean import load_arrow

    load_arrow()
    from exchanger.app.listings import add_what_waits, job_entries
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of
    from exchanger.cli.exit import end_with

    loaded = prepare(config, log_level, as_json=as_json)
    chosen = connections_of(loaded, connection)
    entries = [entry for entry in job_entries(loaded) if entry["connection"] in chosen]
    faults = add_what_waits(loaded, chosen, entries) if waiting else []

    lines = partial(_lines, entries, several=len(loaded.connections) > 1)
    raise typer.Exit(end_with("jobs", entries, faults, as_json=as_json, describe=lines))


def _lines(entries: list[dict[str, Any]], *, several: bool) -> Iterator[str]:
    if not entries:
        yield "No jobs yet. exchanger init --force writes a sample with two."
    for entry in entries:
        state = "" if entry["enabled"] else "  (disabled)"
        schedule = entry["schedule"] or "by hand"
        precedence = "" if entry["priority"] == "normal" else f"  {entry['priority']}"
        yield f"{entry['job']}  {entry['type']}  {schedule}{precedence}{state}"
        yield from (f"  {line}" for line in _waiting_lines(entry, several=several))
        if entry["description"]:
            yield f"  {entry['description']}"


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
    """Show which files of a run wait for a person, and what to type."""
    seq, since = run["run"], run["applied_since"]
    waiting = [key for key in run["files"] if key not in since]
    if not waiting:
        later = ", ".join(str(number) for number in sorted(set(since.values())))
        said = f"run {seq} was held back, and its files were applied since by run {later}: "
        return [f"{said}exchanger discard {seq}{of}"]
    count = f"{len(waiting):,} {'file waits' if len(waiting) == 1 else 'files wait'}"
    choices = f"exchanger approve {seq}{of}, or exchanger discard {seq}{of}"
    return [f"{count} for a person in run {seq}: {choices}", *(f"  {key}" for key in waiting)]
