"""Where the files of a Delta table lie, for who puts files there without the library."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol


class Upload(Protocol):
    """A file on its way; as ``outside.s3.growing.GrowingUpload``."""

    def grown(self, path: Path) -> None:
        """Send what the file has by now; that changes no more."""
        ...

    def finish(self, path: Path) -> object:
        """Send what is left of a file that grows no more; only then is it there."""
        ...

    def give_up(self) -> None:
        """Remove what was sent, if anything was."""
        ...


class Folder(Protocol):
    """Where the files of a table lie."""

    def upload(self, name: str) -> Upload:
        """Begin to put a file there."""
        ...

    def delete(self, names: Iterable[str]) -> None:
        """Remove files."""
        ...


class _Objects(Protocol):
    def upload_growing(self, key: str) -> Upload: ...

    def delete(self, keys: Iterable[str]) -> None: ...


class BucketFolder:
    """
    The objects below a prefix.

    Args:
        bucket: The bucket.
        prefix: The table's; with or without a slash at its end.
    """

    def __init__(self, bucket: _Objects, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix.rstrip("/") + "/"

    def upload(self, name: str) -> Upload:
        """Begin to put a file there."""
        return self._bucket.upload_growing(self._prefix + name)

    def delete(self, names: Iterable[str]) -> None:
        """Remove files."""
        self._bucket.delete(self._prefix + name for name in names)


class LocalFolder:
    """
    A folder of this machine.

    Args:
        path: It need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def upload(self, name: str) -> Upload:
        """Begin to put a file there."""
        return _Copy(self._path / name)

    def delete(self, names: Iterable[str]) -> None:
        """Remove files."""
        for name in names:
            (self._path / name).unlink(missing_ok=True)


class _Copy:
    def __init__(self, to: Path) -> None:
        self._to = to

    def grown(self, path: Path) -> None:
        """Do nothing: it is copied when it is whole."""

    def finish(self, path: Path) -> None:
        self._to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self._to)

    def give_up(self) -> None:
        """Do nothing: nothing was copied."""
