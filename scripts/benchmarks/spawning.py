"""
Runs a command and writes what it took, as a process that is small itself.

The operating system counts to the peak memory of a process what its parent had when it began.

Run as ``python spawning.py RESULT ARGUMENTS``: ``python ARGUMENTS`` is what is measured.
"""

from __future__ import annotations

import json
import os
import sys
import time

result, *arguments = sys.argv[1:]
began = time.perf_counter()
command = [sys.executable, *arguments]
_, status, used = os.wait4(os.posix_spawn(sys.executable, command, os.environ), 0)
took = {
    "code": os.waitstatus_to_exitcode(status),
    "seconds": time.perf_counter() - began,
    "cpu": used.ru_utime + used.ru_stime,
    "memory": used.ru_maxrss * 1024,
}
with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - imports would make it larger
    json.dump(took, file)
