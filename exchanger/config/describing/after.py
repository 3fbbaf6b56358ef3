"""What a job tells whoever drops its files, in words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.answers import AnswerNames, as_they_are, not_correctable
from exchanger.config.findings import listed
from exchanger.config.models import ImportJob
from exchanger.config.taken import RUN_ID


def describe_answers(job: ImportJob, bucket: str) -> Iterator[str]:
    """Describe where a job answers, what it does not show there, and what becomes of files."""
    names = AnswerNames(job.source.prefix)
    if job.after.report:
        yield f"reports in {bucket}{names.reports} what became of each file"
    if job.after.rejected and as_they_are(job.source):
        corrected = f"; takes them corrected from {bucket}{names.corrected_rows}RUN/, each row once"
        then = "" if not_correctable(job) else corrected
        yield f"puts rejected rows into {bucket}{names.rejected_rows}RUN/{then}"
    if job.after.move_to:
        name = f", as NAME{job.after.suffix}" if job.after.suffix else ""
        yield f"moves each file, once it was taken, to {bucket}{job.after.move_to}{RUN_ID}/{name}"
    elif job.after.suffix:
        yield f"renames each file, once it was taken, to NAME.{RUN_ID}{job.after.suffix}"
    if tags := [f"{key}={value}" for key, value in job.after.tag.items()]:
        yield f"tags each file, once it was taken, with {listed(tags, 'and')}"
    if job.mask and job.after.report:
        yield f"shows no value of {listed(job.mask, 'and')} there"
