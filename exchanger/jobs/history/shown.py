"""
What Braze shows by now of what runs have sent: the one place that all who wait for it ask.

Braze shows everything once the grace is over. Sooner only if it says so itself: that it is done
with as many requests of a run as may have come in (braze-api.md 2.11). A request that is still on
its way is missing in that count, so then the grace counts, as it does for a run of which no single
process knows all requests, and wherever Braze does not answer, or contradicts itself.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

import structlog

from exchanger.config.models.imports import NEEDS_HELD
from exchanger.errors import BrazeError
from exchanger.state.runs.log import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument, RunLog

log = structlog.get_logger()

ASKED_EVERY = 5.0
"""Seconds between two questions (braze-api.md 2.11: every few seconds)."""
PATIENCE = 3.0
"""Seconds for one question: what is not known by then is asked later, or not at all."""


def last_shown(context: JobContext, runs: RunLog) -> int:
    """
    Name the last run whose values Braze shows by now, and those of all runs before it.

    That is what a look-up is stamped with, if it is made now.

    Returns:
        Its number; 0 if there is none.
    """
    shown = runs.settled(context.grace)
    newest = runs.newest()
    if newest is None:
        return shown
    last = newest.document.seq - (newest.document.state not in ENDED)
    while shown < last and _is_done(context, runs.read(shown + 1).document):
        shown += 1
    return shown


def shown_in(context: JobContext, runs: RunLog) -> float:
    """
    Return in how many seconds Braze shows all that runs have sent; 0 if it does.

    Returns:
        Infinity while a run is under way.
    """
    seconds = runs.shown_in(context.grace)
    if not 0 < seconds < inf:
        return seconds
    newest = runs.newest()
    return 0.0 if newest and last_shown(context, runs) >= newest.document.seq else seconds


def wait_until_shown(context: JobContext, runs: RunLog, seq: int) -> None:
    """
    Wait until Braze shows what a run has sent, for the grace at most; run 0 has sent nothing.

    Raises:
        Stopped: The process was asked to stop.
    """
    if not seq:
        return
    # S3 tells times in whole seconds.
    left = context.grace + 1 - runs.age(seq)
    may_ask = left > PATIENCE and bool(runs.read(seq).document.group)
    _wait(context, left, (lambda: last_shown(context, runs) >= seq) if may_ask else None)


def has_sent_unheld(context: JobContext, runs: RunLog, last: int, fields: Collection[str]) -> bool:
    """
    Return whether runs up to *last* sent some fields unheld, which Braze may not show yet.

    Of people who were never seen nothing is held: Braze may have dropped it (braze-api.md 2.3). It
    can only be what needs no look-up.
    """
    for run in sent_lately(context, runs, last):
        blind = {name for name, how in run.fields.items() if how.get("merge") not in NEEDS_HELD}
        facts = run.report.get("facts", ())
        if blind & {*fields} and any(fact["code"] == "never_seen" for fact in facts):
            return True
    return False


def sent_lately(context: JobContext, runs: RunLog, last: int) -> Iterator[RunDocument]:
    """Iterate over the runs up to *last*, newest first, of which the grace is not over."""
    for seq in range(last, 0, -1):
        if runs.age(seq) > context.grace + 1:
            return
        yield runs.read(seq).document


def wait_until_done(context: JobContext, run: RunDocument, left: float) -> None:
    """
    Wait until Braze shows what was sent so far of a run, for so many seconds at most.

    Args:
        context: The outside.
        run: With the ``group`` and the number of the requests that were sent, if Braze tracks them.
        left: How many seconds are left of the grace.

    Raises:
        Stopped: The process was asked to stop.
    """
    _wait(context, left, (lambda: _is_done(context, run)) if run.group else None)


def _wait(context: JobContext, left: float, is_shown: Callable[[], bool] | None) -> None:
    """Wait, but no longer than until Braze says that it is done, where it can be asked."""
    until = context.clock.monotonic() + left
    while left > 0:
        if is_shown is not None and left > PATIENCE and is_shown():
            return
        context.pause(left if is_shown is None else min(left, ASKED_EVERY))
        left = until - context.clock.monotonic()


def _is_done(context: JobContext, run: RunDocument) -> bool:
    """Check whether Braze is done with all requests of a run, by its own word."""
    if not run.group:
        return False
    try:
        done = done_with(context, run.group)
    except (BrazeError, TimeoutError) as error:
        log.info("grace.not_told", seq=run.seq, error=str(error))
        return False
    log.info("grace.asked", seq=run.seq, requests=run.taken, done=done)
    return 0 < done == run.taken


def done_with(context: JobContext, group: str) -> int:
    """
    Ask how many requests of a group Braze has received, if it is done with all of them, else 0.

    Raises:
        BrazeError: Braze refused, or gave no usable answer.
        TimeoutError: It gave none within a few seconds.
    """

    async def asking() -> int:
        async with asyncio.timeout(PATIENCE), context.braze() as braze:
            return await braze.done_with(group)

    return asyncio.run(asking())
