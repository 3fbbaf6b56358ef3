"""What a run's report says in a log event."""

from __future__ import annotations

import json
from typing import Any

_ALWAYS = ("run_id", "state")
_IF_ANY = (
    "error",
    "files_waiting",
    "rows_read",
    "rows_rejected",
    "rows_refused",
    "rows_written",
    "profiles_new",
    "profiles_updated",
    "fields_changed",
    "data_points",
    "requests",
    "quarantine",
    "manifest",
)


def summarise(output: str) -> dict[str, Any]:
    """
    Choose the facts of a run report that an operator wants in one line.

    ``state`` is always there: None if the output is no report, as after a crash. Counts that are
    zero are left out.
    """
    report = _read(output)
    if report is None:
        return {"state": None}
    always = {name: report.get(name) for name in _ALWAYS}
    return always | {name: report[name] for name in _IF_ANY if report.get(name)}


def files_waiting(output: str) -> int | None:
    """Tell how many files a run of an import left to the next; None if its output does not say."""
    waiting = (_read(output) or {}).get("files_waiting")
    return waiting if isinstance(waiting, int) else None


def _read(output: str) -> dict[str, Any] | None:
    try:
        report = json.loads(output)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def in_good_order(exit_code: int) -> bool:
    """Tell whether a run got to its end, be it with rows rejected or held back."""
    return exit_code in (0, 4, 5)


def level(exit_code: int) -> str:
    """Name the log level of a run that ended: the exit codes are those of the command line."""
    if exit_code == 0:
        return "info"
    # Done in part, held back, busy: the run ended in good order and somebody should look.
    return "warning" if exit_code in (4, 5, 8) else "error"
