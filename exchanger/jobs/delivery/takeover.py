"""
What a new holder does about a predecessor who may still be alive.

Its last requests may arrive late, after ours. Within one run they carry the same values as ours.
What it had begun and not acknowledged is looked up once more after the wait that Braze advises, and
sent again where Braze differs, before anything newer is planned for these profiles. Where a look-up
does not show it (cohorts, items of catalogs), all of it is sent again after that wait. Whoever is
unsubscribed by now has done so since, and is not subscribed again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.jobs.delivery.sender import send_again
from exchanger.jobs.observing.lookup import look_up
from exchanger.profiles.frames.columns import ITEM, PROFILE, WANTED, is_shown
from exchanger.profiles.merging.consent import resubscribes_by_now
from exchanger.profiles.planning.stale_plan import planned_fields, without_left
from exchanger.state.runs.acknowledgements import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.acknowledgements import Acknowledgements

log = structlog.get_logger()


def in_doubt_items(outbox: FrameFile, acks: Acknowledgements) -> pl.DataFrame:
    """
    Name the rows of an outbox that a predecessor began to send and did not acknowledge itself.

    That a second predecessor acknowledged them does not end the first one's requests.
    """
    suspect = [
        items.filter(~items.is_in(acks.read(acks.parts(process)).items.implode()))
        for process, items in acks.begun().items()
    ]
    items = pl.concat(suspect) if suspect else pl.Series(ITEM, [], SCHEMA[ITEM])
    if items.is_empty():
        return outbox.empty()
    parts = [part.filter(pl.col(ITEM).is_in(items.implode())) for part in outbox.frames()]
    return pl.concat([outbox.empty(), *parts])


def resolve_in_doubt(
    context: JobContext, in_doubt: pl.DataFrame, guarded: Sequence[str], *, shown: bool
) -> int:
    """
    Send again what Braze does not show as wanted, once late requests have had time to arrive.

    Args:
        context: The outside.
        in_doubt: Rows of the outbox.
        guarded: Fields by which nobody is subscribed who is unsubscribed by now.
        shown: Whether a look-up shows what was sent; otherwise all is sent again.

    Returns:
        How many requests were sent.

    Raises:
        BrazeError: Braze refused the key, or did not answer.
        LeaseLost: Another process may be sending by now.
        Stopped: The process was asked to stop.
    """
    if in_doubt.is_empty():
        return 0
    context.pause(context.grace)
    differing = _differing(context, in_doubt, guarded) if shown else in_doubt
    log.info("takeover.checked", profiles=in_doubt.height, sent_again=differing.height)
    return asyncio.run(send_again(context, differing)) if differing.height else 0


def _differing(context: JobContext, in_doubt: pl.DataFrame, guarded: Sequence[str]) -> pl.DataFrame:
    names = [name.removeprefix(WANTED) for name in in_doubt.columns if name.startswith(WANTED)]
    fields = [name for name in names if is_shown(name)]
    seen = look_up(context, planned_fields(in_doubt, fields))
    compared = in_doubt.join(seen, on=PROFILE, how="left", suffix="@seen")
    left = [name for name in guarded if name in fields and name in seen.columns]
    marks = [
        resubscribes_by_now(name, pl.col(WANTED + name), pl.col(name)).alias(f"@left:{name}")
        for name in left
    ]
    compared = without_left(compared.with_columns(marks), left)
    differs = [
        pl.col(WANTED + name).is_not_null()
        & pl.col(name).is_not_null()
        & (pl.col(WANTED + name) != pl.col(name))
        for name in seen.columns
        if name in fields
    ]
    differs += [pl.col(WANTED + name).is_not_null() for name in names if not is_shown(name)]
    return compared.filter(pl.any_horizontal(pl.lit(value=False), *differs)).select(
        in_doubt.columns
    )
