"""
``growth``: whether a run costs more because there were runs and files before it.

Earlier ones are seeded by writing state: as many run documents, applied files and finished runs
as wanted, the tables in as many commits as a few days would make.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks import printing, rows
from benchmarks.measuring import Cost
from benchmarks.place import Place, place
from exchanger.app.wiring import open_context
from exchanger.config.loading.load import load_config
from exchanger.jobs.runtime.recognition import establish
from exchanger.jobs.runtime.report import FileReport, RunReport, new_run_id
from exchanger.state.runs.log import ClaimedFile, RunDocument
from exchanger.state.store import ConnectionState, open_state

COMMITS = 50
EVERY = timedelta(minutes=5)
"""Between two earlier runs."""
FEW = 100
ROWS = 1_000
"""Of the run that is measured."""


@dataclass(frozen=True)
class Grown:
    """The cost of a small run after so many others, and of a listing of the last ones."""

    earlier: int
    cost: Cost
    listing: Cost


def report(earlier: int) -> None:
    """Measure a run after 100 others and after *earlier* others, and print."""
    few, many = measure(FEW), measure(earlier)
    for what, costs in (
        (f"a run of {ROWS:,} profiles", (few.cost, many.cost)),
        ("runs --latest", (few.listing, many.listing)),
    ):
        lines = [
            [
                f"after {number:,} runs and files",
                printing.seconds(cost.cpu),
                printing.seconds(cost.seconds),
                printing.mebibytes(cost.memory),
            ]
            for number, cost in zip((few.earlier, many.earlier), costs, strict=True)
        ]
        less, more = costs
        ratio = [printing.times(more.cpu / less.cpu), printing.times(more.seconds / less.seconds)]
        lines.append(["**ratio**", *ratio, ""])
        printing.table(f"growth, {what}", ["growth", "CPU", "clock", "peak memory"], lines)


def measure(earlier: int) -> Grown:
    """Seed so many runs, and measure one more, and a listing: the best of three each."""
    with place() as there:
        there.configure(benchmark=rows.import_job())
        config = load_config(there.config, os.environ)
        with open_context(config, "main") as context:
            state = open_state(context.bucket, context.state_prefix)
            establish(context, state)
            seed(state, earlier)
        costs = [_one_more(there, number) for number in range(3)]
        listed = [there.call("runs", "--latest", "--json") for _ in range(3)]
    return Grown(earlier, _least(costs), _least(listed))


def _least(costs: list[Cost]) -> Cost:
    return min(costs, key=lambda cost: cost.cpu)


def seed(state: ConnectionState, earlier: int) -> None:
    """Write the state that so many runs of one file each leave behind."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seq: state.runs.create(_document(seq)), range(1, earlier + 1)))
    step = -(-earlier // COMMITS)
    for first in range(1, earlier + 1, step):
        last = min(first + step, earlier + 1) - 1
        documents = [_document(seq) for seq in range(first, last + 1)]
        files = [file for document in documents for file in document.files]
        state.file_ledger.record("benchmark", files, seq=last)
        state.run_index.record_all((document.report for document in documents), seq=last)


def _document(seq: int) -> RunDocument:
    arrived = datetime(2025, 1, 1, tzinfo=UTC) + seq * EVERY
    file = _file(seq, arrived)
    run_id = new_run_id("benchmark", arrived)
    report = RunReport(run_id=run_id, job="benchmark", started_at=arrived, seq=seq)
    report.state, report.finished_at = "succeeded", arrived + timedelta(seconds=9)
    report.rows_read = report.rows_applied = ROWS
    report.files = [FileReport(file.key, file.outcome, file.rows)]
    return RunDocument(
        seq=seq,
        run_id=report.run_id,
        job="benchmark",
        state="settled",
        nonce=f"{seq:016x}",
        counter=1,
        created_at=arrived.isoformat(),
        files=(file,),
        report=report.to_dict(),
    )


def _file(seq: int, arrived: datetime) -> ClaimedFile:
    """Name a file as people's exports do: names begin alike, checksums do not."""
    key = f"inbox/crm/{arrived:%Y/%m/%d}/profiles_{arrived:%Y%m%dT%H%M%S}_part-{seq:05}.parquet"
    content = hashlib.sha256(key.encode()).hexdigest()
    return ClaimedFile(key, content[:32], content, "applied", ROWS, sums=("points", "spent"))


def _one_more(there: Place, number: int) -> Cost:
    frame = rows.profiles(ROWS, seed=rows.SEED + number)
    path = rows.write(frame, there.folder / f"more-{number}.parquet")
    there.drop(f"inbox/{path.name}", path)
    cost = there.run("benchmark")
    if cost.said["rows_read"] != ROWS:
        raise RuntimeError(f"{cost.said['rows_read']} rows instead of {ROWS}")
    return cost
