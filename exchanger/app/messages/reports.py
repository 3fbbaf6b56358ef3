"""Reports of runs for people: a few lines that a marketer understands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from exchanger.config.findings import counted
from exchanger.jobs.runtime.report import PROFILE_KINDS, ROW_KINDS

Report = dict[str, Any]

_STATES = {
    "succeeded": "done",
    "partial": "done in part",
    "failed": "failed",
    "held_back": "held back",
    "nothing_to_do": "nothing to do",
    "released": "released",
    "discarded": "discarded",
}
_REASON = 100
"""Characters of the reason of a failure that a listing shows."""


def describe_report(report: Report, bucket: str) -> list[str]:
    """
    Describe one run.

    Args:
        report: As ``RunReport.to_dict`` renders it.
        bucket: The bucket that its keys are in.
    """
    lines = [_head(report)]
    lines += of_files(report)
    lines += of_rows(report)
    if report.get("rows_written") is not None:
        rows, size = report["rows_written"], report.get("bytes_written") or 0
        lines.append(f"  written: {counted(rows, 'row')}, {size:,} bytes")
    if report.get("manifest"):
        lines.append(f"  manifest: s3://{bucket}/{report['manifest']}")
    if report.get("quarantine"):
        where = f"s3://{bucket}/{report['quarantine']}"
        lines.append(f"  rows that were not taken, with the reasons: {where}")
    if report.get("warnings"):
        where = f"s3://{bucket}/{report['warnings']}"
        lines.append(f"  values that were left out, with the reasons: {where}")
    if report.get("files_waiting"):
        lines.append(f"  left for the next run: {counted(report['files_waiting'], 'file')}")
    lines += [f"  note: {note}" for note in report.get("notes", [])]
    if report.get("error"):
        lines += [f"  {line}" for line in str(report["error"]).splitlines()]
    return lines


def describe_listing(reports: list[Report]) -> list[str]:
    """
    Describe runs in a line each, newest first.

    Args:
        reports: The runs, with ``connection`` where there are several.
    """
    if not reports:
        return ["No runs yet."]
    return [
        f"{report.get('seq') or '-':>6}  {_when(report.get('started_at'))}  "
        f"{state_in_words(report['state']):<13}  {_job(report)}  {_summary(report)}".rstrip()
        for report in reports
    ]


def _job(report: Report) -> str:
    of = f" ({report['connection']})" if "connection" in report else ""
    return f"{report['job']}{of}"


def describe_rest(more: int, limit: int | None) -> str:
    """
    Describe how many runs a listing leaves out, and how to see them.

    Args:
        more: Runs that were found and are not listed.
        limit: How many of a connection are looked at, if one has so many: there may be more.
    """
    if limit is None:
        return f"and {more:,} more; to see them, add --json"
    return f"and at least {more:,} more; add --json for the newest {limit:,} of each connection"


def spelt(text: str | None) -> str:
    """Show a canonical value; what is unknown or empty in words."""
    if text in (None, "?"):
        return "unknown"
    return "empty" if text == "null" else str(text)


def _head(report: Report) -> str:
    took = _seconds(report.get("started_at"), report.get("finished_at"))
    number = f"run {report['seq']}, " if report.get("seq") else ""
    # Nothing is kept of a run that had nothing to do, so its id would lead nowhere.
    kept = number or report["state"] != "nothing_to_do"
    run = f" ({number}{report['run_id']})" if kept and report.get("run_id") else ""
    return f"{report['job']}: {state_in_words(report['state'])}{took}{run}"


def state_in_words(state: str) -> str:
    """Describe how a run ended, or that it has not."""
    return _STATES.get(state, f"unfinished ({state})")


def of_files(report: Report) -> Iterator[str]:
    """List what became of the files of a report."""
    files = report.get("files", [])
    if not files:
        return
    outcomes = [file["outcome"].replace("_", " ") for file in files]
    counted = (f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(outcomes))
    yield f"  files: {', '.join(counted)}"
    for file in files:
        if file.get("note"):
            yield f"    {file['key']}: {file['note']}"


def of_rows(report: Report) -> Iterator[str]:
    """List what became of rows and profiles, and what was sent."""
    if report.get("rows_read"):
        kinds = _kinds(report, "rows_", ROW_KINDS)
        warned = report.get("rows_warned", 0)
        told = f"; {warned:,} of them with values left out" if warned else ""
        yield f"  rows: {report['rows_read']:,} read{'; ' if kinds else ''}{kinds}{told}"
    kinds = _kinds(report, "profiles_", PROFILE_KINDS)
    if kinds:
        yield f"  profiles: {kinds}"
    sent = [
        counted(report[key], what)
        for key, what in (
            ("fields_changed", "changed field"),
            ("data_points", "data point"),
            ("requests", "request"),
        )
        if report.get(key)
    ]
    if sent:
        yield f"  to Braze: {', '.join(sent)}"


def _kinds(report: Report, prefix: str, kinds: tuple[str, ...]) -> str:
    found = ((kind, report.get(prefix + kind, 0)) for kind in kinds)
    return ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in found if count)


def _summary(report: Report) -> str:
    """Describe of a run in a listing what it came to, and what waits for a person."""
    parts = [_sum(report), _failure(report), _read_back(report.get("verified")), _waiting(report)]
    return "; ".join(part for part in parts if part)


def _read_back(found: dict[str, int] | None) -> str:
    if not found or not found["values"]:
        return ""
    return f"{found['differing']:,} of {counted(found['values'], 'value')} read back differ"


def _failure(report: Report) -> str:
    """Describe shortly why a run failed, and what ``show`` finds it by."""
    if not report.get("error"):
        return ""
    reason = str(report["error"]).splitlines()[0]
    if len(reason) > _REASON:
        reason = reason[: _REASON - 3].rstrip() + "..."
    return reason if report.get("seq") else f"{reason} (exchanger show {report['run_id']})"


def _waiting(report: Report) -> str:
    if since := report.get("applied_since"):
        later = ", ".join(str(run) for run in sorted(set(since.values())))
        return f"{counted(len(since), 'file')} applied since by run {later}"
    others = [str(seq) for seq in report.get("held_back", []) if seq != report.get("seq")]
    if not others:
        return ""
    runs = f"run {others[0]} waits" if len(others) == 1 else f"runs {', '.join(others)} wait"
    return f"{runs} for a person: exchanger jobs --waiting"


def _sum(report: Report) -> str:
    if report.get("rows_written") is not None:
        return f"{counted(report['rows_written'], 'row')} written"
    if report.get("rows_read"):
        return (
            f"{counted(report['rows_read'], 'row')} read, "
            f"{counted(report.get('data_points', 0), 'data point')}"
        )
    return ""


def _when(text: str | None) -> str:
    return f"{_moment(text):%Y-%m-%d %H:%M:%S}" if text else " " * 19


def _seconds(begun: str | None, ended: str | None) -> str:
    if not begun or not ended:
        return ""
    return f" in {(_moment(ended) - _moment(begun)).total_seconds():,.1f} s"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
