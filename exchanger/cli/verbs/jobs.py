"""``exchanger jobs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from exchanger.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath

if TYPE_CHECKING:
    from exchanger.config.models import Config, Schedule


def jobs(*, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """
    List the jobs of the configuration.

    Example: exchanger jobs
    """
    from exchanger.cli.ending import print_json
    from exchanger.cli.wiring import prepare

    entries = _entries(prepare(config, None, as_json=as_json))
    if as_json:
        print_json(entries)
        return
    if not entries:
        typer.echo("No jobs yet. exchanger init --force writes a sample with two.")
    for entry in entries:
        state = "" if entry["enabled"] else "  (disabled)"
        typer.echo(f"{entry['job']}  {entry['type']}  {entry['schedule'] or 'by hand'}{state}")
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
                "description": job.description,
                "labels": list(job.labels),
            }
        )
    return entries


def _when(schedule: Schedule | None) -> str | None:
    from exchanger.config.durations import show_duration

    if schedule is None:
        return None
    if schedule.every is not None:
        return f"every {show_duration(schedule.every)}"
    return f"{schedule.cron} {schedule.timezone}"
