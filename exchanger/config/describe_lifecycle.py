"""What a job does with people as such, in words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.models import ImportJob, Rename


def describe_call(job: ImportJob) -> Iterator[str]:
    """Describe what becomes of each row, and how that is made sure of."""
    if job.rename is not None:
        yield from _rename(job.rename)
    yield "looks before whether anything is in the way, and afterwards whether it was done"


def _rename(rename: Rename) -> Iterator[str]:
    yield (
        f"gives who has the external_id in column {rename.from_} that in column {rename.to} instead"
    )
    yield "ends the old id" if rename.remove_old else "leaves the old id valid, as Braze does"
