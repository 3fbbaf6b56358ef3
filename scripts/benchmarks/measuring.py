"""What a child process costs: seconds, CPU seconds and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SPAWNING = Path(__file__).parent / "spawning.py"


@dataclass(frozen=True)
class Cost:
    """
    What a child process took.

    Args:
        seconds: On the clock.
        cpu: CPU seconds, of all its threads and children.
        memory: Bytes of memory at its peak.
        said: The JSON document on its standard output.
    """

    seconds: float
    cpu: float
    memory: int
    said: Any


def child(arguments: Sequence[str], *, codes: Sequence[int] = (0,)) -> Cost:
    """
    Run ``python ARGUMENTS`` to its end, and measure it.

    Raises:
        RuntimeError: It ended with a code that is not among *codes*; its words are the message.
    """
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        tempfile.NamedTemporaryFile() as result,
    ):
        command = [sys.executable, "-I", "-S", str(_SPAWNING), result.name, *arguments]
        subprocess.run(command, stdout=out, stderr=err, check=True)  # noqa: S603 - our own command
        took = json.load(result)
        out.seek(0)
        err.seek(0)
        said = out.read()
        if took["code"] not in codes:
            words = f"{' '.join(arguments)} ended with {took['code']}"
            raise RuntimeError(f"{words}: {(said + err.read())[-3000:].decode()}")
    document = json.loads(said) if said.lstrip()[:1] in (b"{", b"[") else None
    return Cost(took["seconds"], took["cpu"], took["memory"], document)


def cpu_of(pid: int) -> float:
    """CPU seconds that a running process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(pid: int) -> int:
    """Bytes of memory that a running process has now."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE


class Server:
    """
    A server in a process of its own, as ``python -m MODULE``; a context manager.

    Args:
        module: Prints its port first.
    """

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", module], stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.port = int(self._line())

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """CPU seconds that it has taken so far."""
        return cpu_of(self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def _line(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("it has no output")
        return self._process.stdout.readline()
