"""``import``: whole runs of the command line; first load, nothing changed, a little changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from benchmarks import delivery, printing, rows
from benchmarks.measuring import Cost, child
from benchmarks.place import Place, place

FORMATS = ("parquet", "csv")


@dataclass(frozen=True)
class Run:
    """
    One run of an import.

    Args:
        what: Of which file.
        given: Rows in it.
        cost: Of the process.
        braze: CPU share of the null Braze while it was sent to.
        store: CPU share of the local S3 during the run.
        reading: Of reading both sides, where that was measured.
    """

    what: str
    given: int
    cost: Cost
    braze: float
    store: float
    reading: Cost | None = None


def runs(there: Place, count: int, kind: str) -> Iterator[Run]:
    """Load profiles, then give them again unchanged, then with 1 % changed."""
    there.renew()
    there.configure(benchmark=rows.import_job())
    frame = rows.profiles(count)
    yield _run(there, "first load", frame, kind, expected=count)
    # What was sent for the first time is read back once, which would count for the next run.
    there.run("benchmark")
    # A later row that says the same would be the same file, and no news.
    yield _run(there, "unchanged", frame.reverse(), kind, expected=0)
    yield _run(there, "1 % changed", rows.changed(frame, 0.01), kind, expected=-(-count // 100))


def _run(there: Place, what: str, frame: pl.DataFrame, kind: str, *, expected: int) -> Run:
    name = f"{what.replace(' ', '-').replace('%', 'percent')}.{kind}"
    key = f"inbox/{name}"
    there.drop(key, rows.write(frame, there.folder / name))
    reading = None
    if what != "first load":
        reading = child(["-m", "benchmarks.comparing", str(there.config), key])
    there.seen()
    before = there.store.cpu()
    cost = there.run("benchmark")
    share = (there.store.cpu() - before) / cost.seconds
    stats = there.seen()
    if (stats["objects"], cost.said["rows_read"]) != (expected, frame.height):
        raise RuntimeError(f"{what}: {stats['objects']} objects instead of {expected}")
    there.client.delete_object(Bucket=there.bucket, Key=key)
    return Run(what, frame.height, cost, stats["share"], share, reading)


def report(count: int, formats: tuple[str, ...] = FORMATS, *, paced: bool = False) -> None:
    """Measure and print."""
    lines = []
    with place(paced=paced) as there:
        path = delivery.objects(count, there.folder / "objects.parquet")
        top = delivery.ceiling(there, path)
        for kind in formats:
            lines += [_line(kind, run, top.seconds) for run in runs(there, count, kind)]
    title = f"import, {count:,} profiles of {rows.FIELDS} fields; ceiling {_rate(count, top)}"
    columns = [
        "import",
        "rows/s",
        "of the ceiling",
        "times reading both sides",
        "CPU per row",
        "null Braze, cores",
        "local S3, cores",
        "peak memory",
    ]
    printing.table(title, columns, lines)


def _rate(count: int, top: delivery.Delivery) -> str:
    return f"{printing.count(count / top.seconds)} profiles/s"


def _line(kind: str, run: Run, ceiling: float) -> list[str]:
    cost, reading = run.cost, run.reading
    return [
        f"{kind}, {run.what}",
        printing.count(run.given / cost.seconds),
        printing.times(ceiling / cost.seconds) if run.what == "first load" else "",
        printing.times(cost.seconds / reading.seconds) if reading else "",
        printing.micros(cost.cpu / run.given),
        printing.times(run.braze),
        printing.times(run.store),
        printing.mebibytes(cost.memory),
    ]
