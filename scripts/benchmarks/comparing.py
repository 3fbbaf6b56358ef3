"""
Reads both sides of an import, and nothing else: what skipping unchanged profiles is held against.

Run as ``python -m benchmarks.comparing CONFIG KEY``: the file is downloaded and read whole; of what
is held, the key and the mapped columns; of a job with ``row_id``, the ids that were taken up.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import polars as pl

from exchanger.app.wiring import open_context
from exchanger.config.loading.load import load_config
from exchanger.state.names import StateNames


def main() -> None:
    """Read, and print what it took as JSON."""
    config = load_config(Path(sys.argv[1]), os.environ)
    key = sys.argv[2]
    name, job = next(iter(config.jobs.items()))
    with open_context(config, "main") as context:
        began, cpu = time.perf_counter(), time.process_time()
        path = context.workdir / Path(key).name
        context.bucket.download(key, context.bucket.head(key).etag, path)
        given = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
        names = StateNames(context.state_prefix)
        table, columns = (
            (names.row_ledger(name), ["id"])
            if job.row_id
            else (names.held, ["profile", *job.fields])
        )
        scan = context.bucket.table(table).scan()
        held = pl.DataFrame() if scan is None else scan.select(columns).collect()
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "given": given.height, "held": held.height}))


if __name__ == "__main__":
    main()
