"""Waiting for what another process does."""

import threading
import time
from datetime import UTC, datetime, timedelta

PATIENCE = 60.0
EVERY = 0.02
"""Seconds between two looks; looking all the time would hold up who is waited for."""


def until_the_next_second(bucket, prefix):
    """Wait until S3, which tells whole seconds, tells what comes now from what lies there."""
    came = max(item.last_modified for item in bucket.list(prefix))
    until(lambda: datetime.now(UTC) >= came + timedelta(seconds=1))


def until(condition, what="it did not happen", patience=PATIENCE):
    """Look until something is so."""
    end = time.monotonic() + patience
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, what
        pause.wait(EVERY)
