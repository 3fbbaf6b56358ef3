"""Contexts of tests: the outside of a connection, with what nearly every test takes for granted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from exchanger.app.messages.notes.words import in_words
from exchanger.jobs.runtime.context import JobContext
from exchanger.outside.clock import SystemClock


def job_context(bucket: Any, braze: Callable[[], Any], workdir: Path, **changes: Any) -> JobContext:
    """
    Return the context of a connection called main, at the pace of its defaults.

    Args:
        bucket: Its bucket.
        braze: Opens its workspace.
        workdir: A local folder for temporary files.
        changes: What is otherwise: the clock, the pace, the sizes.
    """
    usual = {
        "connection": "main",
        "state_prefix": "_exchanger/main/",
        "export_root": "segment-export",
        "clock": SystemClock(),
        "words": in_words,
    }
    return JobContext(bucket=bucket, braze=braze, workdir=workdir, **usual | changes)
