"""One writer per connection, over a real S3 interface and a clock that tests step."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from exchanger.errors import LeaseLost, StorageUnreachable
from exchanger.state.lease import Busy, Lease

KEY = "_exchanger/main/lease.json"
SECONDS = 30.0


class SteppedClock:
    """Stands still until it is moved."""

    def __init__(self):
        self.seconds = 1_000.0

    def now(self):
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += max(seconds, 0)

    async def wait(self, seconds):
        self.sleep(seconds)


class AgedBucket:
    """A bucket whose objects are older than they are, as S3 itself would tell."""

    def __init__(self, bucket):
        self._bucket = bucket
        self.older = 0.0
        self.fails = False
        self.loses = False

    def __getattr__(self, name):
        return getattr(self._bucket, name)

    def head(self, key):
        from dataclasses import replace
        from datetime import timedelta

        info = self._bucket.head(key)
        return replace(info, seen_at=info.seen_at + timedelta(seconds=self.older))

    def write(self, *args, **kwargs):
        if self.fails:
            raise StorageUnreachable("write", "bucket", KEY)
        written = self._bucket.write(*args, **kwargs)
        if self.loses:
            raise StorageUnreachable("write", "bucket", KEY)
        return written


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def aged(bucket):
    return AgedBucket(bucket)


@pytest.fixture
def lease_of(aged, clock):
    return lambda holder: Lease(aged, KEY, clock=clock, holder=holder, seconds=SECONDS)


def test_a_free_lease_is_taken_by_one(lease_of):
    """Of two processes, the second learns who holds it and for how long."""
    first, second = lease_of("first"), lease_of("second")

    assert first.take() is None
    busy = second.take()
    assert isinstance(busy, Busy)
    assert "first" == busy.holder
    assert SECONDS <= busy.seconds <= SECONDS + 3
    first.check()
    with pytest.raises(LeaseLost):
        second.check()


def test_two_that_take_at_once_are_never_both_holders(lease_of, aged):
    """The write is conditional: whoever read the same state second is told that it is busy."""
    first, second = lease_of("first"), lease_of("second")
    second._found = lambda: None
    first.take()

    assert isinstance(second.take(), Busy)
    with pytest.raises(LeaseLost):
        second.check()


def test_a_released_lease_is_taken_at_once_with_a_higher_fence(lease_of):
    """Releasing keeps the object, so that fencing numbers only grow."""
    first, second = lease_of("first"), lease_of("second")
    first.take()
    first.release()

    assert second.take() is None
    assert (1, 2) == (first.fence, second.fence)
    assert not second.took_over


def test_a_lease_is_over_by_the_clock_of_s3_alone(lease_of, aged, clock):
    """A host whose own clock runs ahead takes nothing over; one that sees S3 age it does."""
    first, second = lease_of("first"), lease_of("second")
    first.take()
    clock.seconds += 10 * SECONDS
    assert second.take() is not None
    aged.older = SECONDS - 1
    assert second.take() is not None

    aged.older = SECONDS + 3
    assert second.take() is None
    assert second.took_over
    assert 2 == second.fence


def test_a_renewed_lease_is_young_again(lease_of, aged, clock):
    """The holder may begin things until a third before the end, counted from its last renewal."""
    first = lease_of("first")
    first.take()
    clock.seconds += SECONDS * 0.6
    first.check()
    first.renew()
    clock.seconds += SECONDS * 0.6

    first.check()
    clock.seconds += SECONDS * 0.1
    with pytest.raises(LeaseLost):
        first.check()


def test_a_renewal_that_fails_is_none(lease_of, aged, clock):
    """While S3 does not answer, the old end stays."""
    first = lease_of("first")
    first.take()
    clock.seconds += SECONDS * 0.6
    aged.fails = True
    first.renew()
    first.check()

    clock.seconds += SECONDS * 0.1
    with pytest.raises(LeaseLost):
        first.check()


def test_a_renewal_whose_answer_was_lost_is_not_taken_for_somebody_elses(lease_of, aged, clock):
    """
    It counts neither as a renewal nor as a loss: the next one writes over it.

    Otherwise the holder would count from later than S3 does.
    """
    first = lease_of("first")
    first.take()
    aged.loses = True
    first.renew()
    lost = orjson.loads(aged.read(KEY)[0])
    aged.loses = False
    clock.seconds += SECONDS * 0.6
    first.renew()

    first.check()
    found = orjson.loads(aged.read(KEY)[0])
    assert lost["counter"] < found["counter"]
    assert lost == found | {"counter": lost["counter"]}


def test_a_lease_is_released_even_if_the_last_renewal_is_unknown(lease_of, aged):
    """Nobody has to wait for the end of a lease that its holder gave up."""
    first = lease_of("first")
    first.take()
    aged.loses = True
    first.renew()
    aged.loses = False
    first.release()

    assert None is lease_of("second").take()


def test_a_holder_that_was_taken_over_learns_it(lease_of, aged):
    """After a take-over the earlier holder can neither renew nor begin anything, nor free it."""
    first, second = lease_of("first"), lease_of("second")
    first.take()
    aged.older = SECONDS + 3
    second.take()

    with pytest.raises(LeaseLost):
        first.renew()
    with pytest.raises(LeaseLost):
        first.check()
    first.release()
    aged.older = 0
    assert "second" == lease_of("third").take().holder
    second.check()
