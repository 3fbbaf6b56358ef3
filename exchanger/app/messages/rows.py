"""The first rows of files, as a table in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WIDEST = 32
"""Signs of a cell that are shown."""


def describe_rows(content: Mapping[str, Any]) -> Iterator[str]:
    """Return the lines of what ``FirstRows.to_dict`` renders: a table for each file."""
    rows: Sequence[Mapping[str, Any]] = content["rows"]
    if not rows and not content["unusable"]:
        yield "No row is there to be shown: no file has come, or none has a row."
    elif content["applied"]:
        yield "No file waits; these rows are of the newest one, which was read before."
    for file in dict.fromkeys(row["file"] for row in rows):
        yield f"{file}:"
        yield from _table([row for row in rows if row["file"] == file])
    for file, why in content["unusable"].items():
        yield f"{file} would be rejected as a whole. {why}"


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    columns = [*dict.fromkeys(name for row in rows for name in row["cells"])]
    lines = [["row", "profile", *columns]]
    for row in rows:
        who = row["profile"] or ("rejected" if row["problem"] else "")
        lines.append([str(row["row"]), who, *(row["cells"].get(name) or "" for name in columns)])
    short = [[_short(cell) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*short, strict=True)]
    for line in short:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
    for row in rows:
        if row["problem"]:
            yield f"  row {row['row']}: {row['problem']}"


def _short(cell: str) -> str:
    shown = " ".join(cell.split())
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 3] + "..."
