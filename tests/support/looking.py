"""Waiting for what another process does."""

import threading
import time

PATIENCE = 60.0
EVERY = 0.02
"""Seconds between two looks; looking all the time would hold up who is waited for."""


def until(condition, what="it did not happen", patience=PATIENCE):
    """Look until something is so."""
    end = time.monotonic() + patience
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, what
        pause.wait(EVERY)
