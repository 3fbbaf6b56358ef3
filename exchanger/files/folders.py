"""
Which objects of a bucket are taken by which job, and why one is taken by none.

Nothing is said of what exports and Braze write, of our own state, and of what is no file to people:
markers of folders, names that begin with ``_`` or ``.``, objects without content.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from exchanger.config.answers import AnswerNames, met_by
from exchanger.config.patterns import nested
from exchanger.config.taken import is_taken_name
from exchanger.files.drops import (
    is_companion,
    is_drop,
    is_hidden,
    is_mark,
    is_unfinished,
)
from exchanger.files.signs import is_sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchanger.config.models import CompleteWhen, ImportJob

Why = Literal["pattern", "folder", "hidden", "marker", "unfinished", "companion", "sign", "ours"]
"""
Why no job takes an object: its name does not fit the pattern; no job reads its folder; its name
begins with ``_`` or ``.``; it is no file; it has the name of a file that is still on its way, or of
something that lies beside files and is about them; it says of files that they are complete; we, or
Braze, wrote it, or it is a file that was taken and moved.
"""
NO_DATA: tuple[Why, ...] = ("hidden", "marker", "unfinished", "companion")
"""Why an object is passed over although it lies where a job looks: it is no data."""
STRAY: tuple[Why, ...] = ("pattern", "folder")
"""Why a file that looks like one meant for a job has none."""
_ALIKE = 0.75


class Reader(NamedTuple):
    """
    An import: the files below its prefix that fit its pattern are its own.

    But for those in ``answers``: folders in which jobs tell whoever drops files what became of
    them. It may also take rejected rows, corrected, from beside its folder (``corrects``).
    """

    job: str
    prefix: str
    pattern: str
    state_prefix: str = "\0"
    complete_when: CompleteWhen | None = None
    answers: tuple[str, ...] = ()
    corrects: bool = False

    def takes_corrected(self, key: str, size: int = 1) -> bool:
        """Return whether an object has rejected rows of the job as a person has corrected them."""
        folder = AnswerNames(self.prefix).corrected_rows
        return self.corrects and is_drop(key, folder, "**", self.state_prefix, size)

    def takes(self, key: str, size: int = 1) -> bool:
        """Return whether an object of so many bytes is a file of the job."""
        is_file = is_drop(key, self.prefix, self.pattern, self.state_prefix, size)
        return is_file and not self.is_sign(key) and not key.startswith(self.answers)

    def is_sign(self, key: str) -> bool:
        """Return whether an object says of files of the job that they are complete."""
        ours = key.startswith((self.state_prefix, *self.answers))
        return not ours and is_sign(key, self.prefix, self.complete_when)


def reader_of(
    name: str, job: ImportJob, state_prefix: str, answers: tuple[str, ...] = ()
) -> Reader:
    """
    Return what a job reads of a bucket.

    Args:
        name: The job's name.
        job: The job.
        state_prefix: Where its connection remembers.
        answers: Folders in which this and other jobs answer.
    """
    source = job.source
    met = met_by(source.prefix, answers)
    corrects, when = job.after.rejected, source.complete_when
    return Reader(name, source.prefix, source.pattern, state_prefix, when, met, corrects)


@dataclass(frozen=True)
class Folders:
    """
    Who reads what of a bucket, and who writes it.

    Args:
        readers: All imports from this bucket, of whichever connection.
        written: Prefixes below which exports, Braze and we ourselves write, *answers* included.
        answers: Those in which jobs answer whoever drops files.
    """

    readers: tuple[Reader, ...] = ()
    written: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    def takers(self, key: str, size: int = 1) -> list[str]:
        """Name the jobs that take an object of so many bytes."""
        return [reader.job for reader in self.readers if reader.takes(key, size)]

    def correcting(self, key: str, size: int = 1) -> list[str]:
        """Name the jobs that take an object as corrected rows of theirs."""
        return [reader.job for reader in self.readers if reader.takes_corrected(key, size)]

    def shared(self, key: str) -> bool:
        """Return whether several jobs of one folder take an object, and each answers about it."""
        prefixes = [reader.prefix for reader in self.readers if reader.takes(key)]
        return len(prefixes) > len(set(prefixes))

    def around(self, key: str) -> list[Reader]:
        """Find the jobs below whose prefix an object lies."""
        return [reader for reader in self.readers if key.startswith(reader.prefix)]

    def of(self, prefix: str) -> Folders:
        """Keep what matters for objects below a prefix, of which there may be many."""
        readers = (reader for reader in self.readers if nested(reader.prefix, prefix))
        return replace(self, readers=tuple(readers))

    def why_not(self, key: str, size: int = 1) -> Why | None:
        """Return why no job takes an object of so many bytes; None if one does."""
        if self.takers(key, size):
            return None
        around = self.around(key)
        rests = [key.removeprefix(reader.prefix) for reader in around] or [key]
        if key.startswith(self.written) or any(map(is_taken_name, rests)):
            return "ours"
        if any(reader.is_sign(key) for reader in around):
            return "sign"
        return _by_name(key, size, rests, "pattern" if around else "folder")

    def is_stray(self, key: str, size: int) -> bool:
        """Return whether an object looks like a file meant for a job, and has none."""
        return self.why_not(key, size) in STRAY

    def may_hold_strays(self, folder: str) -> bool:
        """Return whether a folder lies beside all that is read and written by the configuration."""
        meant = (reader.prefix for reader in self.readers)
        apart = not any(nested(folder, prefix) for prefix in meant)
        return apart and not folder.startswith(self.written) and not is_hidden(folder)


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


def _by_name(key: str, size: int, names: Sequence[str], otherwise: Why) -> Why:
    """Return whether the name of an object says that it is no data, or what is true otherwise."""
    if any(is_hidden(name) for name in names):
        return "hidden"
    if not size or is_mark(key):
        return "marker"
    if otherwise == "pattern" and any(is_unfinished(name, "**") for name in names):
        return "unfinished"
    if otherwise == "pattern" and any(is_companion(name, "**") for name in names):
        return "companion"
    return otherwise
