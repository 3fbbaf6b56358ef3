"""Bodies of objects: read to the last byte or not at all, and sent in parts."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

CHUNK = 1 << 20
"""Bytes read at once."""

PART = 8 << 20
"""Bytes in one part of a multipart upload. S3 wants 5 MiB at least."""

_MOST_PARTS = 10_000
_SENDERS = 4


class WholeBody(io.RawIOBase):
    """
    The stream of an object's body; fails rather than ends early.

    Args:
        body: What boto3 gave. It compares the bytes read with ``Content-Length`` at the end.
        guard: Makes a context in which boto3's errors become ours.
    """

    def __init__(
        self, body: StreamingBody, guard: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._body = body
        self._guard = guard

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read some bytes into *buffer*; 0 means the whole body was read."""
        room = memoryview(buffer).cast("B")
        with self._guard():
            chunk = self._body.read(len(room))
        room[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Release the connection."""
        if not self.closed:
            self._body.close()
        super().close()


def chunks(body: BinaryIO) -> Iterator[bytes]:
    """Read a stream to its end, piece by piece."""
    while chunk := body.read(CHUNK):
        yield chunk


def sha256_of(path: Path) -> str:
    """Compute the hex SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def part_size(size: int) -> int:
    """Choose the bytes in a part so that S3's limit of 10,000 parts is kept."""
    return max(PART, -(-size // _MOST_PARTS))


def upload_in_parts(
    client: S3Client,
    place: dict[str, Any],
    path: Path,
    checksum: dict[str, Any],
) -> str:
    """
    Write a large file as one object. If anything fails the parts are removed.

    Args:
        client: The client.
        place: ``Bucket``, ``Key`` and ``ContentType``.
        path: The file.
        checksum: ``ChecksumAlgorithm`` (CRC32) or nothing.

    Returns:
        The ETag, without quotes.
    """
    upload_id = client.create_multipart_upload(**place, **checksum)["UploadId"]
    place = {"Bucket": place["Bucket"], "Key": place["Key"], "UploadId": upload_id}
    try:
        parts = _send_parts(client, place, path, checksum)
        done = client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    except BaseException:
        client.abort_multipart_upload(**place)
        raise
    return done["ETag"].strip('"')


def _send_parts(
    client: S3Client, place: dict[str, Any], path: Path, checksum: dict[str, Any]
) -> list[CompletedPartTypeDef]:
    """Send the parts, a few at a time; each is read when its turn comes, so memory stays small."""
    size = path.stat().st_size
    length = part_size(size)

    def send(number: int) -> CompletedPartTypeDef:
        with path.open("rb") as file:
            file.seek((number - 1) * length)
            body = file.read(length)
        part = client.upload_part(**place, **checksum, PartNumber=number, Body=body)
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": part["ETag"]}
        if checksum:
            done["ChecksumCRC32"] = part["ChecksumCRC32"]
        return done

    pool = ThreadPoolExecutor(_SENDERS, thread_name_prefix="part")
    try:
        return list(pool.map(send, range(1, -(-size // length) + 1)))
    finally:
        # After one part failed the others are of no use; those under way are waited for, so that
        # nothing is sent any more when the upload is given up.
        pool.shutdown(wait=True, cancel_futures=True)
