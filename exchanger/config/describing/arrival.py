"""When an import takes files, and which of them, in words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.durations import show_duration
from exchanger.config.models import CompleteWhen, ImportJob, LeaverEvent, SchemaContract


def describe_arrival(job: ImportJob) -> Iterator[str]:
    """Iterate over what a job says of files that are not as they were dropped."""
    if job.source.notices is not None:
        queue = job.source.notices.sqs
        yield f"looks as soon as {queue} tells of a new file, and by its schedule all the same"
    if job.source.is_snapshot:
        yield "takes the newest file alone, as the whole truth of who there is"
        yield _leavers(job)
    elif job.source.files == "latest":
        yield "takes the newest file alone, and leaves out all that came before it"
    if job.source.complete_when is not None:
        yield f"takes a file once {_complete(job.source.complete_when)}"
    yield from _changes(job.source.schema_)
    if job.source.sql is not None:
        query = " ".join(job.source.sql.split())
        yield f"takes the rows that this makes of each file: {query}"


_DOES = {
    "quarantine": "puts the file aside",
    "note": "says so and goes on",
    "fail": "fails before anything is sent",
    "reject_rows": "rejects the rows that do not fit",
}


def _changes(contract: SchemaContract) -> Iterator[str]:
    """Iterate over what a job says of columns that change; the usual is not said."""
    if contract.missing is not None:
        yield f"{_DOES[contract.missing]} if a column is missing"
    if contract.new is not None:
        yield f"{_DOES[contract.new]} if a column is new"
    if contract.retyped != "quarantine":
        yield f"{_DOES[contract.retyped]} if a column holds another type than before"


def _leavers(job: ImportJob) -> str:
    """Describe what becomes of people who left."""
    does = job.source.on_removed
    if job.audience is not None:
        return "takes it that everybody whom it names comes, and that whoever is missing then goes"
    who = "whom this job had before, and who is missing in it"
    if isinstance(does, LeaverEvent):
        return f"sends the event '{does.event}' for everybody {who}"
    if does == "delete":
        limit = job.guards.max_deletes
        most = f"; waits for you if these are more than {limit:,}"
        return f"deletes everybody {who}, for good{most}"
    if does == "clear_fields":
        return f"clears its fields, but for consent, of everybody {who}"
    return f"leaves everybody as they are {who}"


def _complete(rule: CompleteWhen) -> str:
    if rule.settled is not None:
        return f"it has not changed for {show_duration(rule.settled)}"
    if rule.marker is not None:
        return f"a {rule.marker} that is no older lies in its folder, or in one around it"
    if rule.suffix is not None:
        return f"an object of its name and {rule.suffix} that is no older lies beside it"
    return f"all files are there that a manifest ({rule.manifest}) names with it"
