"""How connections stand, for programs and in words: what needs a person, and what to type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from exchanger.app.messages.notes.words import worded_hold
from exchanger.app.messages.reports import state_in_words
from exchanger.app.outcome import worst
from exchanger.config.durations import show_duration
from exchanger.config.findings import counted
from exchanger.jobs.inventory.standing import brings

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.files.heartbeat import Heartbeat
    from exchanger.jobs.history.held_runs import HeldRun
    from exchanger.jobs.inventory.standing import Daemon, JobStanding, Standing

Kind = Literal["failed", "held", "stale"]
CODES: dict[Kind, int] = {"failed": 4, "stale": 4, "held": 5}
"""What ``exchanger status --fail-on`` ends with where something of a kind is found."""

_REASON = 200
"""Characters of the reason of a failure."""


def standing_json(config: Config, found: dict[str, Standing]) -> dict[str, Any]:
    """
    Render how connections stand.

    Args:
        config: The configuration.
        found: How each connection stands that answered.

    Returns:
        ``ok``, ``connections`` with their daemons, ``jobs``, and ``needs``: what needs a person.
    """
    needs: list[dict[str, Any]] = []
    jobs: list[dict[str, Any]] = []
    for name, standing in found.items():
        needs += _daemon_needs(config, name, standing)
        for job, how in standing.jobs.items():
            jobs.append(_job(config, name, job, how, standing))
            needs += _job_needs(config, name, job, how)
        for job, runs in standing.without_job.items():
            needs += _held_needs(config, name, job, runs, gone=True)
    connections = [
        {
            "connection": name,
            "alive": any(daemon.alive for daemon in standing.daemons),
            "daemons": [_daemon(daemon) for daemon in standing.daemons],
        }
        for name, standing in found.items()
    ]
    return {"ok": not needs, "connections": connections, "jobs": jobs, "needs": needs}


def describe_standing(content: dict[str, Any]) -> list[str]:
    """
    Describe how connections stand, with what needs a person at the end.

    Args:
        content: As ``status --json`` prints it.
    """
    lines = []
    for connection in content["connections"]:
        lines.append(f"{connection['connection']}: {_heard(connection)}")
        jobs = [job for job in content["jobs"] if job["connection"] == connection["connection"]]
        lines += [f"  {job['job']}: {_fares(job)}" for job in jobs]
    for need in content["needs"]:
        lines.append(f"{need['kind']}: {need['message']}")
        lines += [f"  {command}" for command in need["next"]]
    if content["ok"] and content["connections"]:
        lines.append("Nothing needs a person.")
    return lines


def code_of(content: dict[str, Any], fail_on: set[Kind]) -> int:
    """Choose the exit code for what was found of the kinds that matter."""
    kinds = {need["kind"] for need in content["needs"]}
    return worst(CODES[kind] for kind in fail_on & kinds)


def _daemon(daemon: Daemon) -> dict[str, Any]:
    beat = daemon.heartbeat
    return {
        "alive": daemon.alive,
        "silent_for": round(daemon.silent_for),
        **{
            name: getattr(beat, name)
            for name in (
                "host", "pid", "version", "config", "started_at", "at", "last_look", "stopped_at",
                "refused",
            )
        },
    }  # fmt: skip


def _job(
    config: Config, connection: str, name: str, how: JobStanding, standing: Standing
) -> dict[str, Any]:
    job = config.jobs[name]
    due = [daemon.heartbeat.next.get(name) for daemon in standing.daemons if daemon.alive]
    last = how.last or {}
    shown = ("run_id", "seq", "state", "started_at", "finished_at")
    return {
        "job": name,
        "connection": connection,
        "type": job.type,
        "enabled": job.enabled,
        "next": min((text for text in due if text), default=None),
        "last": {key: last.get(key) for key in shown} if how.last else None,
        "failure": how.failure or None,
        "taken_at": _iso(how.taken_at),
        "expect": show_duration(job.expect.every) if job.expect else None,
        "expected_since": _iso(how.expected_since),
        "overdue_since": _iso(how.overdue_since),
        "held_back": [worded_hold(run.to_dict(), config.option_of(connection)) for run in how.held],
        "came_in_time": how.came_in_time,
        "verified": {"run": how.verified["seq"], **how.verified["verified"]}
        if how.verified
        else None,
    }


def _daemon_needs(config: Config, name: str, standing: Standing) -> Iterator[dict[str, Any]]:
    scheduled = [
        key
        for key, job in config.jobs.items()
        if config.schedule_of(key) and job.enabled and config.connection_of(key) == name
    ]
    alive = [daemon.heartbeat for daemon in standing.daemons if daemon.alive]
    yield from (_refused(name, one) for one in alive if one.refused)
    if scheduled and not alive:
        message = f"{name}: {_not_heard([_daemon(daemon) for daemon in standing.daemons])}"
        yield _need("stale", name, None, message, ["exchanger daemon"])
    elif scheduled:
        started = {job for one in alive for job in one.next}
        yield from (_not_started(name, job, alive) for job in scheduled if job not in started)


def _not_started(name: str, job: str, alive: list[Heartbeat]) -> dict[str, Any]:
    """Name a job that no daemon starts, as those which are alive were given other files."""
    who = " and ".join(
        f"the one on {one.host} (pid {one.pid}), with {one.config}," for one in alive
    )
    message = (
        f"{job}: no daemon starts it: {who} {'do' if alive[1:] else 'does'} not have this job; a"
        " change of the file takes a minute"
    )
    return _need("stale", name, job, message, ["exchanger daemon"])


def _refused(name: str, daemon: Heartbeat) -> dict[str, Any]:
    """Name a daemon that goes on with a configuration which its file does not have any more."""
    refused = daemon.refused or {}
    message = (
        f"{name}: the daemon on {daemon.host} (pid {daemon.pid}) goes on with the configuration of"
        f" before {_time(refused.get('since'))}, as {daemon.config} was refused:"
        f" {refused.get('problem')}"
    )
    return _need("stale", name, None, message, [f"exchanger check --config {quote(daemon.config)}"])


def _held_needs(
    config: Config, connection: str, job: str, runs: Iterable[HeldRun], *, gone: bool = False
) -> Iterator[dict[str, Any]]:
    """Name runs that wait; without their job they cannot be applied any more."""
    of = config.option_of(connection)
    verbs = ("show", "discard") if gone else ("show", "approve", "discard")
    for run in runs:
        message = f"{job}: run {run.seq} waits for a person, with {counted(len(run.files), 'file')}"
        if gone:
            message += "; the configuration has no such job any more"
        commands = [f"exchanger {verb} {run.seq}{of}" for verb in verbs]
        yield _need("held", connection, job, message, commands)


def _job_needs(
    config: Config, connection: str, name: str, how: JobStanding
) -> Iterator[dict[str, Any]]:
    job = config.jobs[name]
    if how.failure and job.enabled:
        reason = how.failure.splitlines()[0]
        reason = reason if len(reason) <= _REASON else f"{reason[: _REASON - 3]}..."
        message = f"{name}: the last run failed: {reason}"
        yield _need("failed", connection, name, message, [f"exchanger runs {name}"])
    yield from _held_needs(config, connection, name, how.held)
    if how.overdue_since is not None and job.expect is not None:
        since = f"since {_time(how.taken_at)}" if how.taken_at else "so far"
        every = show_duration(job.expect.every)
        message = f"{name}: no {brings(job)} {since}, though one is expected every {every}"
        commands = [
            f"exchanger runs {name}",
            f"exchanger jobs --waiting{config.option_of(connection)}",
        ]
        yield _need("stale", connection, name, message, commands)


def _need(
    kind: Kind, connection: str, job: str | None, message: str, commands: list[str]
) -> dict[str, Any]:
    return {
        "kind": kind, "connection": connection, "job": job, "message": message, "next": commands,
    }  # fmt: skip


def _heard(connection: dict[str, Any]) -> str:
    alive = [daemon for daemon in connection["daemons"] if daemon["alive"]]
    if not alive:
        return _not_heard(connection["daemons"])
    return "; ".join(
        f"a daemon is alive on {daemon['host']} (pid {daemon['pid']}, {daemon['version']}),"
        f" heard of {_ago(daemon['silent_for'])} ago"
        for daemon in alive
    )


def _not_heard(daemons: list[dict[str, Any]]) -> str:
    if not daemons:
        return "no daemon was ever heard of"
    last = daemons[0]
    who = f"the daemon on {last['host']} (pid {last['pid']})"
    if last["stopped_at"]:
        return f"no daemon is alive; {who} was stopped at {_time(last['stopped_at'])}"
    return f"no daemon is alive; {who} was last heard of {_ago(last['silent_for'])} ago"


def _fares(job: dict[str, Any]) -> str:
    last = job["last"]
    parts = ["never ran, or only with nothing to do"]
    if last:
        parts = [f"last run {state_in_words(last['state'])}, begun {_time(last['started_at'])}"]
    if found := job.get("verified"):
        values = counted(found["values"], "value")
        parts.append(f"of run {found['run']}, {found['differing']:,} of {values} read back differ")
    if not job["enabled"]:
        parts.append("disabled")
    elif job["next"]:
        parts.append(f"due {_time(job['next'])}")
    return "; ".join(parts)


def _ago(seconds: float) -> str:
    for size in (86_400, 3_600, 60):
        if seconds >= 2 * size:
            return show_duration(timedelta(seconds=seconds // size * size))
    return f"{seconds:.0f}s"


def _time(moment: datetime | str | None) -> str:
    if moment is None:
        return "?"
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
