"""The table of guarantees names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")


def _named():
    """Read which tests the table names, as file and function."""
    for rows in re.findall(r"`(test_\w+\.py)`:((?:,? ?`test_\w+`)+)", TABLE):
        for function in re.findall(r"`(test_\w+)`", rows[1]):
            yield rows[0], function


def test_every_guarantee_is_shown_by_a_test_that_exists():
    """Each row of the table ends with tests, and each of them is defined in the file it names."""
    files: dict[str, str] = {}
    for path in ROOT.glob("tests/**/*.py"):  # Two folders may have a file of one name.
        files[path.name] = files.get(path.name, "") + path.read_text(encoding="utf-8")
    rows = [line for line in TABLE.splitlines() if line.startswith("| ") and "---" not in line]
    promises = [row for row in rows if not row.startswith("| what happens |")]
    assert [] == [row for row in promises if not re.search(r"`test_\w+\.py`: `test_\w+`", row)]
    named = list(_named())
    assert [] == [
        f"{file}: {function}"
        for file, function in named
        if f"def {function}(" not in files.get(file, "")
    ]
    assert len(promises) <= len(named)
