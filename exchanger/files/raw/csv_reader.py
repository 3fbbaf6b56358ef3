"""
Python's csv reader, in a copy that is ours alone.

How long a cell may be is a setting of the whole module, so of every program that reads CSV in this
process. The copy has a setting of its own.
"""

from __future__ import annotations

import importlib.util
from typing import Any


def _own_copy() -> Any:
    found = importlib.util.find_spec("_csv")
    if found is None or found.loader is None:
        raise ImportError(name="_csv")
    copy = importlib.util.module_from_spec(found)
    found.loader.exec_module(copy)
    return copy


csv: Any = _own_copy()
"""With ``reader``, ``Error`` and ``field_size_limit``, which changes nothing but this copy."""
