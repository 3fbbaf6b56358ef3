"""
``events``: objects that count each time they are sent, and so are sent once.

How fast events and purchases leave, held against attributes; and what it takes to tell which rows
of a file were taken up before, held against reading the file and the ids that were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks import delivery, printing, rows
from benchmarks.measuring import Cost, child
from benchmarks.place import Place, place
from exchanger.braze.endpoints import ATTRIBUTES, EVENTS, PURCHASES, Endpoint
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.profiles.frames.columns import ENDPOINT, ITEM, OBJECT, POINTS

PROPERTIES = rows.FIELDS
BEGAN = datetime(2026, 9, 1, tzinfo=UTC)
JOB = {
    "type": "import",
    "object": "events",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "event": {
        "name": "Bought",
        "time": "at",
        "properties": {f"f{number:02}": f"f{number:02}" for number in range(PROPERTIES)},
    },
    "row_id": "row",
}


@dataclass(frozen=True)
class Recognised:
    """
    A file of rows of which some were taken up before.

    Args:
        reading: Reading the file and the ids that were taken up, and no more.
        plan: Telling which are new, and how they would be sent.
        run: The run, which sends these.
        again: A run of the same rows, all of them taken up by then.
    """

    reading: Cost
    plan: Cost
    run: Cost
    again: Cost


def events(count: int) -> pl.DataFrame:
    """Make rows of events, each by its own name and of another person."""
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    at = pl.lit(BEGAN) + pl.duration(milliseconds=number)
    row = pl.format("row-{}", number.cast(pl.String).str.zfill(9))
    return rows.profiles(count, PROPERTIES).with_columns(at.alias("at"), row.alias("row"))


def report(count: int) -> None:
    """Measure and print."""
    _report_sending(sending(count), count)
    _report_recognising(recognising(count), count)


def sending(count: int, repeats: int = 3) -> dict[str, delivery.Delivery]:
    """Deliver as many attributes, events and purchases in turns; of each the best."""
    with place() as there:
        paths = {
            endpoint.name: _objects(endpoint, count, there.folder / f"{endpoint.name}.parquet")
            for endpoint in (ATTRIBUTES, EVENTS, PURCHASES)
        }
        turns = [
            {name: delivery.delivered(there, path) for name, path in paths.items()}
            for _ in range(repeats)
        ]
    return {name: delivery.best([turn[name] for turn in turns]) for name in paths}


def recognising(count: int) -> Recognised:
    """Plan and run a file of rows, every other one of which another file had before."""
    with place() as there:
        there.configure(benchmark=JOB)
        frame = events(count)
        before = frame.gather_every(2)
        _drop(there, "before", before)
        _run(there, repeated=0, sent=before.height)
        key = _drop(there, "half", frame)
        reading = child(["-m", "benchmarks.comparing", str(there.config), key])
        plan = there.call("plan", "benchmark", "--json", "--log-level", "error")
        run = _run(there, repeated=before.height, sent=count - before.height)
        _drop(there, "again", frame.reverse())  # In the same order it would be the same file.
        return Recognised(reading, plan, run, _run(there, repeated=count, sent=0))


def _drop(there: Place, name: str, frame: pl.DataFrame) -> str:
    key = f"inbox/{name}.parquet"
    there.drop(key, rows.write(frame, there.folder / f"{name}.parquet"))
    return key


def _run(there: Place, *, repeated: int, sent: int) -> Cost:
    there.seen()
    cost = there.run("benchmark")
    found = cost.said["rows_repeated"], int(there.seen()["objects"])
    if found != (repeated, sent):
        raise RuntimeError(f"{found} rows repeated and objects sent, not {repeated, sent}")
    return cost


def _objects(endpoint: Endpoint, count: int, path: Path) -> Path:
    """Write what delivery reads of an outbox: the same values, as what the endpoint takes."""
    frame = events(count)
    values = pl.struct(f"f{number:02}" for number in range(PROPERTIES)).alias("properties")
    person, at = pl.col("id").alias("external_id"), pl.col("at").dt.to_string("iso:strict")
    members = {
        ATTRIBUTES.name: [person, pl.col("^f..$")],
        EVENTS.name: [person, pl.lit("Bought").alias("name"), at.alias("time"), values],
        PURCHASES.name: [
            person,
            pl.col("row").alias("product_id"),
            pl.lit("EUR").alias("currency"),
            pl.lit(9.99).alias("price"),
            at.alias("time"),
            values,
        ],
    }[endpoint.name]
    text = frame.select(pl.struct(members).struct.json_encode().alias(OBJECT))
    beside = pl.lit(endpoint.name).alias(ENDPOINT), pl.lit(1, pl.UInt32).alias(POINTS)
    writer = FrameWriter(path)
    writer.append(text.with_row_index(ITEM).with_columns(beside))
    writer.close()
    return path


def _report_sending(ways: dict[str, delivery.Delivery], count: int) -> None:
    base = ways[ATTRIBUTES.name]
    lines = [
        [
            name,
            printing.count(count / way.seconds),
            printing.times(base.seconds / way.seconds),
            printing.times(base.cpu / way.cpu),
            printing.micros(way.cpu / count),
            printing.times(way.braze),
        ]
        for name, way in ways.items()
    ]
    columns = [
        "send",
        "objects/s",
        "of attributes, clock",
        "of attributes, CPU",
        "CPU per object",
        "null Braze, cores",
    ]
    printing.table(f"events, sending {count:,} objects of {PROPERTIES} values", columns, lines)


def _report_recognising(found: Recognised, count: int) -> None:
    base = found.reading
    lines = [
        [
            name,
            printing.seconds(cost.cpu),
            printing.seconds(cost.seconds),
            printing.times(cost.cpu / base.cpu),
            printing.times(cost.seconds / base.seconds),
            printing.mebibytes(cost.memory),
        ]
        for name, cost in (
            ("reading the file and the ids that were taken up", base),
            ("plan, half of the rows taken up before", found.plan),
            ("run, which sends the other half", found.run),
            ("run, all rows taken up before", found.again),
        )
    ]
    columns = [
        "recognise",
        "CPU",
        "clock",
        "times reading both sides, CPU",
        "times reading both sides, clock",
        "peak memory",
    ]
    printing.table(f"events, {count:,} rows with a row_id", columns, lines)
