"""Fixtures that every folder of tests shares, and the profiles of Hypothesis."""

from __future__ import annotations

import gc
import os
import uuid
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("support")

# Of a few rows a second thread costs more than it brings, and tests run side by side. At night all
# are used, as people's are.
if os.environ.get("HYPOTHESIS_PROFILE") != "nightly":
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

from support.warm_start import WarmServer, share_descriptions  # noqa: E402 - asserts are rewritten

from exchanger.config.models import S3Config  # noqa: E402

SLOW_START = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=SLOW_START)
settings.register_profile("dev", deadline=None, suppress_health_check=SLOW_START)
settings.register_profile(
    "nightly", deadline=None, max_examples=2_000, suppress_health_check=SLOW_START
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Command lines that tests start would otherwise compile the whole package, each of them again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# They are the code beside the tests, wherever another copy is installed.
_BESIDE = str(Path(__file__).parent.parent)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_BESIDE, os.environ.get("PYTHONPATH")]))

share_descriptions()

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def local_s3():
    """One S3 server for all tests of a process; each test takes a bucket of its own."""
    from exchanger.sandbox import LocalS3

    with LocalS3() as server:
        yield server


@pytest.fixture(scope="session")
def warm():
    """A server that starts command lines which are imported already."""
    server = WarmServer()
    yield server
    server.close()


@pytest.fixture
def s3_config(local_s3):
    """The configuration of a new and empty bucket."""
    name = f"bucket-{next(_NUMBERS)}-{uuid.uuid4().hex[:6]}"
    local_s3.create_bucket(name)
    return S3Config(
        bucket=name,
        region=local_s3.region,
        endpoint_url=local_s3.url,
        access_key_id=local_s3.access_key,
        secret_access_key=local_s3.secret_key,
    )


@pytest.fixture
def bucket(s3_config):
    """A new and empty bucket."""
    from exchanger.outside.s3.bucket import Bucket

    return Bucket(s3_config)


def pytest_collection_finish():
    """Spare the collector of garbage the modules and tests, which stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """
    Let long tests begin first: one that begins last would run alone.

    Worksteal deals the list in equal pieces, so each piece begins with its share of them. Tests of
    one module that share what is slow stay together.
    """
    groups = {}
    for item in items:
        if mark := item.get_closest_marker("long"):
            name = item.path if mark.kwargs.get("together") else item.nodeid
            groups.setdefault((-mark.args[0], str(name)), []).append(item)
    long = [groups[key] for key in sorted(groups)]
    short = [item for item in items if not item.get_closest_marker("long")]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    size = len(items) // workers
    ordered = []
    for worker in range(workers):
        share = [item for group in long[worker::workers] for item in group]
        count = len(short) if worker == workers - 1 else max(size - len(share), 0)
        ordered += [*share, *short[:count]]
        short = short[count:]
    items[:] = ordered
