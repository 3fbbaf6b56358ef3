"""
``files``: what it costs that rows come in many small files rather than in one.

A file costs a request and a look at it, whatever is in it. What must not be is a cost that grows
with the number of files: twice as many of them take twice as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import printing, rows
from benchmarks.measuring import Cost
from benchmarks.place import Place, place

PER_FILE = 100
FIELDS = 6
COUNTS = (200, 1_000)
OF_ONE_ROW = (1_000, 10_000)


@dataclass(frozen=True)
class Measured:
    """
    A run over many files, and one over the same rows in a single file.

    Args:
        files: How many files there were.
        many: What the run over them cost.
        one: What the run over one file cost.
        requests: Requests to S3 of the first beyond those of the second, for each file.
    """

    files: int
    many: Cost
    one: Cost
    requests: float

    @property
    def ratio(self) -> float:
        """CPU of many files over that of one."""
        return self.many.cpu / self.one.cpu


def report(*counts: int) -> None:
    """Measure runs over so many files of 100 rows each, and of a single row, and print."""
    with place() as there:
        for of_rows, usual in ((PER_FILE, COUNTS), (1, OF_ONE_ROW)):
            _print(of_rows, [measure(there, count, of_rows) for count in counts or usual])


def _print(per_file: int, found: Sequence[Measured]) -> None:
    lines = [
        [
            printing.count(one.files),
            printing.seconds(one.many.cpu),
            printing.seconds(one.one.cpu),
            printing.times(one.ratio),
            printing.micros((one.many.cpu - one.one.cpu) / one.files),
            printing.micros((one.many.seconds - one.one.seconds) / one.files),
            f"{one.requests:.2f}",
            printing.mebibytes(one.many.memory),
        ]
        for one in found
    ]
    columns = ["files", "CPU", "in one file", "ratio", "CPU per file", "time per file", "requests"]
    printing.table(f"many files, {per_file} rows each, in CSV", [*columns, "peak memory"], lines)


def measure(there: Place, files: int, per_file: int = PER_FILE, repeats: int = 1) -> Measured:
    """Run over so many files, and over the same rows in one; the best of each counts."""
    rows_in_all = files * per_file
    rounds = [
        (_run(there, rows_in_all, files), _run(there, rows_in_all, 1)) for _ in range(repeats)
    ]
    (many, of_many), (one, of_one) = (min(runs, key=_cpu) for runs in zip(*rounds, strict=True))
    return Measured(files, many, one, (of_many - of_one) / files)


def _cpu(run: tuple[Cost, int]) -> float:
    return run[0].cpu


def _run(there: Place, count: int, files: int) -> tuple[Cost, int]:
    """Drop so many rows in some files, and run; also counts the requests to S3."""
    there.renew()
    there.configure(benchmark=rows.import_job(FIELDS))
    frame = rows.profiles(count, FIELDS)
    for number, part in enumerate(frame.iter_slices(frame.height // files)):
        path = rows.write(part, there.folder / f"part-{number:05}.csv")
        there.drop(f"inbox/{path.name}", path)
        path.unlink()
    before = there.requests()
    cost = there.run("benchmark")
    asked = there.requests() - before
    if cost.said["rows_read"] != frame.height:
        raise RuntimeError(f"{cost.said['rows_read']} rows instead of {frame.height}")
    return cost, asked
