"""
What stands beside the parts of an export, and how they are named.

Readers look for the manifest: a folder without one is litter (law 8). ``_SUCCESS`` is the same for
readers that know only that name, ``latest.json`` points at the newest manifest.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

VERSION = 1


@dataclass(frozen=True)
class RunFolder:
    """
    The folder of one export run.

    Args:
        prefix: The target's prefix, as configured.
        run_id: Begins with the UTC time to the second, so that folders sort by time.
    """

    prefix: str
    run_id: str

    @property
    def key(self) -> str:
        """The folder's prefix; ends in a slash."""
        return f"{self.prefix}run={self.run_id}/"

    def part(self, name: str) -> str:
        """The key of a part."""
        return self.key + name

    @property
    def manifest(self) -> str:
        """The key of the manifest."""
        return f"{self.key}manifest.json"

    @property
    def success(self) -> str:
        """The key of the empty marker."""
        return f"{self.key}_SUCCESS"

    @property
    def latest(self) -> str:
        """The key of the pointer to the newest manifest of the target."""
        return f"{self.prefix}latest.json"


@dataclass(frozen=True)
class Part:
    """One part: its key, rows, bytes, and the hex SHA-256 of its content."""

    key: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SchemaColumn:
    """One column: its name and type, such as ``integer``, ``decimal(2)``, ``list[string]``."""

    name: str
    type: str


@dataclass(frozen=True)
class Manifest:
    """
    All that a reader of a dataset has to know.

    Args:
        job: The export job.
        run_id: Its run.
        segment_id: Of which segment.
        segment: Its name.
        object_prefix: Names the segment export in Braze's own files.
        requested_at: When Braze was asked: the data is not older.
        created_at: When the dataset was complete.
        format: ``parquet``, ``csv`` or ``ndjson``.
        columns: The schema, in order.
        parts: The parts, in order.
        duplicates: Users left out because they were exported more than once.
        warnings: Sentences for a person.
    """

    job: str
    run_id: str
    segment_id: str
    segment: str
    object_prefix: str
    requested_at: datetime
    created_at: datetime
    format: str
    columns: tuple[SchemaColumn, ...]
    parts: tuple[Part, ...]
    duplicates: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.bytes for part in self.parts)

    def to_body(self) -> bytes:
        """Render as the JSON document that is written."""
        content = asdict(self)
        content["requested_at"] = spell(self.requested_at)
        content["created_at"] = spell(self.created_at)
        content["schema"] = [[column.name, column.type] for column in self.columns]
        del content["columns"]
        return to_body({"version": VERSION, **content, "rows": self.rows, "bytes": self.size})

    def pointer(self, key: str) -> dict[str, Any]:
        """Build the content of ``latest.json``; *key* is the manifest's."""
        return {
            "version": VERSION,
            "manifest": key,
            "run_id": self.run_id,
            "requested_at": spell(self.requested_at),
            "rows": self.rows,
        }


def is_newer(pointer: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether the data behind *pointer* was asked for later than that behind *other*."""
    mine, theirs = (
        (str(p.get("requested_at", "")), str(p.get("run_id", ""))) for p in (pointer, other)
    )
    return mine > theirs


def spell(moment: datetime) -> str:
    """Spell a UTC time so that text order is time order."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_body(content: dict[str, Any]) -> bytes:
    """Render a document for people and programs: indented JSON with a line end."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
