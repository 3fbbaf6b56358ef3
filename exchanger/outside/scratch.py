"""
The folder for what a run does not keep in memory: its room, and what others left there.

Who has such a folder holds a lock on a file in it. The lock goes with its process, however that
ends, also in another container on the same disk.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from exchanger.errors import ExchangerError, NoRoom

LITTLE = 512 << 20
"""Bytes: with less room than that, large runs are likely to fail."""

_PREFIX = "exchanger-"
_LOCK = ".in-use"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Libraries that are no Python say it in words only.
_IN_WORDS = re.compile(
    rf"os error ({'|'.join(map(str, _NO_ROOM))})\b|No space left on device|Disk quota exceeded"
    "|File too large"
)
_TOO_YOUNG = 60
"""Seconds within which a folder may be without its lock, as it is being made."""


class Scratch:
    """
    A new folder, whose files are of no use once it is closed.

    Raises:
        NoRoom: It cannot be made.
    """

    def __init__(self) -> None:
        folder = "TMPDIR"
        try:
            folder = tempfile.gettempdir()
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._lock = (self.path / _LOCK).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NoRoom(folder, room(folder), 0, _limit(), str(error)) from error

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """
    Create a folder that goes when the context closes.

    Raises:
        NoRoom: It cannot be made, or what is done meanwhile has no room there.
    """
    scratch = Scratch()
    try:
        with demanding_room(scratch.path):
            yield scratch.path
    finally:
        scratch.close()


@contextmanager
def demanding_room(folder: Path) -> Iterator[None]:
    """
    Raise as what it is that a disk is full, whoever notices it.

    Raises:
        NoRoom: Something inside of the block failed for want of room.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, NoRoom) or not _is_no_room(error):
            raise
        used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        raise NoRoom(str(folder.parent), room(folder), used, _limit(), str(error)) from error


def room(folder: Path | str) -> int:
    """Return how many bytes are free in a folder; none if it is not there."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def demand_room() -> None:
    """
    Look whether there is room for a large run.

    Raises:
        NoRoom: There is little, or files may not become large.
    """
    folder, limit = tempfile.gettempdir(), _limit()
    free = room(folder)
    if min(free, limit or free) < LITTLE:
        raise NoRoom(folder, free, 0, limit, "little room")


def sweep() -> list[str]:
    """
    Remove the folders of processes that were killed; only our own, and only of dead ones.

    Returns:
        What was removed.
    """
    swept: list[str] = []
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)
                swept.append(str(folder))
    return swept


def _is_left_behind(folder: Path) -> bool:
    told = folder.lstat()
    if folder.is_symlink() or not folder.is_dir() or told.st_uid != os.getuid():
        return False
    if time.time() - told.st_ctime < _TOO_YOUNG:
        return False
    with (folder / _LOCK).open("r+") as lock:
        # Fails while its process lives.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True


def _is_no_room(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _NO_ROOM:
            return True
        if not isinstance(seen, ExchangerError) and _IN_WORDS.search(str(seen)):
            # A store may be full as well; that is in the words of our own errors too.
            return not isinstance(error, ExchangerError)
        seen = seen.__cause__ or seen.__context__
    return False


def _limit() -> int | None:
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if most == resource.RLIM_INFINITY else most
