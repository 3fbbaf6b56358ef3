"""
Delivery alone, as an import does it, acknowledgements included.

Run as ``python -m benchmarks.delivering CONFIG OUTBOX``; the second as for ``posting``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from exchanger.app.wiring import open_context
from exchanger.config.loading.load import load_config
from exchanger.files.scratch.frame_file import FrameFile
from exchanger.jobs.delivery.sender import deliver
from exchanger.state.runs.acknowledgements import Acknowledgements
from exchanger.state.store import open_state


def main() -> None:
    """Deliver, and print what it took as JSON."""
    config = load_config(Path(sys.argv[1]), os.environ)
    outbox = FrameFile(Path(sys.argv[2]))
    with open_context(config, "main") as context:
        state = open_state(context.bucket, context.state_prefix)
        acks = Acknowledgements(context.bucket, state.names, 1)
        state.runs.newest()  # By now an import has opened its connection to S3.
        context.braze()  # What this loads the ceiling has loaded as well, before its clock starts.
        began, cpu = time.perf_counter(), time.process_time()
        done = asyncio.run(deliver(context, outbox, acks, lambda: None))
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "requests": done.requests}))


if __name__ == "__main__":
    main()
