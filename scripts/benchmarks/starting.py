"""``startup`` and ``idle``: what it costs to begin, and to wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import printing, rows
from benchmarks.measuring import child, cpu_of, memory_of
from benchmarks.place import Place, place
from exchanger.app.wiring import open_context
from exchanger.config.loading.load import load_config
from exchanger.state.store import open_state

REPEATS = 7
SETTLED = 5.0
"""Seconds after which a daemon has started, or has ended what it does after a run."""
WATCHED = 20.0
EVERY = "10s"


def help_seconds() -> tuple[float, float]:
    """Measure ``exchanger --help`` and an empty Python: the best of several, in CPU seconds."""
    ours = min(child(["-m", "exchanger", "--help"]).cpu for _ in range(REPEATS))
    bare = min(child(["-c", "pass"]).cpu for _ in range(REPEATS))
    return ours, bare


def report_startup() -> None:
    """Measure and print."""
    ours, bare = help_seconds()
    clock = min(child(["-m", "exchanger", "--help"]).seconds for _ in range(REPEATS))
    columns = ["startup", "CPU", "clock", "an empty Python", "ratio"]
    line = [
        "exchanger --help",
        printing.seconds(ours),
        printing.seconds(clock),
        printing.seconds(bare),
        printing.times(ours / bare),
    ]
    printing.table("startup", columns, [line])


def idle() -> tuple[int, float]:
    """
    Watch a daemon that has nothing to do.

    Returns:
        Bytes of memory, and the CPU share of a core.
    """
    with place() as there:
        never = {"cron": "0 0 29 2 *", "timezone": "UTC"}
        there.configure(benchmark=rows.import_job(schedule=never))
        with _daemon(there) as daemon:
            return _watched(daemon)


def idle_afterwards(count: int) -> tuple[int, float]:
    """Watch a daemon that has run an import of so many profiles, and looks for more."""
    with place() as there:
        there.configure(benchmark=rows.import_job(schedule={"every": EVERY}))
        there.drop("inbox/a.parquet", rows.write(rows.profiles(count), there.folder / "a.parquet"))
        config = load_config(there.config, os.environ)
        with open_context(config, "main") as context, _daemon(there) as daemon:
            runs = open_state(context.bucket, context.state_prefix).runs
            while (newest := runs.newest()) is None or newest.document.state != "settled":
                time.sleep(1)
            return _watched(daemon)


@contextmanager
def _daemon(there: Place) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "exchanger", "daemon", "--config", str(there.config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as daemon:  # noqa: S603 - our own command
        try:
            yield daemon
        finally:
            daemon.send_signal(signal.SIGTERM)


def _watched(daemon: subprocess.Popen[bytes]) -> tuple[int, float]:
    time.sleep(SETTLED)
    before = cpu_of(daemon.pid)
    time.sleep(WATCHED)
    return memory_of(daemon.pid), (cpu_of(daemon.pid) - before) / WATCHED


def report_idle(count: int) -> None:
    """Measure and print."""
    named = {
        "a daemon with nothing to do": idle(),
        f"after a run of {count:,} profiles, looking every {EVERY}": idle_afterwards(count),
    }
    lines = [
        [name, printing.mebibytes(memory), f"{share:.2%}"]
        for name, (memory, share) in named.items()
    ]
    printing.table("idle", ["idle", "memory", "CPU of a core"], lines)
