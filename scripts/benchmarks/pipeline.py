"""
A raw pipeline: the least that any sender can take that reads a file and posts it.

Run as ``python -m benchmarks.pipeline S3 BUCKET KEY BRAZE``. It reads and spells all rows at once
with polars, posts by one HTTP client, and has no state, no limit, and no answer for a fault.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys

import polars as pl

from benchmarks import posting
from benchmarks.threaded import text_of


def main() -> None:
    """Send the file, and print how many requests it took as JSON."""
    store, bucket, key, braze = sys.argv[1:]
    frame = pl.read_csv(io.StringIO(text_of(store, bucket, key)))
    text = io.BytesIO()
    frame.rename({"id": "external_id"}).write_ndjson(text)
    ready = posting.bodies(pl.Series(text.getvalue().decode().splitlines()))
    asyncio.run(posting.post(f"{braze}/users/track", ready))
    print(json.dumps({"requests": len(ready)}))


if __name__ == "__main__":
    main()
