"""What each job is: an import or an export."""

from __future__ import annotations

from typing import Any

from exchanger.config.findings import Finding, Where, closest
from exchanger.config.models import ExportJob, ImportJob

JOB_TYPES: dict[str, type[ImportJob | ExportJob]] = {"import": ImportJob, "export": ExportJob}

_TELLING = {"source": "import", "match": "import", "segment": "export", "target": "export"}
"""Keys that only one kind of job has."""


def settle_kinds(content: Any) -> tuple[Any, list[Finding]]:
    """
    Find out what each job is, so that it can be read.

    Returns:
        The document, where each job has a type: a misspelt or missing one gives way to the one
        that it was probably meant to be, and a job of which this cannot be told is left out; and
        one finding for each of these.
    """
    if not isinstance(content, dict) or not isinstance(content.get("jobs"), dict):
        return content, []
    jobs: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, job in content["jobs"].items():
        written = job.get("type") if isinstance(job, dict) else None
        if not isinstance(job, dict) or (isinstance(written, str) and written in JOB_TYPES):
            jobs[name] = job
            continue
        kind = _meant(job)
        where: Where = ("jobs", name, "type")
        findings.append(Finding(where, "say whether it is an import or an export", kind))
        if kind:
            jobs[name] = job | {"type": kind}
    return content | {"jobs": jobs}, findings


def _meant(job: dict[str, Any]) -> str:
    """Guess at a type by what is written there, or else by the other keys; empty if none tells."""
    written = job.get("type")
    guess = closest(written, JOB_TYPES) if isinstance(written, str) else ""
    told = {kind for key, kind in _TELLING.items() if key in job}
    return guess or (told.pop() if len(told) == 1 else "")
