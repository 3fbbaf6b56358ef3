"""
Reads both sides of an import, and nothing else: what skipping unchanged profiles is held against.

Run as ``python -m benchmarks.comparing CONFIG KEY [FIELDS]``: the file is downloaded and read
whole; of what is held, the key and the mapped columns.
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


def main() -> None:
    """Read, and print what it took as JSON."""
    config = load_config(Path(sys.argv[1]), os.environ)
    key = sys.argv[2]
    job = next(iter(config.jobs.values()))
    with open_context(config, "main") as context:
        began, cpu = time.perf_counter(), time.process_time()
        path = context.workdir / Path(key).name
        context.bucket.download(key, context.bucket.head(key).etag, path)
        given = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
        scan = context.bucket.table(context.state_prefix + "held/").scan()
        held = pl.DataFrame() if scan is None else scan.select("profile", *job.fields).collect()
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "given": given.height, "held": held.height}))


if __name__ == "__main__":
    main()
