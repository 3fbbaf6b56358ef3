"""``export``: a segment of Braze becomes a Parquet dataset, against reading its lines alone."""

from __future__ import annotations

import gzip
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks import printing, rows
from benchmarks.measuring import Cost, child
from benchmarks.null_braze import EXPORT, SEGMENT
from benchmarks.place import Place, place

USERS_PER_FILE = 5_000
"""As Braze does (braze-api.md 4.4)."""
JOB = {
    "type": "export",
    "segment": "everybody",
    "fields": {"external_id": "external_id"},
    "remaining_fields": {"prefix": ""},
    "target": {"prefix": "exports/", "format": "parquet"},
    "completion": {"quiet": "1s", "poll": "1s", "confirm": False},
    "raw": "keep",
}


def fill(there: Place, count: int) -> list[Path]:
    """Put the files of an export where Braze would; they stay on this machine as well."""
    frame = rows.profiles(count)
    named = frame.select(
        pl.col("id").alias("external_id"),
        pl.format("braze-{}", "id").alias("braze_id"),
        pl.struct(pl.exclude("id")).alias("custom_attributes"),
    )
    text = named.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    day = datetime.now(UTC).date().isoformat()
    paths = []
    for number, part in enumerate(text.to_frame().iter_slices(USERS_PER_FILE)):
        path = there.folder / f"{number:05}.gz"
        path.write_bytes(gzip.compress("\n".join(part.to_series().to_list()).encode(), 1, mtime=0))
        there.drop(f"segment-export/{SEGMENT}/{day}/{EXPORT}/{path.name}", path)
        paths.append(path)
    return paths


def measure(count: int) -> tuple[Cost, Cost, Cost]:
    """
    Export twice, and read the same lines with polars alone, each in a process of its own.

    The first run also remembers what Braze holds; a later one does so only where imports run.
    """
    with place() as there:
        there.configure(benchmark=JOB)
        fill(there, count)
        first, later = there.run("benchmark"), there.run("benchmark")
        for cost in (first, later):
            if cost.said["rows_written"] != count:
                raise RuntimeError(f"{cost.said['rows_written']} rows instead of {count}")
        return first, later, child(["-m", "benchmarks.exports", str(there.folder)])


def report(count: int) -> None:
    """Measure and print, a quarter of the profiles first: memory is to stay the same."""
    _, quarter, _ = measure(count // 4)
    first, later, plain = measure(count)
    columns = ["export", "profiles/s", "CPU per profile", "peak memory"]
    lines = [
        [
            name,
            printing.count(some / cost.seconds),
            printing.micros(cost.cpu / some),
            printing.mebibytes(cost.memory),
        ]
        for name, some, cost in (
            ("first export, which also remembers what Braze holds", count, first),
            ("later export", count, later),
            ("later export of a quarter of the profiles", count // 4, quarter),
            ("polars reads and writes the lines, each user once", count, plain),
        )
    ]
    lines.append(["**ratio of CPU, later export**", printing.times(later.cpu / plain.cpu), "", ""])
    printing.table(f"export, {count:,} profiles of {rows.FIELDS} custom attributes", columns, lines)


def read_plainly(folder: Path) -> None:
    """Read all lines at once as polars infers them, each user once, and write them as Parquet."""
    began = time.perf_counter()
    lines = b"\n".join(gzip.decompress(path.read_bytes()) for path in sorted(folder.glob("*.gz")))
    users = pl.read_ndjson(lines).unnest("custom_attributes")
    once = users.unique("braze_id", keep="first", maintain_order=True)
    once.write_parquet(folder / "plain.parquet")
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    read_plainly(Path(sys.argv[1]))
