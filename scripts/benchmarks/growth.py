"""
``growth``: whether a run costs more because there were runs and files before it.

Earlier ones are seeded by writing state: as many run documents, applied files and finished runs
as wanted, the tables in as many commits as a few days would make.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks import printing, rows
from benchmarks.measuring import Cost
from benchmarks.place import Place, place
from exchanger.cli.wiring import open_world
from exchanger.config.loading import load_config
from exchanger.jobs.report import RunReport
from exchanger.state.connection import ConnectionState, open_state
from exchanger.state.runs import ClaimedFile, RunDocument

COMMITS = 50
ROWS = 1_000
"""Of the run that is measured."""


@dataclass(frozen=True)
class Grown:
    """The cost of a small run after so many others, and the requests to S3 that it made."""

    earlier: int
    cost: Cost


def report(earlier: int) -> None:
    """Measure a run after 10 others and after *earlier* others, and print."""
    few, many = measure(10), measure(earlier)
    lines = [
        [
            f"after {grown.earlier:,} runs and files",
            printing.seconds(grown.cost.cpu),
            printing.seconds(grown.cost.seconds),
            printing.mebibytes(grown.cost.memory),
        ]
        for grown in (few, many)
    ]
    ratio = printing.times(many.cost.cpu / few.cost.cpu)
    lines.append(["**ratio**", ratio, printing.times(many.cost.seconds / few.cost.seconds), ""])
    columns = ["growth", "CPU", "clock", "peak memory"]
    printing.table(f"growth, a run of {ROWS:,} profiles", columns, lines)


def measure(earlier: int) -> Grown:
    """Seed so many runs, and measure one more: the best of three."""
    with place() as there:
        there.configure(benchmark=rows.import_job())
        config = load_config(there.config, os.environ)
        with open_world(config, "main") as world:
            seed(open_state(world.bucket, world.state_prefix), earlier)
        costs = [_one_more(there, number) for number in range(3)]
    return Grown(earlier, min(costs, key=lambda cost: cost.cpu))


def seed(state: ConnectionState, earlier: int) -> None:
    """Write the state that so many runs of one file each leave behind."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seq: state.runs.create(_document(seq)), range(1, earlier + 1)))
    step = -(-earlier // COMMITS)
    for first in range(1, earlier + 1, step):
        last = min(first + step, earlier + 1) - 1
        files = [file for seq in range(first, last + 1) for file in _document(seq).files]
        state.applied.record("benchmark", files, seq=last)
        state.finished.record(_document(last).report)


def _document(seq: int) -> RunDocument:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    report = RunReport(run_id=f"seeded-{seq}", job="benchmark", started_at=now, seq=seq)
    report.state, report.finished_at = "succeeded", now
    return RunDocument(
        seq=seq,
        run_id=report.run_id,
        job="benchmark",
        state="settled",
        nonce=f"{seq:016x}",
        counter=1,
        created_at=now.isoformat(),
        files=(ClaimedFile(f"inbox/{seq}.parquet", f"{seq:032x}", f"{seq:064x}", "applied", 1),),
        report=report.to_json(),
    )


def _one_more(there: Place, number: int) -> Cost:
    frame = rows.profiles(ROWS, seed=rows.SEED + number)
    path = rows.write(frame, there.folder / f"more-{number}.parquet")
    there.drop(f"inbox/{path.name}", path)
    cost = there.run("benchmark")
    if cost.said["rows_read"] != ROWS:
        raise RuntimeError(f"{cost.said['rows_read']} rows instead of {ROWS}")
    return cost
