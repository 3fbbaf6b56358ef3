"""How old a value is, told by the store's clock: those of two hosts are never compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.contexts import job_context
from support.jobs import import_model

from exchanger.config.models import BrazeConfig, RateLimit
from exchanger.jobs.imports import run_import
from exchanger.outside.braze.client import Braze
from exchanger.outside.clock import SystemClock
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox

LOOKUP = "/users/export/ids"
A_DAY = timedelta(days=1)
JOB = import_model(
    fields={"points": {"merge": "sum", "type": "integer"}}, baseline={"max_age": "1d"}
)


class Host(SystemClock):
    """A host whose clock is wrong, and which may let time pass at once."""

    def __init__(self, wrong_by=timedelta(0)):
        self.wrong_by = wrong_by
        self.passed = timedelta(0)

    def now(self):
        return super().now() + self.wrong_by + self.passed

    def monotonic(self):
        return super().monotonic() + self.passed.total_seconds()


def test_the_time_of_the_store_is_counted_on(s3_config):
    """It is known from the first answer on, whatever this host takes it for, and goes on."""
    host = Host(wrong_by=timedelta(days=-700))
    bucket = Bucket(s3_config, clock=host)
    assert bucket.now() == pytest.approx(host.now(), abs=timedelta(seconds=5))
    list(bucket.list(""))
    assert bucket.now() == pytest.approx(datetime.now(UTC), abs=timedelta(seconds=5))
    host.passed += A_DAY
    assert bucket.now() == pytest.approx(datetime.now(UTC) + A_DAY, abs=timedelta(seconds=5))


@pytest.mark.parametrize(
    ("wrong_by", "passes", "look_ups"),
    [
        ((timedelta(0), 2 * A_DAY), timedelta(0), 1),
        ((-2 * A_DAY, timedelta(0)), timedelta(0), 1),
        ((2 * A_DAY, timedelta(0)), 1.5 * A_DAY, 2),
        ((timedelta(0), -2 * A_DAY), 1.5 * A_DAY, 2),
    ],
    ids=("second ahead", "first behind", "first ahead", "second behind"),
)
def test_max_age_compares_no_clocks_of_hosts(s3_config, tmp_path, wrong_by, passes, look_ups):
    """What one host learnt is old for another one when it is old, not when their clocks differ."""
    clocks = [Host(each) for each in wrong_by]
    with Sandbox() as braze:
        limit = RateLimit(requests=100_000, per=timedelta(seconds=1))
        config = BrazeConfig(endpoint=braze.url, api_key=braze.api_key, lookup_limit=limit)
        context = job_context(
            Bucket(s3_config), lambda: Braze(config), tmp_path, spacing=0.0, grace=0.0
        )
        braze.seed([{"external_id": "ann", "points": 10}])
        for number, clock in enumerate(clocks):
            context.bucket.write(f"inbox/{number}.csv", b"id,points\nann,1\n# %d\n" % number)
            bucket = Bucket(s3_config, clock=clock)
            list(bucket.list("inbox/"))
            clock.passed += number * passes
            before = braze.requests(LOOKUP)
            run_import(replace(context, bucket=bucket, clock=clock), "points", JOB)
            asked = braze.requests(LOOKUP) - before
        # The second run also reads a sample of the first delivery back.
        assert (look_ups, "12") == (asked, braze.raw_attribute("ann", "points"))
