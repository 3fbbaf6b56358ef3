"""
The story of a discard: a run that was held back, or that cannot be delivered, is dropped.

Of a run that was under way, what Braze acknowledged stays, and what was sent without an answer is
uncertain from then on. Its files are not planned again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from exchanger.errors import RunUnsuitable
from exchanger.jobs.answers.write import answer_run
from exchanger.jobs.lifecycle.abandon import abandon
from exchanger.jobs.lifecycle.exclusive import with_lease
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.hold import drop_held_back
from exchanger.jobs.runtime.artifacts import unless_ended_by_others
from exchanger.jobs.runtime.report import RunReport
from exchanger.notes import noted
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


def discard_run(context: JobContext, name: str, seq: int, wait: float) -> RunReport:
    """
    Drop a run that was held back, or that has not ended.

    Args:
        context: The outside. Braze is not asked for anything.
        name: The run's job, for messages.
        seq: The run.
        wait: Seconds to wait for another process that writes to the same connection.

    Raises:
        RunUnsuitable: The run has ended.
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection, perhaps this very run.
    """
    state = open_state(context.bucket, context.state_prefix)
    return with_lease(context, state, name, wait, lambda held: _discard(held, state, seq))


def _discard(context: JobContext, state: ConnectionState, seq: int) -> RunReport:
    stored = state.runs.read(seq)
    run = stored.document
    if run.continued_by and run.state == "held_back":
        raise RunUnsuitable(str(seq), "discard", f"run {run.continued_by} applies it")
    if run.hold and run.state in ("planned", "held_back", "discarded"):
        if run.state == "planned":
            finish(context, state, stored)
            stored = state.runs.read(seq)
        return drop_held_back(context, state, stored)
    if run.state in ENDED:
        detail = "it has ended; what was sent stays sent"
        if run.rest_withheld and not run.continued_by:
            detail += f", and the rest is not sent unless you say so: exchanger retry {seq}"
        raise RunUnsuitable(str(seq), "discard", detail)
    if run.state == "settling":
        report = finish(context, state, stored)
        report.facts.append(noted("ended_as_usual"))
        return report
    with unless_ended_by_others(context, state, seq):
        report = abandon(context, state, stored)
    report.facts += answer_run(context, state, state.runs.read(seq))
    return report
