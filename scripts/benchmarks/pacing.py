"""``pace``: how much of an allowed rate is used, by what kind of server, at what latency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import delivery, printing, rows
from benchmarks.counting import KINDS
from benchmarks.measuring import child
from benchmarks.place import Place, place

LATENCIES = (0, 20, 100)
"""Milliseconds."""
REQUESTS, SECONDS = 3_000, 3.0
"""Braze's default limit."""
WINDOWS = 4
"""Of the limit, that a delivery takes."""
OBJECTS = 15
"""In a request: few, so that the pace is measured rather than the CPU of this machine."""


@dataclass(frozen=True)
class Paced:
    """
    One delivery at a limit.

    Args:
        what: The kind of server, or what else it does.
        latency: Milliseconds.
        share: Of the allowed rate, from the first request to the last.
        limited: Part of the answers that were 429.
        cores: CPU of the sender, per second.
    """

    what: str
    latency: int
    share: float
    limited: float
    cores: float


def measured(what: str, latency: int, limit: int = REQUESTS, **how: float | str) -> Paced:
    """Deliver for some windows at a limit."""
    text = f"{SECONDS:.0f}s"
    with place(paced=True) as there:
        there.more = {"rate_limit": {"requests": limit, "per": text}, "batch_size": OBJECTS}
        return _measured(there, what, latency, limit, how)


def _measured(
    there: Place, what: str, latency: int, limit: int, how: dict[str, float | str]
) -> Paced:
    path = delivery.objects(limit * WINDOWS * OBJECTS, there.folder / "objects.parquet")
    there.configure(benchmark=rows.import_job())
    there.behave(latency=latency, requests=limit, seconds=SECONDS, **how)
    cost = child(["-m", "benchmarks.delivering", str(there.config), str(path)])
    seen = there.seen()
    taken = seen["requests"] - seen["limited"]
    share = taken / seen["seconds"] / (limit / SECONDS)
    cores = cost.said["cpu"] / cost.said["seconds"]
    return Paced(what, latency, share, seen["limited"] / seen["requests"], cores)


def all_kinds(limit: int) -> Iterator[Paced]:
    """Measure each kind of server at each latency, and single 429."""
    for kind in KINDS:
        for latency in LATENCIES:
            yield measured(f"{kind}, {latency} ms", latency, limit, kind=kind)
    for latency in LATENCIES:
        yield measured(f"1 % of 429, {latency} ms", latency, limit, refused=0.01)


def report(limit: int) -> None:
    """Measure and print."""
    lines = [
        [
            one.what,
            printing.times(one.share),
            f"{one.limited * 100:.2f} %",
            printing.times(one.cores),
        ]
        for one in all_kinds(limit)
    ]
    columns = ["server", "of the allowed rate", "answers that are 429", "sender, cores"]
    rate = f"{limit:,} requests per {SECONDS:.0f} s"
    printing.table(f"pace at {rate}, {OBJECTS} objects in a request", columns, lines)
