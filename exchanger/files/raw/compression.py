"""Unpacking gzip and zstd files to disk, with bounded memory and bounded output."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Literal

from isal import igzip, igzip_lib

from exchanger.errors import FileRejected
from exchanger.files.scratch.arrow import pa

Compression = Literal["none", "gzip", "zstd"]

CHUNK = 4 << 20
"""Bytes that are unpacked at a time."""


_ISAL_ERROR: Any = igzip_lib.IsalError


@dataclass(frozen=True)
class UnpackLimits:
    """
    How far a file may grow when it is unpacked, so that a small file cannot fill the disk.

    Args:
        most_bytes: Bytes that no file may exceed.
        most_ratio: How many times its stored size a file may grow to, beyond ``free_bytes``.
        free_bytes: Bytes up to which the ratio does not matter.
    """

    most_bytes: int = 50 * 10**9
    most_ratio: int = 500
    free_bytes: int = 100 * 10**6

    def allow(self, stored: int, unpacked: int) -> bool:
        """Return whether a file of *stored* bytes may have given *unpacked* bytes."""
        if unpacked > self.most_bytes:
            return False
        return unpacked <= self.free_bytes or unpacked <= stored * self.most_ratio


DEFAULT_LIMITS = UnpackLimits()


@contextmanager
def unpacked(
    path: Path, key: str, compression: Compression, limits: UnpackLimits = DEFAULT_LIMITS
) -> Iterator[Path]:
    """
    Return the path of a file's uncompressed content; a temporary file next to it if need be.

    Several gzip members or zstd frames after one another are one content.

    Args:
        path: The file as stored.
        key: Its name for errors.
        compression: How it is compressed.
        limits: How far it may grow.

    Raises:
        FileRejected: ``damaged_gzip``, ``damaged_zstd`` or ``bomb``.
    """
    if compression == "none":
        yield path
        return
    # The folder is the caller's, who sized it for such files; the system's own may be small.
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".unpacked") as target:
        _unpack(path, key, compression, target, limits)
        target.flush()
        yield Path(target.name)


def _unpack(
    path: Path, key: str, compression: Compression, target: IO[bytes], limits: UnpackLimits
) -> None:
    stored, written = path.stat().st_size, 0
    with _open(path, compression) as source:
        while chunk := _read(source, key, compression):
            written += len(chunk)
            if not limits.allow(stored, written):
                message = (
                    f"The file has {stored:,} bytes and unpacks to more than {written:,}. "
                    "That is more than is read; split it into smaller files."
                )
                raise FileRejected(key, "bomb", message)
            target.write(chunk)


def _open(path: Path, compression: Compression) -> Any:
    if compression == "gzip":
        open_gzip: Any = igzip.open
        return open_gzip(path, "rb")
    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


def _read(source: Any, key: str, compression: Compression) -> bytes:
    try:
        return bytes(source.read(CHUNK))
    except (EOFError, _ISAL_ERROR, zlib.error, OSError) as error:
        # What the system refuses has a number; what the decoder refuses has none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        message = (
            f"The {compression} file is cut short or damaged ({error}). "
            "Pack it and drop it again; upload it whole before it gets its final name."
        )
        raise FileRejected(key, f"damaged_{compression}", message) from error
