"""Making many objects at once, of which none refers to itself, without looking for cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock


@dataclass
class _Blocks:
    """How many blocks are under way, and whether Python looked for cycles before the first."""

    count: int = 0
    looked: bool = False


_lock = Lock()
_blocks = _Blocks()


@contextmanager
def without_collecting() -> Iterator[None]:
    """
    Let Python not look for cycles of garbage in the block, as parsed JSON has none.

    Each look goes over what was made so far: of many small objects that takes longer than making
    them. Blocks of several threads may overlap; the last to end lets Python look again.
    """
    with _lock:
        if not _blocks.count:
            _blocks.looked = gc.isenabled()
        _blocks.count += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _blocks.count -= 1
            if not _blocks.count and _blocks.looked:
                gc.enable()
