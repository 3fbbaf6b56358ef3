"""
Which objects of a bucket are taken by which job, and why one is taken by none.

Nothing is said of what exports and Braze write, of our own state, and of what is no file to people:
markers of folders, names that begin with ``_`` or ``.``, objects without content.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from exchanger.files.drops import is_drop

if TYPE_CHECKING:
    from collections.abc import Iterable

Why = Literal["pattern", "folder", "hidden", "marker", "unfinished", "ours"]
"""
Why no job takes an object: its name does not fit the pattern; no job reads its folder; its name
begins with ``_`` or ``.``; it is no file; it has the name of a file that is still on its way; we,
or Braze, wrote it.
"""
_DATA = re.compile(
    r"\.(csv|tsv|tab|psv|txt|parquet|pq|ndjson|jsonl|json|avro|orc|xlsx?)"
    r"(\.(gz|gzip|zst|zstd|bz2|zip|lz4|snappy))?$|\.(gz|zst|zip)$",
    re.IGNORECASE,
)
_ALIKE = 0.75


class Reader(NamedTuple):
    """An import: the files below its prefix that fit its pattern are its own."""

    job: str
    prefix: str
    pattern: str
    state_prefix: str = "\0"

    def takes(self, key: str) -> bool:
        """Return whether an object is a file of the job."""
        return is_drop(key, self.prefix, self.pattern, self.state_prefix)


@dataclass(frozen=True)
class Folders:
    """
    Who reads what of a bucket, and who writes it.

    Args:
        readers: All imports from this bucket, of whichever connection.
        written: Prefixes below which exports, Braze and we ourselves write.
    """

    readers: tuple[Reader, ...] = ()
    written: tuple[str, ...] = ()

    def takers(self, key: str) -> list[str]:
        """Name the jobs that take an object."""
        return [reader.job for reader in self.readers if reader.takes(key)]

    def around(self, key: str) -> list[Reader]:
        """Find the jobs below whose prefix an object lies."""
        return [reader for reader in self.readers if key.startswith(reader.prefix)]

    def of(self, prefix: str) -> Folders:
        """Keep what matters for objects below a prefix, of which there may be many."""
        readers = (reader for reader in self.readers if _nested(reader.prefix, prefix))
        return Folders(tuple(readers), self.written)

    def why_not(self, key: str, size: int = 1) -> Why | None:
        """Return why no job takes an object of so many bytes; None if one does."""
        if self.takers(key):
            return None
        around = self.around(key)
        if key.startswith(self.written):
            return "ours"
        rests = [key.removeprefix(reader.prefix) for reader in around] or [key]
        if any(_is_hidden(rest) for rest in rests):
            return "hidden"
        if not size or key.endswith(("/", "_$folder$")):
            return "marker"
        if not around:
            return "folder"
        return (
            "pattern" if any(r._replace(pattern="**").takes(key) for r in around) else "unfinished"
        )

    def is_stray(self, key: str, size: int) -> bool:
        """Return whether an object looks like a file meant for a job, and has none."""
        return self.why_not(key, size) in ("pattern", "folder")

    def may_hold_strays(self, folder: str) -> bool:
        """Return whether a folder lies beside all that is read and written by the configuration."""
        meant = (reader.prefix for reader in self.readers)
        apart = not any(_nested(folder, prefix) for prefix in meant)
        return apart and not folder.startswith(self.written) and not _is_hidden(folder)


class Level(NamedTuple):
    """
    A folder of the bucket in which a job's folder lies, or one that this lies in, and so on.

    ``name`` is the job's folder as it is called there, and ``near`` whether that is the folder
    directly above: beside it, everything counts; further up, only what is called alike.
    """

    parent: str
    name: str
    near: bool


def levels(prefix: str) -> list[Level]:
    """List the folders that a prefix lies in, the nearest first."""
    names = prefix.rstrip("/").split("/")
    return [
        Level("".join(f"{name}/" for name in names[:depth]), names[depth], depth == len(names) - 1)
        for depth in reversed(range(len(names)))
    ]


def looks_like_data(key: str) -> bool:
    """Return whether a name ends as files with rows do, in whichever case."""
    return _DATA.search(key) is not None


def alike(one: str, other: str) -> bool:
    """Return whether one name may be the other, misspelt or with something put before or behind."""
    here, there = (re.sub(r"[\W_]+", "", text.casefold()) for text in (one, other))
    if not here or not there:
        return not here and one.strip("/") == ""
    near = difflib.SequenceMatcher(None, here, there).ratio() >= _ALIKE
    return near or sorted(here) == sorted(there) or here.startswith(there) or here.endswith(there)


def wider_pattern(key: str, readers: Iterable[Reader]) -> str | None:
    """Find a pattern that takes what a job takes, and this object in a folder below; if any."""
    for reader in readers:
        pattern = f"**/{reader.pattern}"
        if reader._replace(pattern=pattern).takes(key):
            return pattern
    return None


def _is_hidden(rest: str) -> bool:
    return any(part.startswith(("_", ".")) for part in rest.split("/"))


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
