"""What a job tells whoever drops its files, in words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.answers import AnswerNames, not_correctable
from exchanger.config.findings import listed
from exchanger.config.models import ImportJob


def describe_answers(job: ImportJob, bucket: str) -> Iterator[str]:
    """Describe where a job answers, and what it does not show there."""
    names = AnswerNames(job.source.prefix)
    if job.after.report:
        yield f"reports in {bucket}{names.reports} what became of each file"
    if job.after.rejected:
        corrected = f"; takes them corrected from {bucket}{names.corrected_rows}RUN/, each row once"
        then = "" if not_correctable(job) else corrected
        yield f"puts rejected rows into {bucket}{names.rejected_rows}RUN/{then}"
    if job.mask and job.after.report:
        yield f"shows no value of {listed(job.mask, 'and')} there"
