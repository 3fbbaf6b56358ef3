"""An object sent in parts, also while the file that it is made of is still being written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchanger.outside.s3.bodies import CHUNK
from exchanger.outside.s3.objects import UploadedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 8 << 20
"""
Bytes in one part: so few that the last one is soon sent once the file has ended; of 10,000 parts an
object has 80 GB.
"""

_SENDERS = 2


class GrowingUpload:
    """
    Sends a file that only grows at its end. Until it is finished there is no object.

    *grown*, *finish* and *give_up* are for one thread at a time. All raise ``StorageError``.

    Args:
        client: Gives the client, once it is needed.
        place: ``Bucket``, ``Key`` and ``ContentType``.
        checksum: ``ChecksumAlgorithm`` (CRC32) or nothing.
        guard: Makes a context in which boto3's errors become ours.
        whole: Sends a file at once: what happens to one that is finished before it has a part.
        part: Bytes in one part.
        senders: How many parts are sent at once.
    """

    def __init__(  # noqa: PLR0913 - the last two are for files that are there as a whole
        self,
        client: Callable[[], S3Client],
        place: dict[str, Any],
        checksum: dict[str, Any],
        guard: Callable[[], AbstractContextManager[None]],
        whole: Callable[[Path], UploadedObject],
        *,
        part: int = PART,
        senders: int = _SENDERS,
    ) -> None:
        self._client = client
        self._place = place
        self._checksum = checksum
        self._guard = guard
        self._whole = whole
        self._part = part
        self._senders = senders
        self._upload: dict[str, Any] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._parts: list[Future[CompletedPartTypeDef]] = []
        self._hasher: ThreadPoolExecutor | None = None
        self._hashing: Future[None] | None = None
        self._digest = hashlib.sha256()

    def grown(self, path: Path) -> None:
        """Begin to send the parts that the file has by now; what is in them changes no more."""
        whole_parts = path.stat().st_size // self._part
        while len(self._parts) < whole_parts:
            self._send(path)

    def finish(self, path: Path) -> UploadedObject:
        """Send what is left of a file that grows no more, and make the object."""
        if not self._parts:
            return self._whole(path)
        try:
            self.grown(path)
            size = path.stat().st_size
            if size > len(self._parts) * self._part:
                self._send(path)
            with self._guard():
                parts = [part.result() for part in self._parts]
                if self._hashing:
                    self._hashing.result()
                done = self._client().complete_multipart_upload(
                    **self._upload, MultipartUpload={"Parts": parts}
                )
        except BaseException:
            self.give_up()
            raise
        self._upload = {}
        self._end()
        return UploadedObject(done["ETag"].strip('"'), self._digest.hexdigest(), size)

    def give_up(self) -> None:
        """Remove what was sent, if anything was."""
        upload, self._upload = self._upload, {}
        self._end()
        if upload:
            with self._guard():
                self._client().abort_multipart_upload(**upload)

    def _send(self, path: Path) -> None:
        if self._pool is None or self._hasher is None:
            with self._guard():
                begun = self._client().create_multipart_upload(**self._place, **self._checksum)
            key = {name: self._place[name] for name in ("Bucket", "Key")}
            self._upload = {**key, "UploadId": begun["UploadId"]}
            self._pool = ThreadPoolExecutor(self._senders, "growing")
            # One alone, so that parts are hashed in order; whoever writes the file goes on.
            self._hasher = ThreadPoolExecutor(1, "hashing")
        start = len(self._parts) * self._part
        number = len(self._parts) + 1
        self._hashing = self._hasher.submit(self._hash, path, start, self._hashing)
        self._parts.append(self._pool.submit(self._send_part, path, start, number))

    def _hash(self, path: Path, start: int, before: Future[None] | None) -> None:
        if before is not None:
            before.result()  # What failed before is not passed over.
        with path.open("rb") as file:
            file.seek(start)
            left = self._part
            while left and (chunk := file.read(min(CHUNK, left))):
                self._digest.update(chunk)
                left -= len(chunk)

    def _send_part(self, path: Path, start: int, number: int) -> CompletedPartTypeDef:
        """Read a part when its turn comes, so that few are in memory."""
        with path.open("rb") as file:
            file.seek(start)
            body = file.read(self._part)
        part = self._client().upload_part(
            **self._upload, **self._checksum, PartNumber=number, Body=body
        )
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": part["ETag"]}
        if self._checksum:
            done["ChecksumCRC32"] = part["ChecksumCRC32"]
        return done

    def _end(self) -> None:
        """Wait until nothing is sent any more."""
        for pool in (self._pool, self._hasher):
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)
