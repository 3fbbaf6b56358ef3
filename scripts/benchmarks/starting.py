"""``startup``, ``idle`` and ``jobs``: what it costs to begin, to wait, and to do a little often."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import printing, rows
from benchmarks.measuring import Cost, child, cpu_of, memory_of
from benchmarks.place import Place, place
from exchanger.app.wiring import open_context
from exchanger.config.loading.load import load_config
from exchanger.state.store import open_state

REPEATS = 7
SETTLED = 5.0
"""Seconds after which a daemon has started, or has ended what it does after a run."""
WATCHED = 20.0
EVERY = "10s"
FEW_ROWS = 2


def help_seconds() -> tuple[float, float]:
    """Measure ``exchanger --help`` and an empty Python: the best of several, in CPU seconds."""
    ours = min(child(["-m", "exchanger", "--help"]).cpu for _ in range(REPEATS))
    bare = min(child(["-c", "pass"]).cpu for _ in range(REPEATS))
    return ours, bare


def small_run() -> tuple[Cost, Cost]:
    """Measure a run of a file of two rows, and a look that finds nothing: the best of several."""
    with place() as there:
        there.configure(benchmark=rows.import_job())
        took = []
        for number in range(REPEATS):
            _drop(there, "inbox", number)
            took.append(there.run("benchmark"))
        looks = [there.run("benchmark") for _ in range(REPEATS)]
    return min(took, key=_cpu), min(looks, key=_cpu)


def _cpu(cost: Cost) -> float:
    return cost.cpu


def _drop(there: Place, folder: str, number: int) -> None:
    frame = rows.profiles(FEW_ROWS, seed=number, first=number * FEW_ROWS)
    path = rows.write(frame, there.folder / f"{folder}-{number}.csv")
    there.drop(f"{folder}/{path.name}", path)


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
    lines = [line]
    named = zip(
        ("a run of a file of two rows", "a run with nothing to do"), small_run(), strict=True
    )
    for name, cost in named:
        shown = [printing.seconds(one) for one in (cost.cpu, cost.seconds, bare)]
        lines.append([name, *shown, printing.times(cost.cpu / bare)])
    printing.table("startup", columns, lines)


def many_jobs(count: int) -> tuple[float, float]:
    """
    Let a daemon do many small jobs, each with a file of two rows.

    Returns:
        Seconds and CPU seconds of a run: those of the daemon and all that it began, without those
        of the same daemon with nothing to do.
    """
    with place() as there:
        jobs = {
            f"job{number:04}": rows.import_job(schedule={"every": EVERY})
            | {"source": {"prefix": f"inbox{number:04}/"}}
            for number in range(count)
        }
        there.configure(**jobs)
        for number in range(count):
            _drop(there, f"inbox{number:04}", number)
        config = load_config(there.config, os.environ)
        with open_context(config, "main") as context:
            runs = open_state(context.bucket, context.state_prefix).runs
            began = time.perf_counter()
            daemon = _begin_daemon(there)
            while (newest := runs.newest()) is None or newest.document.seq < count:
                time.sleep(0.5)
            while runs.read(count).document.state != "settled":
                time.sleep(0.1)
            seconds = time.perf_counter() - began
            daemon.send_signal(signal.SIGTERM)
            used = os.wait4(daemon.pid, 0)[2]
            daemon.returncode = 0
    return seconds / count, (used.ru_utime + used.ru_stime) / count


def report_jobs(count: int) -> None:
    """Measure and print."""
    seconds, cpu = many_jobs(count)
    bare = min(child(["-c", "pass"]).cpu for _ in range(REPEATS))
    line = [
        f"{count} jobs",
        *map(printing.seconds, (cpu, seconds, bare)),
        printing.times(cpu / bare),
    ]
    columns = ["many small jobs, per run", "CPU", "clock", "an empty Python", "ratio"]
    printing.table("jobs", columns, [line])


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
    with _begin_daemon(there) as daemon:
        try:
            yield daemon
        finally:
            daemon.send_signal(signal.SIGTERM)


def _begin_daemon(there: Place) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "exchanger", "daemon", "--config", str(there.config)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own command


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
