"""``startup`` and ``idle``: what it costs to begin, and to wait."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from benchmarks import printing, rows
from benchmarks.measuring import child, cpu_of, memory_of
from benchmarks.place import place

REPEATS = 7
SETTLED = 5.0
"""Seconds after which a daemon has started."""
WATCHED = 20.0


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
        command = [sys.executable, "-m", "exchanger", "daemon", "--config", str(there.config)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as daemon:  # noqa: S603 - our own command
            time.sleep(SETTLED)
            before = cpu_of(daemon.pid)
            time.sleep(WATCHED)
            share = (cpu_of(daemon.pid) - before) / WATCHED
            memory = memory_of(daemon.pid)
            daemon.send_signal(signal.SIGTERM)
    return memory, share


def report_idle() -> None:
    """Measure and print."""
    memory, share = idle()
    line = ["daemon", printing.mebibytes(memory), f"{share:.2%}"]
    printing.table("idle", ["idle", "memory", "CPU of a core"], [line])
