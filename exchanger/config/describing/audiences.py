"""What a job of an audience does, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.findings import listed
from exchanger.config.models import AudienceCohort, AudienceEvents, AudienceTarget, ImportJob


def describe_audience(job: ImportJob) -> list[str]:
    """Describe who comes and who goes, and what becomes of that."""
    lines = []
    if job.action is not None:
        for words, what in ((job.action.add, "comes"), (job.action.remove, "goes")):
            if words:
                cells = listed(map(repr, map(str, words)))
                lines.append(f"takes it that somebody {what} where {job.action.from_} is {cells}")
    for target in job.audience.as_ if job.audience is not None else ():
        lines += _target(target, by_alias=any(match.alias is not None for match in job.match))
    if job.audience is not None and not job.audience.historical:
        lines.append("sends nothing for people whom its first files name")
    return lines


def _target(target: AudienceTarget, *, by_alias: bool) -> Iterator[str]:
    if target.events is not None:
        yield from _events(target.events)
        return
    if target.cohort is not None:
        yield from _cohort(target.cohort, by_alias=by_alias)
        return
    if target.list_ is not None:
        yield (
            f"{target.list_}: has the entry '{target.entry}' of who comes, and loses it of who"
            " goes; other entries stay; looked up first where unknown"
        )
        return
    member, leaver = (_value(value) for value in (target.value.member, target.value.leaver))
    yield f"{target.attribute}: {member} for who comes, {leaver} for who goes"


def _events(events: AudienceEvents) -> Iterator[str]:
    if events.entered is not None:
        yield f"sends the event '{events.entered}' for who comes and did not belong to it before"
    if events.exited is not None:
        yield f"sends the event '{events.exited}' for who goes and belonged to it before"
    yield "lists what Braze may have taken when its answer was lost; retry gives it again"


def _cohort(cohort: AudienceCohort, *, by_alias: bool) -> Iterator[str]:
    yield (
        f"gives who comes to the cohort '{cohort.name}' ({cohort.id}) of {cohort.partner}, and"
        " takes who goes out of it; looks up first who of those that were never seen is in Braze"
    )
    if by_alias:
        yield "gives by the alias alone who has no external_id"


def _value(value: object) -> str:
    if value is None:
        return "nothing (cleared)"
    return str(value).lower() if isinstance(value, bool) else repr(value)
