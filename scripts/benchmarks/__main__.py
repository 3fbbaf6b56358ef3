"""The benchmarks: ``scripts/bench [NAME...] [--rows N] [--paced] [--guard]``."""

from __future__ import annotations

import argparse
import sys

from benchmarks import (
    clients,
    delivery,
    events,
    exports,
    growth,
    guard,
    imports,
    many_files,
    many_held,
    merging,
    pacing,
    printing,
    reading,
    starting,
)

ROWS = 500_000


def main() -> int:
    """Run what was asked for; returns the exit code."""
    asked = _arguments()
    print(f"{printing.machine()}; {printing.load()}")
    if asked.guard:
        return 0 if guard.guard() else 1
    run = {
        "read": lambda: reading.report(asked.rows),
        "deliver": lambda: delivery.report(asked.rows),
        "events": lambda: events.report(asked.rows),
        "clients": lambda: clients.report(min(asked.rows, clients.ROWS)),
        "import": lambda: imports.report(asked.rows, tuple(asked.formats), paced=asked.paced),
        "export": lambda: exports.report(asked.rows),
        "pace": lambda: pacing.report(asked.limit),
        "merge": lambda: merging.report(asked.rows),
        "held": lambda: many_held.report(asked.held),
        "files": lambda: many_files.report(*asked.files),
        "growth": lambda: growth.report(asked.earlier),
        "startup": starting.report_startup,
        "jobs": lambda: starting.report_jobs(asked.jobs),
        "idle": lambda: starting.report_idle(asked.rows),
    }
    for name in asked.names or run:
        if name not in run:
            print(f"there is no benchmark {name!r}; there are {', '.join(run)}", file=sys.stderr)
            return 2
        run[name]()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="which benchmarks; all of them if left out")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"profiles ({ROWS:,})")
    parser.add_argument("--formats", nargs="+", default=imports.FORMATS, choices=imports.FORMATS)
    parser.add_argument("--paced", action="store_true", help="import at Braze's default limit")
    parser.add_argument("--files", type=int, nargs="+", default=(), help="numbers of small files")
    parser.add_argument(
        "--limit", type=int, default=pacing.REQUESTS, help="requests in 3 s for pace (3,000)"
    )
    parser.add_argument("--held", type=int, default=500_000, help="profiles for held (500,000)")
    parser.add_argument("--earlier", type=int, default=100_000, help="runs for growth (100,000)")
    parser.add_argument("--jobs", type=int, default=20, help="small jobs of a daemon (20)")
    parser.add_argument("--guard", action="store_true", help="check ratios against their bounds")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
