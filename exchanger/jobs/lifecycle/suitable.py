"""Whether a decision about an earlier run can be taken: what it builds on is kept and needed."""

from __future__ import annotations

from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

from exchanger.config.durations import show_duration
from exchanger.config.findings import listed
from exchanger.errors import RunUnsuitable, StateMissing
from exchanger.jobs.inventory.latest import claimed_place, overtaken
from exchanger.jobs.lifecycle.leavers import due_leavers
from exchanger.jobs.lifecycle.retention import has_quarantine
from exchanger.state.runs.log import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import RunDocument

IN_A_NEW_FILE = "Give the rows in a new file"
"""What is always possible."""


@contextmanager
def building_on_what_is_kept(seq: int, verb: str, instead: str) -> Iterator[None]:
    """
    Refuse a decision about a run, rather than build on less than there was.

    Args:
        seq: The run.
        verb: What was asked for.
        instead: What a person may do in place of it.

    Raises:
        RunUnsuitable: Something that it builds on is gone; nothing was planned.
    """
    try:
        yield
    except StateMissing as error:
        detail = (
            f"it builds on {error.key}, which is not in the bucket any more: retention, or a rule "
            f"of the bucket, has removed it. {instead}"
        )
        raise RunUnsuitable(str(seq), verb, detail) from error


def demand_quarantine(call: ImportContext, run: RunDocument) -> None:
    """
    Check that what a run has put aside is still kept.

    Raises:
        RunUnsuitable: It was kept for as long as the connection says, and is gone.
    """
    if has_quarantine(run) and run.seq <= call.state.swept.load().quarantine:
        kept = show_duration(call.context.retention.quarantine)
        detail = (
            f"what it had put aside was kept for {kept} (retention.quarantine), and is gone. "
            f"{IN_A_NEW_FILE}"
        )
        raise RunUnsuitable(str(run.seq), "retry", detail)


def demand_suitable(call: ImportContext, run: RunDocument) -> None:
    """
    Check that what a run has put aside can be given again, and need be.

    Raises:
        RunUnsuitable: It cannot, or need not.
    """
    why = ""
    if run.hold or run.state not in ("settled", "discarded"):
        why = f"it is {run.state.replace('_', ' ')}"
    elif run.object != call.kind.name:
        why = f"its rows became {run.object}, and the job makes {call.kind.name} by now"
    elif owed := due_leavers(call):
        why = f"people left with run {owed.run.seq}, which comes first: exchanger run {call.name}"
    why = why or _other_items(run, call.job) or _comes_otherwise(run) or _overtaken(call, run)
    if why:
        raise RunUnsuitable(str(run.seq), "retry", why)


def _comes_otherwise(run: RunDocument) -> str:
    """Return why rows need not be given again: those of tests, and of undos; empty if they do."""
    if run.takes_back:
        return f"it takes run {run.takes_back} back: exchanger undo {run.takes_back} does the rest"
    again = [file for file in run.files if file.outcome == "tested" and file.etag]
    if not again or run.report.get("rows_in_doubt"):
        return ""
    return f"it tried one row, which comes with its file: {again[0].key}"


def _overtaken(call: ImportContext, run: RunDocument) -> str:
    """Return why rows of a snapshot need not be given again: a newer one came; empty if not."""
    if not call.job.source.is_snapshot:
        return ""
    ours = (file for file in run.files if file.outcome not in LEFT_OUT)
    newer = next(filter(None, (overtaken(call, claimed_place(file)) for file in ours)), None)
    if newer is None:
        return ""
    return (
        f"its rows are of a snapshot that came before {newer.key}, which run {newer.run} applied: "
        "whoever is there by now is in that one. What Braze should have: exchanger backfill "
        f"{call.name} --prefix {quote(newer.key)}"
    )


def _other_items(run: RunDocument, job: ImportJob) -> str:
    """Return why items of a run cannot be given to what the job does by now; empty if they can."""
    if job.catalog_column is None and {*run.catalogs} - {job.one_catalog}:
        theirs = listed(run.catalogs, "and")
        return f"its rows are items of the catalog {theirs}, and the job's of {job.one_catalog}"
    if run.removes != (job.mode == "delete"):
        now = "deletes" if job.mode == "delete" else "no longer deletes"
        return f"the job {now} items by now"
    return ""
