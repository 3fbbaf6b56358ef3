"""Custom events: an object for each row (braze-api.md 2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.objects import LONGEST_PROPERTIES, ORDER_EVENTS
from exchanger.objects.parts import Fault, is_larger, members_of

if TYPE_CHECKING:
    from exchanger.profiles.frames.rules import Rule

AHEAD = timedelta(minutes=5)
"""So much may the clock of whoever wrote a time be fast."""
_KEYS = {"name": "name", "time": "time"}


def event_faults(rules: Sequence[Rule], now: datetime) -> list[Fault]:
    """Name what makes Braze drop an event, or take it for another one."""
    name = pl.col("name")
    return [
        Fault("name", "no_event_name", name.is_null()),
        Fault("name", "bad_event_name", name.str.starts_with("$")),
        Fault("name", "order_event", name.is_in([*ORDER_EVENTS])),
        *time_faults(now),
        Fault("properties", "too_large", is_larger(rules, LONGEST_PROPERTIES)),
    ]


def time_faults(now: datetime) -> list[Fault]:
    """Name what is wrong with a time: Braze would put a future one to now (braze-api.md 2.8)."""
    time = pl.col("time")
    return [
        Fault("time", "no_time", time.is_null()),
        Fault("time", "future_time", time.dt.replace_time_zone("UTC") > now + AHEAD),
    ]


def event_members(rules: Sequence[Rule]) -> list[pl.Expr]:
    """Spell what an event says beside who it is about."""
    return members_of(rules, _KEYS)


def event_points(_rules: Sequence[Rule]) -> pl.Expr:
    """Count the data points of each event: one (braze-api.md 13)."""
    return pl.lit(1, pl.UInt32)
