"""Which schedules passed unseen while no daemon ran. Known from the runs, so nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from exchanger.config.models import Schedule
from exchanger.service.scheduling.triggers import trigger_of


def read_last_starts(output: str) -> dict[str, datetime]:
    """
    Read what ``runs --latest --json`` printed: when each job last started.

    Jobs that never started are left out.

    Raises:
        ValueError: The text is not a JSON list of objects with ``job`` and ``started_at``.
    """
    runs = json.loads(output)
    if isinstance(runs, dict) and isinstance(runs.get("error"), dict):
        raise ValueError(str(runs["error"].get("message")))  # noqa: TRY004 - as below
    if not isinstance(runs, list):
        raise ValueError("the answer is no list of runs")  # noqa: TRY004 - it is data, no argument
    found: dict[str, datetime] = {}
    for run in runs:
        job, started = _read_run(run)
        if started is not None:
            found[job] = max(started, found.get(job, started))
    return found


def _read_run(run: object) -> tuple[str, datetime | None]:
    try:
        job, started = run["job"], run["started_at"]  # type: ignore[index]
        moment = None if started is None else datetime.fromisoformat(started)
    except (TypeError, KeyError) as error:
        raise ValueError("a run in the answer lacks job or started_at") from error
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return str(job), moment


def missed_since(
    schedules: Mapping[str, Schedule], last_starts: Mapping[str, datetime], now: datetime
) -> dict[str, datetime]:
    """
    Return which jobs had a time to run between their last start and now, and the first such time.

    A job that never ran has missed nothing.
    """
    found: dict[str, datetime] = {}
    for job, schedule in schedules.items():
        if job in last_starts:
            due = trigger_of(schedule, last_starts[job]).next_after(last_starts[job])
            if due is not None and due <= now:
                found[job] = due
    return found
