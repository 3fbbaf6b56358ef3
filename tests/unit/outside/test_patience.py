"""How long one request is tried again."""

from __future__ import annotations

from random import Random

import pytest

from exchanger.outside.braze.retry import (
    ATTEMPTS,
    LIMIT_PAUSE,
    LIMIT_WAITING,
    LONGEST_CAP,
    RECENT,
    REPEATED,
    LimitState,
    RetryState,
)


class Highest(Random):
    """Draws the highest number."""

    def uniform(self, a, b):
        return b


def test_pauses_double_and_end(clock):
    """Each pause may be twice as long as the one before; after the last attempt there is none."""
    patience = RetryState(clock, Highest())
    pauses = [patience.after_fault() for _ in range(ATTEMPTS)]
    assert [0.5, 1.0, 2.0, 4.0, 8.0, None] == pauses


def test_pauses_are_drawn_from_zero(clock):
    """Jitter is full, so that many that failed together do not come back together."""
    pauses = [RetryState(clock, Random(seed)).after_fault() for seed in range(200)]
    assert min(pauses) < 0.05
    assert 0.45 < max(pauses) <= 0.5


@pytest.mark.parametrize("told", [0.0, 3.0, 3600.0])
def test_what_is_told_is_believed_at_first(clock, told):
    """The first 429 waits exactly as told."""
    assert told == RetryState(clock, Highest()).after_limit(told)


def test_a_limit_that_never_opens_is_asked_less_and_less(clock):
    """Told to wait for nothing again and again, it waits longer each time, up to a cap."""
    patience = RetryState(clock, Highest())
    pauses = [patience.after_limit(0.0) for _ in range(12)]
    assert sorted(pauses) == pauses
    assert (0.0, LONGEST_CAP) == (pauses[0], pauses[-1])


def test_the_next_clock_hour_is_always_reached(clock):
    """A limit that resets in an hour is waited for, a longer one is not."""
    assert RetryState(clock, Highest()).after_limit(3600) == 3600
    assert RetryState(clock, Highest()).after_limit(LIMIT_WAITING + 1) is None


def test_waiting_adds_up(clock):
    """What was waited before counts, so the whole is bounded."""
    patience = RetryState(clock, Highest(), limit_waiting=10)
    assert 6.0 == patience.after_limit(6.0)
    clock.sleep(6)
    assert 4.0 == patience.after_limit(4.0)
    clock.sleep(4)
    assert patience.after_limit(1.0) is None


@pytest.mark.parametrize(
    ("every", "held_back"), [(100, False), (20, False), (13, False), (9, True), (2, True)]
)
def test_few_429_hold_nobody_back(every, held_back):
    """One 429 in a hundred is a single one; one in nine is not."""
    state = LimitState()
    times = 0
    for number in range(1_000):
        if number % every == every - 1:
            times += state.refused() > 0
        else:
            state.accepted()
    assert held_back == (times > 0)
    assert times <= 1_000 / every / REPEATED


def test_a_crowd_at_the_door_is_held_back_for_longer_each_time():
    """Where everything is refused the pause doubles, up to a cap, until something is taken."""
    state = LimitState()
    pauses = [state.refused() for _ in range(7 * REPEATED)]
    assert [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_CAP, LONGEST_CAP] == [it for it in pauses if it]
    state.accepted()
    assert [LIMIT_PAUSE] == [it for it in (state.refused() for _ in range(REPEATED)) if it]
    assert REPEATED < RECENT
