"""A local S3 in a process of its own: ``python -m benchmarks.store`` prints its port."""

from __future__ import annotations

import signal

from exchanger.sandbox import LocalS3

if __name__ == "__main__":
    with LocalS3() as server:
        print(server.port, flush=True)
        signal.sigwait([signal.SIGTERM, signal.SIGINT])
