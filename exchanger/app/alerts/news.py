"""What the end of a run, or what the daemon saw, means for the troubles of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from exchanger.app.alerts import texts
from exchanger.config.durations import show_duration
from exchanger.config.models import Config, ExportJob, ImportJob
from exchanger.files.signs import empty_parts
from exchanger.state.alerts.book import News, Words

if TYPE_CHECKING:
    from exchanger.app.outcome import Outcome

Report = Mapping[str, Any]

TRIED_AGAIN = (2, 8)
"""Exit codes that say nothing of a job: a wish that makes no sense, and another process at work."""


def news_of_run(
    config: Config, ended: Outcome, *, held: bool | None = None, begins: bool = True
) -> News:
    """
    Return what a run that has ended means.

    Args:
        config: The configuration.
        ended: What became of it.
        held: Whether something of the job waits for a person; None if that was not looked up.
        begins: Whether it may begin troubles; what a person decides only ends some.
    """
    report, job = ended.report, ended.report["job"]
    if report.get("stopped") or ended.exit_code in TRIED_AGAIN:
        return News(job)
    began = troubles_of(config, report)
    over = _over(report, began) | ({"held_back"} if held is False else set())
    about, of = about_job(config, job), config.option_of(config.connection_of(job))
    passed = {}
    if begins and report["state"] == "succeeded" and not began:
        words = Words(texts.titled("succeeded", job), texts.succeeded_body(about, report))
        passed["succeeded"] = words
    return News(
        job,
        {kind: _began(config, kind, ended, about, of) for kind in began if begins},
        {
            kind: Words(
                f"{texts.titled('recovered', job)} ({kind.replace('_', ' ')})",
                texts.over_body(about, kind, report),
            )
            for kind in sorted(over)
        },
        passed,
    )


def troubles_of(config: Config, report: Report) -> list[str]:
    """Name the troubles that a run has found."""
    held = report["state"] == "held_back" or bool(report.get("held_back"))
    found = ["failed"] if report["state"] == "failed" else []
    if _lost(report) or _brought_nothing(config, report):
        found.append("partial")
    return [*found, *(["held_back"] if held else [])]


def rejected_percent(config: Config, report: Report) -> float | None:
    """Return how many rows of a run were rejected, if nothing else was wrong; else None."""
    whole = any(file["outcome"] == "rejected" for file in report.get("files", []))
    others = report.get("rows_refused") or report.get("rows_in_doubt") or whole
    if others or not report.get("rows_rejected") or _brought_nothing(config, report):
        return None
    return 100 * float(report["rows_rejected"]) / max(int(report.get("rows_read", 0)), 1)


def news_of_daemon(config: Config, heard: Mapping[str, Any]) -> News:
    """
    Return what the daemon saw of a job: a missed start, that it is overdue, or how a run died.

    Args:
        config: The configuration.
        heard: ``job``, ``kind`` and the facts of the kind.
    """
    job, kind = heard["job"], heard["kind"]
    about, of = about_job(config, job), config.option_of(config.connection_of(job))
    entry = config.jobs[job]
    if kind == "missed":
        body = texts.missed_body(about, heard["due"], heard["last"])
    elif kind == "overdue":
        brings = "dataset" if isinstance(entry, ExportJob) else "file"
        every = show_duration(entry.expect.every) if entry.expect else "?"
        where = ""
        if isinstance(entry, ImportJob):
            bucket = config.connections[config.connection_of(job)].s3.bucket
            where = f"s3://{bucket}/{entry.source.prefix}"
        body = texts.overdue_body(about, brings, every, heard.get("taken_at"), where)
    else:
        body = texts.failed_body(about, {"job": job}, heard["reason"], "", of)
    return News(job, {kind: Words(texts.titled(kind, job), body)})


def about_job(config: Config, job: str) -> str:
    """Describe a job in a line: what its owner calls it, and where it belongs."""
    entry, connection = config.jobs[job], config.connection_of(job)
    said = f" ({entry.description})" if entry.description else ""
    return f"{entry.type.capitalize()} job {job}{said} of the connection {connection}."


def _lost(report: Report) -> bool:
    """Return whether a run that came to its end did not take all that it was given."""
    if report["state"] not in ("partial", "succeeded"):
        return False
    rows = any(report.get(f"rows_{kind}") for kind in ("rejected", "refused", "in_doubt"))
    whole = any(file["outcome"] == "rejected" for file in report.get("files", []))
    # Of a run in part nothing else may say why.
    return rows or whole or (report["state"] == "partial" and not report.get("held_back"))


def _brought_nothing(config: Config, report: Report) -> bool:
    """Return whether a file or a dataset without a row came, and nobody said that it may."""
    entry = config.jobs[report["job"]]
    if isinstance(entry, ExportJob):
        published = bool(report.get("manifest")) and report.get("rows_written") == 0
        return published and entry.empty != "allow"
    ignored = "empty_file" in entry.guards.model_fields_set and entry.guards.empty_file == "ignore"
    return not ignored and bool(_empty_files(entry, report))


def _empty_files(job: ImportJob, report: Report) -> list[str]:
    """Name the files that were applied and have no row, but for parts of a delivery with rows."""
    # Of what was not applied nothing was counted, but something is in it.
    came = [
        (str(file["key"]), int(file.get("rows") or 0) if file["outcome"] == "applied" else None)
        for file in report.get("files", [])
    ]
    parts = empty_parts(came, job.source.complete_when)
    return [key for key, rows in came if rows == 0 and key not in parts]


def _over(report: Report, began: list[str]) -> set[str]:
    """Name the kinds of trouble that a run has ended, if there were any."""
    over: set[str] = set()
    state = report["state"]
    if state in ("succeeded", "partial", "nothing_to_do"):
        over |= {"failed", "missed"}
    if state in ("succeeded", "partial") and "partial" not in began:
        over.add("partial")
    taken = any(file["outcome"] == "applied" for file in report.get("files", []))
    if taken or report.get("manifest"):
        over.add("overdue")
    return over - set(began)


def _began(config: Config, kind: str, ended: Outcome, about: str, of: str) -> Words:
    report = ended.report
    bucket = config.connections[config.connection_of(report["job"])].s3.bucket
    if kind == "failed":
        body = texts.failed_body(about, report, *texts.reason_of(ended.error), of)
    elif kind == "partial":
        entry = config.jobs[report["job"]]
        empty = _empty_files(entry, report) if isinstance(entry, ImportJob) else []
        body = texts.partial_body(about, report, bucket, of, empty)
    else:
        body = texts.held_body(about, report, of)
    return Words(texts.titled(kind, report["job"], report), body, _to_decide(kind, report))


def _to_decide(kind: str, report: Report) -> tuple[int, ...]:
    """Number the runs that a person has to decide about since this one."""
    if kind != "held_back":
        return ()
    runs = report.get("held_back") or [report.get("seq")]
    return tuple(run for run in runs if run is not None)
