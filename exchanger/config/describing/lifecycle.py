"""What a job does with people as such, in words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.describing.match import named_by
from exchanger.config.models import Identify, ImportJob, Match, Rename


def describe_call(job: ImportJob) -> Iterator[str]:
    """Describe what becomes of each row, and how that is made sure of."""
    if job.rename is not None:
        yield from _rename(job.rename)
    if job.alias is not None:
        yield from _alias(job)
    if job.merge is not None:
        yield (
            f"merges who has the {named_by(job.merge.drop)} into who has the "
            f"{named_by(job.merge.keep)}, and that for good"
        )
    if job.identify is not None:
        yield from _identify(job, job.identify)
    if job.object == "deletions":
        who = "; else ".join(named_by(match) for match in job.match)
        yield f"deletes every profile that has the {who}, and that for good"
        yield (
            "deletes nobody before you have approved it"
            if not job.guards.max_deletes
            else f"deletes at most {job.guards.max_deletes:,} in a run that you have not approved"
        )
    yield "looks before whether anything is in the way, and afterwards whether it was done"


def _rename(rename: Rename) -> Iterator[str]:
    yield (
        f"gives who has the external_id in column {rename.from_} that in column {rename.to} instead"
    )
    yield "ends the old id" if rename.remove_old else "leaves the old id valid, as Braze does"


def _alias(job: ImportJob) -> Iterator[str]:
    alias = job.alias
    if alias is None:
        return
    names = named_by(Match(alias=alias))
    yield f"gives who has the {named_by(job.match[0])} the {names}"
    if alias.replaces is not None:
        yield f"puts it in the place of the name in column {alias.replaces}, where that has one"


def _identify(job: ImportJob, identify: Identify) -> Iterator[str]:
    who = "; else ".join(named_by(match) for match in job.match)
    yield f"gives the external_id in column {identify.external_id} to who has the {who}"
    yield "merges them into who has that id already, and that for good"
    if identify.prioritization:
        words = ", then ".join(identify.prioritization)
        yield f"where several have it, takes the {words}, if that leaves one"
