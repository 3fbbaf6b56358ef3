"""Unpacking gzip and zstd files to disk, with bounded memory and bounded output."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Literal

from isal import igzip_lib

from exchanger.errors import FileRejected
from exchanger.files.scratch.arrow import pa

Compression = Literal["none", "gzip", "zstd"]

CHUNK = 4 << 20
"""Bytes that are unpacked at a time."""


_STORED = 1 << 20
"""Bytes that are read at a time."""
_BEHIND = b"\0 \t\r\n\x1a"
"""What is no member of a gzip file, and may stand behind one."""
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
        FileRejected: ``damaged_gzip``, ``damaged_zstd``, ``large_window`` or ``bomb``.
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
    with closing(_chunks(path, key, compression)) as chunks:
        for chunk in chunks:
            written += len(chunk)
            if not limits.allow(stored, written):
                message = (
                    f"The file has {stored:,} bytes and unpacks to more than {written:,}. "
                    "That is more than is read; split it into smaller files."
                )
                raise FileRejected(key, "bomb", message)
            target.write(chunk)


def _chunks(path: Path, key: str, compression: Compression) -> Generator[bytes]:
    try:
        yield from _gunzipped(path) if compression == "gzip" else _unzstd(path)
    except (EOFError, _ISAL_ERROR, zlib.error, OSError) as error:
        # What the system refuses has a number; what the decoder refuses has none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if "too much memory" in str(error):
            message = (
                "The zstd file needs more memory to be unpacked than is read with. Pack it without "
                "--long and --ultra."
            )
            raise FileRejected(key, "large_window", message) from error
        message = (
            f"The {compression} file is cut short or damaged ({error}). "
            "Pack it and drop it again; upload it whole before it gets its final name."
        )
        raise FileRejected(key, f"damaged_{compression}", message) from error


def _unzstd(path: Path) -> Generator[bytes]:
    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as source:
        while chunk := bytes(source.read(CHUNK)):
            yield chunk


def _gunzipped(path: Path) -> Generator[bytes]:
    """
    Yield the content of one gzip member after the other.

    Behind a member may be what transfers add to files, and what tapes fill them up with.

    Raises:
        EOFError: The last member is cut short.
        IsalError: It is damaged.
    """
    with path.open("rb") as file:
        data = file.read(_STORED)
        while data:
            member: Any = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
            while not member.eof:
                if not data and member.needs_input:
                    raise EOFError("it ends within")
                chunk = member.decompress(data, CHUNK)
                if chunk:
                    yield chunk
                data = b"" if member.eof or not member.needs_input else file.read(_STORED)
            data = member.unused_data
            while not data.lstrip(_BEHIND) and (more := file.read(_STORED)):
                data = more
            data = data.lstrip(_BEHIND)
