"""
A guard against regress: a few ratios with generous bounds, small enough for every change.

Ratios are of CPU seconds, which a busy machine disturbs least. A bound is about twice what was
measured when it was set, so it finds what became twice as slow and nothing less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import delivery, exports, imports, many_files, printing, starting
from benchmarks.measuring import child
from benchmarks.place import place

ROWS = 200_000
FILES = 800
BOUNDS = {
    "deliver: CPU over that of the ceiling": 3.6,
    "import, unchanged: CPU over that of reading both sides": 4.0,
    "export: CPU over that of polars alone": 3.5,
    "merge set: over a plain join": 12.0,
    "merge sum: over a plain join": 45.0,
    "merge add: over a plain join": 75.0,
    "many files: CPU over that of the same rows in one file": 4.0,
    "startup: CPU seconds": 0.4,
}
"""The most that each ratio may be."""


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    name: str
    measured: float

    @property
    def fine(self) -> bool:
        """Say whether it is within its bound."""
        return self.measured <= BOUNDS[self.name]


def findings() -> Iterator[Finding]:
    """Measure everything that has a bound."""
    top, ours = delivery.compare(ROWS)
    yield Finding("deliver: CPU over that of the ceiling", ours.cpu / top.cpu)
    with place() as there:
        _, unchanged, _ = imports.runs(there, ROWS, "parquet")
        files = many_files.measure(there, FILES, repeats=3)
    reading = unchanged.reading.cpu if unchanged.reading else 0.0
    yield Finding(
        "import, unchanged: CPU over that of reading both sides", unchanged.cost.cpu / reading
    )
    yield Finding("many files: CPU over that of the same rows in one file", files.ratio)
    _, later, plain = exports.measure(ROWS)
    yield Finding("export: CPU over that of polars alone", later.cpu / plain.cpu)
    for strategy in ("set", "sum", "add"):
        took = child(["-m", "benchmarks.merging", str(ROWS), strategy]).said
        yield Finding(f"merge {strategy}: over a plain join", took["cpu"] / took["join_cpu"])
    yield Finding("startup: CPU seconds", starting.help_seconds()[0])


def guard() -> bool:
    """Measure, print, and say whether everything is within its bound."""
    found = list(findings())
    lines = [
        [
            finding.name,
            printing.times(finding.measured),
            printing.times(BOUNDS[finding.name]),
            "ok" if finding.fine else "TOO SLOW",
        ]
        for finding in found
    ]
    printing.table("guard", ["ratio", "measured", "bound", ""], lines)
    return all(finding.fine for finding in found)
