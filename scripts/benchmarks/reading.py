"""
``read``: from a file on this machine to the plan of a run, against reading and casting it alone.

Run as ``python -m benchmarks.reading FILE``: both are done in turn in one process, so that a busy
machine disturbs them alike. Nothing is held of any profile, and nothing goes to S3.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from benchmarks import printing, rows
from benchmarks.measuring import child
from exchanger.config.models import ImportJob
from exchanger.files.formats.read import RawTable, read_table
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.reading.alike import raw_columns
from exchanger.profiles.frames.columns import EXISTS, FILE, PROFILE
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.planning.part import PartInput, PlanOptions, plan_part
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows

FORMATS = ("parquet", "csv")
_TURNS = 5
_CLOCK = "%Y-%m-%dT%H:%M:%S"


def report(count: int) -> None:
    """Measure and print."""
    lines = []
    with TemporaryDirectory(prefix="bench-") as folder:
        for kind in FORMATS:
            path = rows.write(rows.mixed(count, listed=kind != "csv"), Path(folder) / f"in.{kind}")
            cost = child(["-m", "benchmarks.reading", str(path)])
            took = cost.said
            lines.append(
                [
                    kind,
                    printing.micros(took["ours"] / count),
                    printing.micros(took["plain"] / count),
                    printing.times(took["ours"] / took["plain"]),
                    printing.mebibytes(cost.memory),
                ]
            )
    columns = ["read and plan", "CPU per row", "polars alone", "times", "peak memory of both"]
    printing.table(f"read, {count:,} rows of {rows.MIXED} mixed columns", columns, lines)


def main() -> None:
    """Read in turn, and print the best CPU seconds of each as JSON."""
    path = Path(sys.argv[1])
    plain, ours = [], []
    for _ in range(_TURNS):
        plain.append(_cpu(lambda: _polars_alone(path)))
        ours.append(_cpu(lambda: _to_plan(path)))
    print(json.dumps({"plain": min(plain), "ours": min(ours)}))


def _cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _polars_alone(path: Path) -> pl.DataFrame:
    """Read a file, and give its columns the types that they have for us."""
    as_csv = path.suffix == ".csv"
    frame = pl.read_csv(path) if as_csv else pl.read_parquet(path)
    forms = {"seen": f"{_CLOCK}%.3fZ", "bought": f"{_CLOCK}Z", "updated": "%Y-%m-%d %H:%M:%S"}
    cast = [pl.col(name).str.to_datetime(form, time_unit="ms") for name, form in forms.items()]
    cast.append(pl.col("since").str.to_date("%Y-%m-%d"))
    if as_csv:
        cast += [pl.col("tags").str.split("|"), pl.col("amount").cast(pl.Decimal(14, 2))]
    return frame.with_columns(cast)


def _to_plan(path: Path) -> None:
    """Do what a run does with a file between fetching it and sending its plan."""
    listed = {"merge": "set", "type": "list", "split": "|"}
    fields = {name: {"merge": "set"} for name in rows.mixed(0).columns if name != "id"}
    match = [{"external_id": "id"}]
    fields["tags"] = listed if path.suffix == ".csv" else fields["tags"]
    told = {"type": "import", "source": {"prefix": "in/"}, "match": match, "fields": fields}
    job = ImportJob.model_validate(told)
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        FrameWriter(Path(folder) / "outbox") as outbox,
    ):
        table = read_table(path, path.name, job.source, scratch=Scratch(Path(folder)))
        settled = settle_rules(job, _columns(table, table.empty, whole=True), {})
        for piece in table.pieces():
            raw = _columns(table, piece)
            given = cast_rows(raw, settled.rules, job, 0, kept=settled.kept).frame
            nobody = pl.DataFrame(schema={PROFILE: pl.String, EXISTS: pl.Boolean})
            nothing = pl.DataFrame(schema={PROFILE: pl.String, FILE: pl.UInt32})
            part = PartInput(given, nothing, fold(given, settled.rules), nobody, nobody)
            options = PlanOptions(
                settled.rules, assume_empty=False, create_missing=True, plain=True
            )
            outbox.append(plan_part(part, options).outbox)
        outbox.close()


def _columns(table: RawTable, frame: pl.DataFrame, *, whole: bool = False) -> RawColumns:
    """Return rows of a table as its columns, or all of them piece by piece."""
    raw = raw_columns(table, frame, "in/file").at(0)
    return replace(raw, pieces=table.pieces) if whole else raw


if __name__ == "__main__":
    main()
