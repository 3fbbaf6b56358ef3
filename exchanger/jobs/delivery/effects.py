"""
Looks whether calls about people were done: Braze answers alike where nothing happens.

A call that Braze refused, or of which nobody knows, counts as done where a look shows it: a call
that is sent again after a crash is refused for that very reason.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.braze.endpoints import REMOVALS, RENAMES_FOR_GOOD
from exchanger.jobs.delivery.sender import send_again
from exchanger.jobs.observing.who_is_there import who_is_there
from exchanger.objects.people.calls import EachCall, beside
from exchanger.objects.people.obstacles import NOT_SHOWN
from exchanger.profiles.frames.columns import ENDPOINT, ITEM, MEANT, OBJECT, OTHER, PROFILE
from exchanger.profiles.spelling.json_values import json_string

if TYPE_CHECKING:
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.acknowledgements import Acknowledgements

log = structlog.get_logger()

_FIRST_PAUSE = 0.5
"""Seconds before the second look; each pause is twice as long as the one before."""


def check_effects(
    context: JobContext, making: EachCall, outbox: FrameFile, acks: Acknowledgements
) -> int:
    """
    Look what became of each call, for as long as Braze may not show it yet.

    Args:
        context: The outside.
        making: What the calls are.
        outbox: Them, each answered.
        acks: Their acknowledgements; what a look shows is added.

    Returns:
        How many requests were sent besides.

    Raises:
        BrazeError: A look-up failed, or what had to be sent besides.
        Stopped: The process was asked to stop; it is looked again then.
    """
    calls = _calls(outbox)
    answers = acks.read(acks.parts())
    left = _looked_at(context, making, calls)
    shown = calls.filter(~pl.col(ITEM).is_in(left[ITEM].implode()))
    for_good = shown.filter(pl.col(ENDPOINT) == RENAMES_FOR_GOOD.name)
    requests = 0
    if for_good.height:
        requests, still = _removed(context, making, for_good)
        left = pl.concat([left, still])
    undone = left[ITEM].filter(left[ITEM].is_in(answers.ok.implode()))
    acks.note_no_effect(undone, NOT_SHOWN)
    refused = answers.others.filter(pl.col("outcome") == "refused")[ITEM]
    done = refused.filter(refused.is_in(shown[ITEM].implode()))
    acks.write(done.filter(~done.is_in(left[ITEM].implode())), [])
    log.info("calls.looked_at", calls=calls.height, without_effect=undone.len())
    return requests


def _calls(outbox: FrameFile) -> pl.DataFrame:
    names = [ITEM, PROFILE, ENDPOINT, OBJECT, OTHER, MEANT]
    return pl.concat([outbox.empty().select(names), *outbox.frames(names)])


def _looked_at(context: JobContext, making: EachCall, calls: pl.DataFrame) -> pl.DataFrame:
    """Look until all is done or would be shown by now, and return what is not done."""
    pause, until = _FIRST_PAUSE, context.clock.monotonic() + context.grace
    left = _not_done(context, making, calls)
    while left.height and (time := until - context.clock.monotonic()) > 0:
        context.pause(min(pause, time))
        pause *= 2
        left = _not_done(context, making, left)
    return left


def _not_done(context: JobContext, making: EachCall, calls: pl.DataFrame) -> pl.DataFrame:
    removal = (calls[ENDPOINT] == REMOVALS.name).all()
    names = (PROFILE,) if removal else making.looked_at
    seen = who_is_there(context, pl.concat([calls[name] for name in names]))
    done = making.done().fill_null(value=False)
    return beside(calls, seen).filter(~done).select(calls.columns)


def _removed(
    context: JobContext, making: EachCall, renamed: pl.DataFrame
) -> tuple[int, pl.DataFrame]:
    """End the old ids of who has a new one; ends that were reached before are refused, and done."""
    removals = renamed.with_columns(
        pl.lit(REMOVALS.name).alias(ENDPOINT), json_string(pl.col(PROFILE)).alias(OBJECT)
    )
    requests = asyncio.run(send_again(context, removals))
    return requests, _looked_at(context, making, removals)
