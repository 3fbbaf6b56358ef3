"""``clients``: a file through exchanger, through a plain client of twenty threads, and raw."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from benchmarks import printing, rows
from benchmarks.measuring import Cost, child
from benchmarks.pacing import LATENCIES
from benchmarks.place import Place, place

ROUNDS = 3
ROWS = 200_000
"""As many as a daily file has; of more, the start of a process counts less."""
OTHERS = ("threaded", "pipeline")
FAULTS = {"1 % of 429": {"refused": 0.01}, "5 % of 503": {"failing": 0.05}}
_KEY = "inbox/profiles.csv"


@dataclass(frozen=True)
class Round:
    """
    The same file through each client, one after the other: whole processes.

    Args:
        ours: The cost of a run of exchanger.
        others: That of each other client, by name.
    """

    ours: Cost
    others: dict[str, Cost]


def ours(there: Place, count: int) -> Cost:
    """Load profiles for the first time."""
    there.renew()
    there.configure(benchmark=rows.import_job())
    there.drop(_KEY, there.folder / "profiles.csv")
    there.seen()
    cost = there.run("benchmark")
    _check("exchanger", there, count)
    return cost


def other(there: Place, name: str, count: int) -> Cost:
    """Send the same file by another client, which knows of no state."""
    arguments = [there.store.url, there.bucket, _KEY, there.braze.url]
    there.seen()
    cost = child(["-m", f"benchmarks.{name}", *arguments])
    _check(name, there, count)
    return cost


def _check(name: str, there: Place, count: int) -> None:
    if (taken := there.seen()["objects"]) != count:
        raise RuntimeError(f"{name} sent {taken} objects instead of {count}")


def rounds(there: Place, count: int, **how: float) -> list[Round]:
    """Send by all clients in turns."""
    there.behave(**how)
    found = []
    for _ in range(ROUNDS):
        mine = ours(there, count)
        found.append(Round(mine, {name: other(there, name, count) for name in OTHERS}))
    return found


def report(count: int) -> None:
    """Measure and print."""
    lines = []
    with place() as there:
        rows.write(rows.profiles(count), there.folder / "profiles.csv")
        for latency in LATENCIES:
            found = rounds(there, count, latency=latency)
            mine = median(one.ours.seconds for one in found)
            rates = [printing.count(count / mine)]
            for name in OTHERS:
                theirs = median(one.others[name].seconds for one in found)
                rates += [printing.count(count / theirs), printing.times(theirs / mine)]
            cpu = min(one.ours.cpu for one in found)
            lines.append([f"{latency} ms", *rates, printing.micros(cpu / count)])
        faulty = {what: _alone(there, count, how) for what, how in FAULTS.items()}
        none = _alone(there, count, {})
    columns = ["answers after", "exchanger, rows/s", "twenty threads", "times", "raw pipeline"]
    columns += ["times", "CPU per row"]
    printing.table(f"clients, {count:,} profiles in CSV, no limit", columns, lines)
    columns = ["of the answers", "rows/s", "times without"]
    told = [
        [what, printing.count(count / took), printing.times(none / took)]
        for what, took in {"none faulty": none, **faulty}.items()
    ]
    printing.table(f"exchanger where answers are faulty, {count:,} profiles in CSV", columns, told)


def _alone(there: Place, count: int, how: dict[str, float]) -> float:
    """Load by exchanger alone; returns the median of the seconds."""
    there.behave(**how)
    return median(ours(there, count).seconds for _ in range(ROUNDS))
