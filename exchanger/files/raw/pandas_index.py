"""
The columns of a Parquet file in which pandas keeps the index of its rows.

They are seldom meant as data: a frame of which rows were filtered out is written with their old
numbers, as ``__index_level_0__``. pandas itself says in the file's metadata which columns they are.
"""

from __future__ import annotations

import json
from typing import Any

from exchanger.config.names import trimmed


def index_columns(schema: Any) -> frozenset[str]:
    """
    Return the names of the columns that pandas says are its index; none if it wrote no such thing.

    Args:
        schema: The file's, as Arrow reads it.
    """
    told = (schema.metadata or {}).get(b"pandas")
    try:
        entries = json.loads(told)["index_columns"] if told else []
        # An index that only counts is described, and no column.
        return frozenset(trimmed(entry) for entry in entries if isinstance(entry, str))
    except (ValueError, KeyError, TypeError, RecursionError):
        return frozenset()
