"""How long each length of time of the configuration may be. Outside of it, it makes no sense."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from exchanger.config.durations import show_duration
from exchanger.config.findings import Finding, Where
from exchanger.config.models import (
    Baseline,
    BrazeConfig,
    CompleteWhen,
    Completion,
    Connection,
    Expect,
    RateLimit,
    Schedule,
    Strict,
)

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_NOTHING = timedelta()

BOUNDS: dict[type[Strict], dict[str, tuple[timedelta, timedelta]]] = {
    # Shorter, a process loses its turn to a slow request; longer, one that died blocks the others.
    Connection: {"lease": (timedelta(seconds=5), _HOUR), "max_plan_age": (_SECOND, 30 * _DAY)},
    BrazeConfig: {
        "give_up": (_NOTHING, _DAY),
        "spacing": (_NOTHING, _HOUR),
        "grace": (_NOTHING, _HOUR),
    },
    RateLimit: {"per": (_SECOND, _DAY)},
    Completion: {
        "poll": (_SECOND, _HOUR),
        "quiet": (_SECOND, _DAY),
        "timeout": (_SECOND, 7 * _DAY),
    },
    Schedule: {"every": (_SECOND, 366 * _DAY)},
    Expect: {"every": (_SECOND, 366 * _DAY)},
    # Longer, a daily file would not be taken for days.
    CompleteWhen: {"settled": (_SECOND, _DAY)},
    Baseline: {"max_age": (_SECOND, 3660 * _DAY)},
}
"""The least and the most of each length of time of a part; of those of ``Retention``, see there."""


def check_connection_lengths(connection: Connection, where: Where) -> Iterator[Finding]:
    """Check the lengths of time of a connection."""
    yield from check_lengths(connection, where)
    braze = connection.braze
    yield from check_lengths(braze, (*where, "braze"))
    yield from check_lengths(braze.rate_limit, (*where, "braze", "rate_limit"))
    yield from check_lengths(braze.lookup_limit, (*where, "braze", "lookup_limit"))


def check_completion_lengths(completion: Completion, where: Where) -> Iterator[Finding]:
    """Check how an export is waited for."""
    yield from check_lengths(completion, where)
    if completion.quiet >= completion.timeout:
        message = "an export could never complete; quiet must be shorter than timeout"
        yield Finding((*where, "quiet"), message, beside=("timeout",))


def check_lengths(part: Strict, where: Where) -> Iterator[Finding]:
    """Check each length of time that stands in a part itself."""
    for key, bounds in BOUNDS[type(part)].items():
        length = getattr(part, key)
        if length is not None:
            yield from _check(length, bounds, (*where, key))


def _check(
    length: timedelta, bounds: tuple[timedelta, timedelta], where: Where
) -> Iterator[Finding]:
    least, most = bounds
    if length < least:
        yield Finding(where, f"this must be at least {show_duration(least)}", show_duration(least))
    if length > most:
        yield Finding(where, f"this must be at most {show_duration(most)}", show_duration(most))
