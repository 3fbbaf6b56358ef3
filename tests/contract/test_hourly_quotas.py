"""The requests of a clock hour, counted in the bucket where every process of a connection sees."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exchanger.errors import StateDamaged
from exchanger.outside.braze.rate_limit import HourlyQuota
from exchanger.outside.s3.bucket import Bucket
from exchanger.state.hourly_quota import BLOCKS, HourlyQuotas

KEY = "state/hour.json"
HALF_PAST = datetime(2026, 9, 15, 10, 30, tzinfo=UTC)


class Watch:
    """A host's clock: this one has stood still for years, and waiting moves S3's time with it."""

    def __init__(self, store):
        self.store = store
        self.passed = 0.0

    def now(self):
        return datetime(1999, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self):
        return self.passed

    async def wait(self, seconds):
        self.passed += seconds
        self.store.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class Dated(Bucket):
    """A real bucket whose answers are dated by a test."""

    now = HALF_PAST

    def head(self, key):
        return replace(super().head(key), seen_at=self.now)


@pytest.fixture
def store(s3_config):
    return Dated(s3_config)


@pytest.fixture
def process(store):
    """Begin a process with a limit: how it lets requests through, and its clock."""

    def begin(limit, watch=None):
        watch = watch or Watch(store)
        return HourlyQuota(HourlyQuotas(store, KEY, limit, clock=watch), watch), watch

    return begin


async def test_processes_share_the_hour(process):
    """What one process sent, the next one may not send again; the hour after begins anew."""
    first, watch = process(4)
    for _ in range(3):
        await first.take()
    await first.close()
    second, _ = process(4, watch)
    await second.take()
    assert 0 == watch.passed

    await second.take()
    assert 1800 <= watch.passed <= 1802, "the clock of S3 says when the next hour begins"
    for _ in range(3):
        await second.take()
    assert watch.passed <= 1802
    await second.take()
    assert watch.passed >= 5400


async def test_what_was_reserved_and_not_sent_is_given_back(process, store):
    """Many short deliveries do not use the hour up; a killed one costs it one block at most."""
    for _ in range(3 * BLOCKS):
        pace, watch = process(100)
        await pace.take()
        await pace.close()
        assert 0 == watch.passed
    killed, _ = process(100)
    await killed.take()
    last, watch = process(100)
    for _ in range(100 - 3 * BLOCKS - 100 // BLOCKS):
        await last.take()
    assert 0 == watch.passed
    await last.take()
    assert watch.passed > 0


async def test_a_reservation_of_an_hour_is_void_after_it(process, store):
    """A process that stood still over the top of the hour reserves anew."""
    pace, watch = process(100)
    await pace.take()
    await watch.wait(3600)
    other, _ = process(100, watch)
    for _ in range(100):
        await other.take()
    before = watch.passed
    await pace.take()
    assert watch.passed > before


def test_processes_at_once_never_reserve_more_than_the_limit(store, s3_config):
    """However many reserve at the same time, each request is given out once."""
    given = []

    def reserve():
        quotas = HourlyQuotas(Dated(s3_config), KEY, 40, clock=Watch(store))
        while requests := quotas.reserve().requests:
            given.append(requests)

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 40 == sum(given)


def test_a_server_whose_clock_is_behind_does_not_begin_an_hour_anew(store):
    """Servers of a store may differ by seconds: the later hour counts."""
    quotas = HourlyQuotas(store, KEY, 1, clock=Watch(store))
    store.now = HALF_PAST.replace(minute=0)
    assert 1 == quotas.reserve().requests
    store.now -= timedelta(seconds=2)
    assert 0 == quotas.reserve().requests


def test_a_damaged_count_is_told(store):
    """What cannot be read is named, and never taken for an hour in which nothing was sent."""
    store.write(KEY, b"[]")
    with pytest.raises(StateDamaged):
        HourlyQuotas(store, KEY, 5, clock=Watch(store)).reserve()
