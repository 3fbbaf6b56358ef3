"""
Which objects below a prefix are files of a job, and in which order they are read.

Names that begin with ``_`` or ``.``, at any depth, are never taken: readers of data sets use them
for what is not data. Nor are files that a run has moved or renamed once it had taken them. Names
that programs give to a file until all of it has arrived, what lies beside files and is about them,
and marks without content are not taken either, unless a pattern asks for them.
"""

from __future__ import annotations

import re

from exchanger.config.patterns import compile_pattern
from exchanger.config.taken import is_taken_name

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
    ".processing",
    ".transferring",
    ".wip",
)
"""Endings, in lower case, of a file that is still on its way, or never arrived as a whole."""

COMPANIONS = (
    # Checksums and signatures of the file beside.
    ".md5",
    ".sha1",
    ".sha256",
    ".sha512",
    ".crc",
    ".crc32",
    ".asc",
    ".sig",
    # What Athena writes beside a result.
    ".metadata",
    # Says that the file beside is complete, or in use.
    ".done",
    ".lock",
)
"""Endings, in lower case, of an object that is about the file beside it."""
_OF_DESKTOPS = frozenset({"desktop.ini", "thumbs.db", "ehthumbs.db"})
_COPY = re.compile(r"(?:~|\.(?:bak|backup|old|orig))$", re.IGNORECASE)
"""How editors and people end the name of a file of which they put a copy aside."""
_LOCK = "~$"
"""Office's mark of who has a file open."""
_FOLDER = "_$folder$"
"""How Hadoop's tools end the mark of a folder."""

_DATA = re.compile(
    r"\.(csv|tsv|tab|psv|txt|parquet|pq|ndjson|jsonl|json|avro|orc|xlsx?)"
    r"(\.(gz|gzip|zst|zstd|bz2|zip|lz4|snappy))?$|\.(gz|zst|zip)$",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"[0-9]+|.", re.DOTALL)


def is_drop(key: str, prefix: str, pattern: str, state_prefix: str, size: int = 1) -> bool:
    """
    Return whether an object is a file of a job.

    Args:
        key: The object's key.
        prefix: The job's prefix; the pattern applies to what follows it.
        pattern: The job's pattern.
        state_prefix: Our own state, which is never a drop even if its name were not hidden.
        size: Its bytes, if they are known: without any, only the name of a file makes it one.
    """
    if not key.startswith(prefix) or key.startswith(state_prefix) or is_mark(key, size):
        return False
    rest = key.removeprefix(prefix)
    if compile_pattern(pattern).fullmatch(rest) is None:
        return False
    if is_unfinished(rest, pattern) or is_companion(rest, pattern):
        return False
    return not is_hidden(rest) and not is_taken_name(rest)


def is_hidden(name: str) -> bool:
    """Return whether a name, or a folder in it, is none that people give to data."""
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def is_mark(key: str, size: int = 1) -> bool:
    """Return whether an object stands for a folder, or has neither content nor the name of data."""
    return key.endswith(("/", _FOLDER)) or (not size and not looks_like_data(key))


def is_unfinished(name: str, pattern: str) -> bool:
    """
    Return whether a name is that of a file still on its way.

    A pattern that ends so itself was written by somebody who means such files.
    """
    return _ends(name, pattern, UNFINISHED)


def is_companion(name: str, pattern: str) -> bool:
    """
    Return whether a name is that of something beside files: a checksum, notes or a copy aside.

    A pattern that ends so itself was written by somebody who means such files.
    """
    last = name.lower().rpartition("/")[2]
    if last in _OF_DESKTOPS or last.startswith(_LOCK) or _ends(name, pattern, COMPANIONS):
        return True
    if last.startswith("#") and _ends(last, pattern, ("#",)):  # What an editor has not saved yet.
        return True
    copy = _COPY.search(last)
    if copy is None or not looks_like_data(last[: copy.start()]):
        return False
    return not pattern.lower().endswith(copy[0])


def looks_like_data(key: str) -> bool:
    """Return whether a name ends as files with rows do, in whichever case."""
    return _DATA.search(key) is not None


def _ends(name: str, pattern: str, endings: tuple[str, ...]) -> bool:
    ending = next((end for end in endings if name.lower().endswith(end)), None)
    return ending is not None and not pattern.lower().endswith(ending)


def natural_order(key: str) -> tuple[list[tuple[str, int]], str]:
    """
    Return what sorts names as people count: ``upd_9`` before ``upd_10``.

    Numbers compare by size, and with all else by where digits stand among characters; names that
    differ in leading zeros alone compare as they are written.
    """
    parts = _NUMBERS.findall(key)
    return [("0", int(part)) if part[0] in "0123456789" else (part, 0) for part in parts], key
