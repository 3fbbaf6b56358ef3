"""
The ceiling of delivery: prebuilt bodies through the same HTTP client, and nothing else.

Run as ``python -m benchmarks.posting URL OUTBOX``, the second a Parquet file with ``@object``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp
import polars as pl

from exchanger.outside.braze.rate_limit import MOST_IN_FLIGHT

BATCH = 75


def bodies(objects: pl.Series) -> list[bytes]:
    """Make request bodies of 75 objects."""
    return [
        b'{"attributes":[' + ",".join(objects[start : start + BATCH].to_list()).encode() + b"]}"
        for start in range(0, len(objects), BATCH)
    ]


async def post(url: str, ready: list[bytes]) -> None:
    """Post every body, as many at once as a delivery without a limit, and read every answer."""
    todo = iter(ready)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MOST_IN_FLIGHT), cookie_jar=aiohttp.DummyCookieJar()
    ) as session:

        async def work() -> None:
            for body in todo:
                async with session.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    if answer.status != 201:
                        raise RuntimeError(answer.status)

        await asyncio.gather(*(work() for _ in range(MOST_IN_FLIGHT)))


def main() -> None:
    """Post, and print what it took as JSON."""
    url, path = sys.argv[1:]
    ready = bodies(pl.read_parquet(path)["@object"])
    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(post(f"{url}/users/track", ready))
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "requests": len(ready)}))


if __name__ == "__main__":
    main()
