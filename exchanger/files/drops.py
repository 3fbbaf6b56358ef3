"""
Which objects below a prefix are files of a job, and in which order they are read.

Names that begin with ``_`` or ``.``, at any depth, are never taken: readers of data sets use them
for what is not data. Nor are names that programs give to a file until all of it has arrived, unless
a pattern asks for them.
"""

from __future__ import annotations

import re

from exchanger.config.patterns import compile_pattern

UNFINISHED = (
    # Browsers, and what downloads like one.
    ".crdownload",
    ".opdownload",
    ".download",
    ".crswap",
    # WinSCP, rclone, lftp, wget and kin, torrents.
    ".filepart",
    ".part",
    ".partial",
    ".aria2",
    ".!ut",
    ".!qb",
    # Servers, agents and jobs that write a file before they rename it.
    ".tmp",
    ".temp",
    ".upload",
    ".uploading",
    ".copying",
    "._copying_",
    ".writing",
    ".incomplete",
    ".unfinished",
    ".inprogress",
    ".in-progress",
    ".in_progress",
    ".pending",
)
"""Endings, in lower case, of a file that is still on its way, or never arrived as a whole."""

_NUMBERS = re.compile(r"[0-9]+|.", re.DOTALL)


def is_drop(key: str, prefix: str, pattern: str, state_prefix: str) -> bool:
    """
    Return whether an object is a file of a job.

    Args:
        key: The object's key.
        prefix: The job's prefix; the pattern applies to what follows it.
        pattern: The job's pattern.
        state_prefix: Our own state, which is never a drop even if its name were not hidden.
    """
    if not key.startswith(prefix) or key.startswith(state_prefix) or key.endswith("/"):
        return False
    rest = key.removeprefix(prefix)
    if compile_pattern(pattern).fullmatch(rest) is None or is_unfinished(rest, pattern):
        return False
    return not any(part.startswith(("_", ".")) for part in rest.split("/"))


def is_unfinished(name: str, pattern: str) -> bool:
    """
    Return whether a name is that of a file still on its way.

    A pattern that ends so itself was written by somebody who means such files.
    """
    ending = next((end for end in UNFINISHED if name.lower().endswith(end)), None)
    return ending is not None and not pattern.lower().endswith(ending)


def natural_order(key: str) -> tuple[list[tuple[str, int]], str]:
    """
    Return what sorts names as people count: ``upd_9`` before ``upd_10``.

    Numbers compare by size, and with all else by where digits stand among characters; names that
    differ in leading zeros alone compare as they are written.
    """
    parts = _NUMBERS.findall(key)
    return [("0", int(part)) if part[0] in "0123456789" else (part, 0) for part in parts], key
