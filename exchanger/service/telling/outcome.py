"""What a run's report says in a log event."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

_IN_PART = 4
"""The exit code of a run that was done in part, or asked to stop."""
_BUSY = 8
"""The exit code of a run that another process did not let work."""

_ALWAYS = ("run_id", "state")
_IF_ANY = (
    "seq",
    "stopped",
    "files_waiting",
    "files_incomplete",
    "rows_read",
    "rows_rejected",
    "rows_refused",
    "rows_in_doubt",
    "rows_warned",
    "values_dropped",
    "rows_written",
    "profiles_new",
    "profiles_updated",
    "fields_changed",
    "data_points",
    "requests",
    "quarantine",
    "warnings",
    "manifest",
)
_LOST = ("rows_rejected", "rows_refused", "rows_in_doubt", "held_back")
_MOST = 10
"""Files, notes and totals that one event names."""

_LONGEST = 500
"""Characters of a sentence in an event."""


def summarise(output: str, of: str = "") -> dict[str, Any]:
    """
    Choose the facts of a run report that an operator wants in one line.

    ``state`` is always there: None if the output is no report, as after a crash. Counts that are
    zero are left out. What may be long is cut: ten files, those first of which there is something
    to say, ten notes, and as many characters of each as make a long sentence.

    Args:
        output: What the run printed.
        of: What names the connection in a command, where there are several.
    """
    report = _read(output)
    if report is None:
        return {"state": None}
    facts = {name: report.get(name) for name in _ALWAYS}
    facts |= {name: report[name] for name in _IF_ANY if report.get(name)}
    if report.get("error"):
        facts["error"] = _short(report["error"])
    if isinstance(report.get("totals"), dict):
        facts["totals"] = dict(list(report["totals"].items())[:_MOST])
    facts |= _first("held_back", _listed(report, "held_back"))
    facts |= _first("files", sorted(map(_file, _listed(report, "files")), key=_is_plain))
    facts |= _first("notes", [_short(note) for note in _listed(report, "notes")])
    if to_type := _to_type(report, of):
        facts["next"] = to_type
    return facts


def took_something(output: str) -> bool:
    """Return whether a run applied a file, or published a dataset."""
    report = _read(output) or {}
    files = [file for file in _listed(report, "files") if isinstance(file, dict)]
    return bool(report.get("manifest")) or any(file.get("outcome") == "applied" for file in files)


def failure_of(exit_code: int, output: str) -> str | None:
    """Return why a run failed or how its process died; None if it ended well, or another works."""
    if in_good_order(exit_code) or exit_code == _BUSY:
        return None
    error = (_read(output) or {}).get("error")
    if error:
        return _short(error)
    if exit_code < 0:
        return f"its process was ended by signal {-exit_code}"
    return f"its process ended with {exit_code} and without a report"


def decisions(runs: Iterable[int], of: str) -> list[str]:
    """Name the commands by which a person decides about runs that were held back."""
    return [f"exchanger {verb} {run}{of}" for run in runs for verb in ("approve", "discard")]


def _to_type(report: dict[str, Any], of: str) -> list[str]:
    held, seq = _listed(report, "held_back"), report.get("seq")
    if held:
        return decisions(held[:_MOST], of)
    if report.get("quarantine") and seq:
        return [f"exchanger show {seq}{of}", f"exchanger retry {seq}{of}"]
    return []


def _file(file: Any) -> dict[str, Any]:
    told = {name: file.get(name) for name in ("key", "outcome", "rows", "note") if file.get(name)}
    return {name: _short(value) if name == "note" else value for name, value in told.items()}


def _is_plain(file: dict[str, Any]) -> bool:
    return file.get("outcome") == "applied" and "note" not in file


def _first(name: str, entries: list[Any]) -> dict[str, Any]:
    if not entries:
        return {}
    more = len(entries) - _MOST
    return {name: entries[:_MOST]} | ({f"more_{name}": more} if more > 0 else {})


def _listed(report: dict[str, Any], name: str) -> list[Any]:
    entries = report.get(name)
    return entries if isinstance(entries, list) else []


def _short(text: Any) -> str:
    said = str(text)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}..."


def files_waiting(output: str) -> int | None:
    """Return how many files a run left to the next; None if its output does not say."""
    waiting = (_read(output) or {}).get("files_waiting")
    return waiting if isinstance(waiting, int) else None


def awaits_corrections(output: str) -> bool | None:
    """Return whether rejected rows wait to be corrected after a run; None if it does not say."""
    report = _read(output) or {}
    return bool(report.get("awaits_corrections")) if "files_waiting" in report else None


def alerts_waiting(output: str) -> bool:
    """Return whether a run could not tell people all that it had to tell."""
    return bool((_read(output) or {}).get("alerts_waiting"))


def unreported(exit_code: int, output: str) -> str | None:
    """Return how a run ended that made no report, so that it told nobody; None if it made one."""
    if "state" in (_read(output) or {}):
        return None
    return failure_of(exit_code, output)


def left_incomplete(output: str) -> bool:
    """Return whether a run left files that were not complete."""
    return bool((_read(output) or {}).get("files_incomplete"))


def _read(output: str) -> dict[str, Any] | None:
    try:
        report = json.loads(output)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def in_good_order(exit_code: int) -> bool:
    """Return whether a run got to its end, be it with rows rejected or held back."""
    return exit_code in (0, 4, 5)


def level(exit_code: int, facts: Mapping[str, Any]) -> str:
    """
    Name the log level of a run that ended: the exit codes are those of the command line.

    Args:
        exit_code: How its process ended.
        facts: What *summarise* says of it.
    """
    asked_to_stop = exit_code == _IN_PART and facts.get("stopped")
    if exit_code == 0 or (asked_to_stop and not _lost_rows(facts)):
        return "info"
    # Done in part, held back, busy: the run ended in good order and somebody should look.
    return "warning" if exit_code in (_IN_PART, 5, _BUSY) else "error"


def _lost_rows(facts: Mapping[str, Any]) -> bool:
    return any(facts.get(name) for name in _LOST)
