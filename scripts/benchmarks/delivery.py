"""``deliver``: sending an outbox, against posting the same bodies with the same HTTP client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from benchmarks import printing, rows
from benchmarks.measuring import Cost, child
from benchmarks.place import Place, place
from exchanger.braze.endpoints import ATTRIBUTES
from exchanger.files.scratch.frame_file import FrameWriter


@dataclass(frozen=True)
class Delivery:
    """
    One way of sending, at its best.

    Args:
        seconds: On the clock, for the sending alone.
        cpu: CPU seconds of the sender, for the sending alone.
        braze: CPU share of the null Braze meanwhile.
        cost: Of the entire process.
    """

    seconds: float
    cpu: float
    braze: float
    cost: Cost


def objects(count: int, path: Path) -> Path:
    """Write what delivery reads of the outbox of a first load of 10 fields."""
    frame = rows.profiles(count).rename({"id": "external_id"})
    text = frame.select(pl.struct(pl.all()).struct.json_encode().alias("@object"))
    writer = FrameWriter(path)
    beside = (
        pl.lit(ATTRIBUTES.name).alias("@endpoint"),
        pl.lit(rows.FIELDS, pl.UInt32).alias("@points"),
    )
    writer.append(text.with_row_index("@item").with_columns(beside))
    writer.close()
    return path


def ceiling(there: Place, path: Path) -> Delivery:
    """Post prebuilt bodies."""
    return _measured(there, ["-m", "benchmarks.posting", there.braze.url, str(path)])


def delivered(there: Place, path: Path) -> Delivery:
    """Deliver as an import does."""
    there.renew()
    there.configure(benchmark=rows.import_job())
    return _measured(there, ["-m", "benchmarks.delivering", str(there.config), str(path)])


def compare(count: int, repeats: int = 3) -> tuple[Delivery, Delivery]:
    """
    Measure both ways in turns.

    Returns:
        The ceiling and our own delivery, of each the best time and the best CPU: noise only ever
        adds.
    """
    with place() as there:
        path = objects(count, there.folder / "objects.parquet")
        pairs = [(ceiling(there, path), delivered(there, path)) for _ in range(repeats)]
    top, ours = zip(*pairs, strict=True)
    return best(top), best(ours)


def best(ways: Sequence[Delivery]) -> Delivery:
    """Choose the best time and the best CPU of several ways: noise only ever adds."""
    quickest = min(ways, key=lambda way: way.seconds)
    return replace(quickest, cpu=min(way.cpu for way in ways))


def report(count: int) -> None:
    """Measure and print."""
    top, ours = compare(count)
    line = [
        _line("prebuilt bodies", count, top),
        _line("deliver", count, ours),
        [
            "**ratio**",
            f"**{printing.times(top.seconds / ours.seconds)}**",
            printing.times(top.cpu / ours.cpu),
            "",
            "",
        ],
    ]
    columns = ["deliver", "profiles/s", "CPU per profile", "null Braze, cores", "peak memory"]
    printing.table(f"deliver, {count:,} profiles of 10 fields", columns, line)


def _line(name: str, count: int, way: Delivery) -> list[str]:
    return [
        name,
        printing.count(count / way.seconds),
        printing.micros(way.cpu / count),
        printing.times(way.braze),
        printing.mebibytes(way.cost.memory),
    ]


def _measured(there: Place, arguments: list[str]) -> Delivery:
    there.seen()
    cost = child(arguments)
    return Delivery(cost.said["seconds"], cost.said["cpu"], there.seen()["share"], cost)
