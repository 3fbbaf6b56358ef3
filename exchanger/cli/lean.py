"""
The two ends of a process: libraries without what they load for nobody here, and no ceremony.

Only for a process that is the command line and nothing else: programs that use the library may well
want what is kept from loading.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module


def load_logging() -> None:
    """Load structlog without rich, which would print tracebacks: 30 ms of CPU, and 5 MB."""
    with _absent("rich"):
        import_module("structlog")


def load_arrow() -> None:
    """Load Arrow without numpy, to which it would hand arrays: 90 ms of CPU, and 10 MB."""
    with _absent("numpy"):
        import_module("pyarrow")


def leave(code: str | int | None) -> None:
    """
    End this process, whose streams take what is left; return if they do not.

    Taking an interpreter down with all that is loaded takes as long as many a verb.
    """
    atexit._run_exitfuncs()  # noqa: SLF001 - what libraries have registered
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    if code is None or isinstance(code, int):
        os._exit(code or 0)


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Have a library look as if it were not installed, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
