"""
``held``: a small file against many held profiles, held against one scan of what is mapped.

What is held is seeded by writing state. Run as ``python -m benchmarks.many_held CONFIG``, it is
the scan: the key and the mapped columns of all that is held, each value looked at once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks import printing, rows
from benchmarks.measuring import Cost, child
from benchmarks.place import Place, place
from exchanger.app.wiring import open_context
from exchanger.config.loading.load import load_config
from exchanger.profiles.frames.columns import EXISTS, PROFILE
from exchanger.state.store import open_state

FIELDS = 20
CHANGED = 10_000
AT_ONCE = 250_000


def report(held: int) -> None:
    """Measure and print."""
    ours, scan = measure(held)
    lines = [
        [name, printing.seconds(cost.cpu), printing.seconds(cost.seconds), memory]
        for name, cost, memory in (
            (f"a run of {CHANGED:,} changed profiles", ours, printing.mebibytes(ours.memory)),
            ("a scan of the key and the mapped columns", scan, printing.mebibytes(scan.memory)),
        )
    ]
    ratio = printing.times(ours.cpu / scan.cpu)
    lines.append(["**ratio**", ratio, printing.times(ours.seconds / scan.seconds), ""])
    columns = ["held", "CPU", "clock", "peak memory"]
    printing.table(f"held, {held:,} profiles of {FIELDS} fields", columns, lines)


def measure(held: int) -> tuple[Cost, Cost]:
    """
    Run an import against so many held profiles, and scan them, each in its own process.

    Returns:
        The cost of both; the time of the scan is that of scanning alone.
    """
    with place() as there:
        there.configure(benchmark=rows.import_job(FIELDS))
        config = load_config(there.config, os.environ)
        with open_context(config, "main") as context:
            values = open_state(context.bucket, context.state_prefix).held
            values.deliver_all(lambda: _held(held), seq=1, at=datetime.now(UTC))
        _drop(there, held)
        ours = there.run("benchmark")
        if (ours.said["rows_read"], ours.said["profiles_updated"]) != (CHANGED, CHANGED):
            raise RuntimeError(f"not the run that was meant: {ours.said}")
        scanned = child(["-m", "benchmarks.many_held", str(there.config)])
        said = scanned.said
        return ours, replace(scanned, seconds=said["seconds"], cpu=said["cpu"])


def scan(config_path: Path) -> None:
    """Look at every value once, and print what it took as JSON."""
    config = load_config(config_path, os.environ)
    job = next(iter(config.jobs.values()))
    with open_context(config, "main") as context:
        began, cpu = time.perf_counter(), time.process_time()
        held = context.bucket.table(context.state_prefix + "held/").scan()
        if held is None:
            raise RuntimeError("nothing is held")
        mapped = held.select(pl.col("profile", *job.fields).str.len_bytes().sum())
        seen = mapped.collect(engine="streaming")
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "bytes": sum(seen.row(0))}))


def _held(count: int) -> Iterator[pl.DataFrame]:
    for first in range(0, count, AT_ONCE):
        frame = rows.profiles(min(AT_ONCE, count - first), FIELDS, first=first)
        values = frame.select(
            pl.struct(name).struct.json_encode().str.slice(len(name) + 4).str.head(-1).alias(name)
            for name in frame.columns[1:]
        )
        yield values.select(frame["id"].alias(PROFILE), pl.lit(value=True).alias(EXISTS), pl.all())


def _drop(there: Place, held: int) -> None:
    """Put a file of profiles that are held, evenly spread, each with other values."""
    every = held // CHANGED
    parts = [
        rows.profiles(AT_ONCE, FIELDS, first=first).gather_every(every)
        for first in range(0, held, AT_ONCE)
    ]
    few = rows.changed(pl.concat(parts).head(CHANGED), 1.0)
    there.drop("inbox/few.parquet", rows.write(few, there.folder / "few.parquet"))


if __name__ == "__main__":
    scan(Path(sys.argv[1]))
