"""What a decision says that builds on state which is not in the bucket any more."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from exchanger.config.durations import show_duration
from exchanger.errors import RunUnsuitable, StateMissing
from exchanger.jobs.lifecycle.retention import has_quarantine

if TYPE_CHECKING:
    from collections.abc import Iterator

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
