"""How long each length of time of the configuration may be. Outside of it, it makes no sense."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from exchanger.config.durations import show_duration
from exchanger.config.findings import Finding, Where
from exchanger.config.models import BrazeConfig, Completion, Connection

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_NOTHING = timedelta()

_CONNECTION = {
    # Shorter, a process loses its turn to a slow request; longer, one that died blocks the others.
    "lease": (timedelta(seconds=5), _HOUR),
    "max_plan_age": (_SECOND, 30 * _DAY),
}
_BRAZE = {"spacing": (_NOTHING, _HOUR), "grace": (_NOTHING, _HOUR), "give_up": (_NOTHING, _DAY)}
_LIMIT = (_SECOND, _DAY)
_COMPLETION = {
    "poll": (_SECOND, _HOUR),
    "quiet": (_SECOND, _DAY),
    "timeout": (_SECOND, 7 * _DAY),
}
_EVERY = (_SECOND, 366 * _DAY)
_MAX_AGE = (_SECOND, 3660 * _DAY)


def check_connection_lengths(connection: Connection, where: Where) -> Iterator[Finding]:
    """Check the lengths of time of a connection."""
    for key, bounds in _CONNECTION.items():
        yield from _check(getattr(connection, key), bounds, (*where, key))
    yield from _check_braze(connection.braze, (*where, "braze"))


def _check_braze(braze: BrazeConfig, where: Where) -> Iterator[Finding]:
    for key, bounds in _BRAZE.items():
        yield from _check(getattr(braze, key), bounds, (*where, key))
    for key in ("rate_limit", "lookup_limit"):
        yield from _check(getattr(braze, key).per, _LIMIT, (*where, key, "per"))


def check_completion_lengths(completion: Completion, where: Where) -> Iterator[Finding]:
    """Check how an export is waited for."""
    for key, bounds in _COMPLETION.items():
        yield from _check(getattr(completion, key), bounds, (*where, key))
    if completion.quiet >= completion.timeout:
        message = "an export could never complete; quiet must be shorter than timeout"
        yield Finding((*where, "quiet"), message, beside=("timeout",))


def check_every(every: timedelta, where: Where) -> Iterator[Finding]:
    """Check how often a job runs."""
    yield from _check(every, _EVERY, where)


def check_max_age(max_age: timedelta, where: Where) -> Iterator[Finding]:
    """Check how old a held value may be."""
    yield from _check(max_age, _MAX_AGE, where)


def _check(
    length: timedelta, bounds: tuple[timedelta, timedelta], where: Where
) -> Iterator[Finding]:
    least, most = bounds
    if length < least:
        yield Finding(where, f"this must be at least {show_duration(least)}", show_duration(least))
    if length > most:
        yield Finding(where, f"this must be at most {show_duration(most)}", show_duration(most))
