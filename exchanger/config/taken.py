"""
Where files lie once a run has taken them, if their job moves or renames them.

The run's id is part of every such name, so that no two files ever share one, whoever runs what; and
by it every job knows that the file was taken, whatever its configuration says by then.
"""

from __future__ import annotations

import re

RUN_ID = "RUN_ID"
"""Stands for the id of a run where names are described."""
_ID = r"[0-9]{8}T[0-9]{6}Z-[^/]+-[0-9a-f]{8}"
_TAKEN = re.compile(rf"(^|/){_ID}/|\.{_ID}[^/0-9a-f][^/]*$")


def taken_name(key: str, prefix: str, run_id: str, *, move_to: str, suffix: str) -> str:
    """
    Name the place of a file that a run has taken; empty if it stays where it is.

    Args:
        key: The file.
        prefix: The folder of its job, below which folders are kept.
        run_id: The run.
        move_to: The folder into which the job moves files; empty if it moves none.
        suffix: The ending that it gives them; empty if it gives none.
    """
    if move_to:
        return f"{move_to}{run_id}/{key.removeprefix(prefix)}{suffix}"
    return f"{key}.{run_id}{suffix}" if suffix else ""


def is_taken_name(name: str) -> bool:
    """Return whether a name, below the folder of a job, is that of a file which a run has taken."""
    return _TAKEN.search(name) is not None
