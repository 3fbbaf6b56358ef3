"""Fixtures that every folder of tests shares, and the profiles of Hypothesis."""

from __future__ import annotations

import os
import uuid
from itertools import count

import pytest
from hypothesis import HealthCheck, settings

from exchanger.config.models import S3Config

SLOW_START = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=SLOW_START)
settings.register_profile("dev", deadline=None, suppress_health_check=SLOW_START)
settings.register_profile(
    "nightly", deadline=None, max_examples=2_000, suppress_health_check=SLOW_START
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Command lines that tests start would otherwise compile the whole package, each of them again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def local_s3():
    """One S3 server for all tests of a process; each test takes a bucket of its own."""
    from exchanger.sandbox import LocalS3

    with LocalS3() as server:
        yield server


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
    from exchanger.outside.s3 import Bucket

    return Bucket(s3_config)
