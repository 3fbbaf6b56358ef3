"""
The bucket. boto3 is imported by the modules of this room, nowhere else.

Every failure is raised as one of the ``Storage...`` errors. boto3 itself tries again where the
network or the server is at fault; what is raised has outlived that.

A conditional write may reach S3, lose its answer and be sent again by boto3; the second attempt
then meets the object of the first and fails with ``StorageChanged`` although the write is ours.
Whoever must know reads the object back and compares: an equal body means that the write happened.
So what is written conditionally carries something unique, such as a nonce; without one, two writers
of equal bodies both believe they won, for equal bodies also have equal ETags.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from exchanger.config.models import S3Config
from exchanger.errors import (
    StorageCorrupt,
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
)
from exchanger.outside.clock import Clock, SystemClock
from exchanger.outside.s3.access import BucketAccess
from exchanger.outside.s3.bodies import CHUNK, PART, WholeBody, chunks, part_size, sha256_of
from exchanger.outside.s3.checksums import Checksums, new_md5
from exchanger.outside.s3.client import options_for_deltalake
from exchanger.outside.s3.growing import GrowingUpload
from exchanger.outside.s3.mover import Mover
from exchanger.outside.s3.objects import ObjectInfo, UploadedObject, date_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, ObjectTypeDef

    from exchanger.outside.delta.table import Table

__all__ = ["Bucket", "ObjectInfo", "UploadedObject"]

_DELETED_AT_ONCE = 1000
_SENDERS = 4
"""Parts of a file that are sent at once."""


class Bucket:
    """
    One bucket. Safe to use from several threads.

    Args:
        config: Where it is and whose credentials to use.
        clock: Time, for the pauses between attempts of our own.
    """

    def __init__(self, config: S3Config, *, clock: Clock | None = None) -> None:
        self.name = config.bucket
        self._config = config
        self._access = BucketAccess(config, clock or SystemClock())
        self._typed, self._again = self._access.typed, self._access.again
        self._checksums = Checksums()

    def __repr__(self) -> str:
        return f"Bucket({self.name!r})"

    @property
    def _client(self) -> S3Client:
        return self._access.client

    def now(self) -> datetime:
        """Return the time of day by the clock of the store, in UTC: all hosts agree on it."""
        return self._access.now()

    def list(self, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        """
        Go through the objects below *prefix*, in the order of their keys' bytes.

        Args:
            prefix: Keys begin with it.
            start_after: Only keys after this one.
        """
        options: dict[str, Any] = {"StartAfter": start_after} if start_after else {}
        while True:
            with self._typed("list", prefix):
                page = self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, **options)
            seen_at = date_of(page)
            for entry in page.get("Contents", []):
                yield _object(entry, seen_at)
            if not page.get("IsTruncated"):
                return
            options = {"ContinuationToken": page["NextContinuationToken"]}

    def level(self, prefix: str) -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        """
        Look at one folder alone, with one request: at most a thousand folders and objects.

        Returns:
            The folders in it, each with its prefix and a slash at its end, and the objects.
        """
        with self._typed("list", prefix):
            page = self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, Delimiter="/")
        folders = [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        return folders, [_object(entry, date_of(page)) for entry in page.get("Contents", [])]

    def head(self, key: str) -> ObjectInfo:
        """
        Look at one object.

        Raises:
            StorageMissing: There is no such object, or no such bucket.
        """
        try:
            with self._typed("look at", key):
                found = self._client.head_object(Bucket=self.name, Key=key)
        except StorageMissing:
            # The answer to HEAD has no body, so it cannot say which of the two is missing.
            self._demand_bucket()
            raise
        return ObjectInfo(
            key=key,
            etag=found["ETag"].strip('"'),
            size=found["ContentLength"],
            last_modified=found["LastModified"],
            seen_at=date_of(found),
        )

    def read(self, key: str, etag: str | None = None) -> tuple[bytes, str]:
        """
        Read a small object into memory.

        Args:
            key: Its key.
            etag: Only this version.

        Returns:
            The body and its ETag.

        Raises:
            StorageMissing: There is no such object.
            StorageChanged: It is no longer that version.
            StorageCorrupt: The body was cut short, or changed on its way, each time it was read.
        """

        def once() -> tuple[bytes, str]:
            with self._opened(key, etag) as (body, found):
                content, md5 = body.read(), new_md5()
            md5.update(content)
            self._demand_whole(key, found, md5.hexdigest())
            return content, found["ETag"].strip('"')

        return self._again(once)

    @contextmanager
    def open(self, key: str, etag: str | None = None) -> Iterator[BinaryIO]:
        """
        Stream an object, without seeking.

        Reading to the end of a body that was cut short raises ``StorageCorrupt``; nothing is tried
        again, as the reader may have used the first part.

        Args:
            key: Its key.
            etag: Only this version.
        """
        with self._opened(key, etag) as (body, _):
            yield body

    def download(self, key: str, etag: str, path: Path) -> str:
        """
        Write exactly that version of an object to a file. A torn body is read again.

        Returns:
            The hex SHA-256 of the content.

        Raises:
            StorageMissing: There is no such object.
            StorageChanged: It is no longer that version.
            StorageCorrupt: The body was cut short, or changed on its way, each time it was read.
        """

        def once() -> str:
            digest, md5 = hashlib.sha256(), new_md5()
            with self._opened(key, etag) as (body, found), path.open("wb") as file:
                for chunk in chunks(body):
                    digest.update(chunk)
                    md5.update(chunk)
                    file.write(chunk)
            self._demand_whole(key, found, md5.hexdigest())
            return digest.hexdigest()

        return self._again(once)

    def write(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
    ) -> str:
        """
        Write a small object. A write that met a competing one (409) is sent again.

        Args:
            key: Its key.
            body: The content.
            if_match: Only over the version with this ETag.
            if_none_match: Only if there is no object of that key.
            content_type: What it is.

        Returns:
            The new ETag.

        Raises:
            StorageChanged: The condition did not hold, or our own write had lost its answer; see
                the top of this module.
            StorageMissing: With ``if_match``, there is no object at all.
        """
        options: dict[str, Any] = {"ContentType": content_type}
        if if_match is not None:
            options["IfMatch"] = f'"{if_match}"'
        if if_none_match:
            options["IfNoneMatch"] = "*"

        def once() -> str:
            with self._typed("write", key):
                done = self._client.put_object(Bucket=self.name, Key=key, Body=body, **options)
            return done["ETag"].strip('"')

        return self._again(once)

    def upload(
        self,
        key: str,
        path: Path,
        *,
        content_type: str = "application/octet-stream",
    ) -> UploadedObject:
        """
        Write a file as an object, in parts if it is large. A failed upload leaves no object.

        Args:
            key: The object's key.
            path: The file. It must not change meanwhile.
            content_type: What it is.
        """
        size = path.stat().st_size
        if size <= PART:
            etag = self.write(key, path.read_bytes(), content_type=content_type)
            return UploadedObject(etag, sha256_of(path), size)

        def once() -> UploadedObject:
            upload = self._in_parts(key, content_type, part=part_size(size), senders=_SENDERS)
            upload.grown(path)
            return upload.finish(path)

        return self._again(once)

    def upload_growing(self, key: str) -> GrowingUpload:
        """
        Write a file as an object while it is still being written itself.

        Nothing is sent before the file has a whole part, and there is no object before it is
        finished.
        """
        return self._in_parts(key, "application/octet-stream")

    def abort_uploads(self, prefix: str, older_than: timedelta) -> int:
        """
        Abort uploads in parts that a killed process began: their parts are stored, and paid for.

        Of very many, the first thousand; the others the next time.

        Args:
            prefix: Only those of keys that begin with it.
            older_than: Only those begun longer ago, by S3's clock alone.

        Returns:
            How many.
        """
        with self._typed("list uploads", prefix):
            page = self._client.list_multipart_uploads(Bucket=self.name, Prefix=prefix)
        now = date_of(page)
        given_up = 0
        for upload in page.get("Uploads", []):
            if now is None or now - upload["Initiated"] <= older_than:
                continue
            with suppress(StorageMissing), self._typed("give up an upload of", upload["Key"]):
                self._client.abort_multipart_upload(
                    Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"]
                )
                given_up += 1
        return given_up

    def delete(self, keys: Iterable[str]) -> None:
        """
        Delete objects; one that does not exist counts as deleted.

        Raises:
            StorageDenied: S3 refused to delete at least one of them.
            StorageError: At least one of them was not deleted for another reason.
        """
        rest = iter(keys)
        while batch := [*islice(rest, _DELETED_AT_ONCE)]:
            with self._typed("delete", batch[0]):
                answer = self._client.delete_objects(
                    Bucket=self.name,
                    Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True},
                )
            if errors := answer.get("Errors"):
                first = errors[0]
                code = first.get("Code", "")
                kind = StorageDenied if code == "AccessDenied" else StorageError
                detail = f"{len(errors)} of {len(batch)} not deleted: {code} {first.get('Message')}"
                raise kind("delete", self.name, first.get("Key", ""), self._access.clean(detail))

    def mover(self) -> Mover:
        """Return what moves and tags objects of the bucket."""
        is_aws = self._config.endpoint_url is None
        return Mover(lambda: self._client, self.name, self._typed, is_aws=is_aws)

    def storage_options(self) -> dict[str, str]:
        """
        Return for the deltalake library how to reach this bucket.

        The credentials are those of this moment. Temporary ones expire, so ask again for each table
        that is opened.

        Raises:
            StorageDenied: There are no credentials.
        """
        with self._typed("find credentials for", ""):
            return options_for_deltalake(self._access.session, self._client)

    def table(self, prefix: str) -> Table:
        """Name the Delta table whose files lie below *prefix*. Nothing is read or written yet."""
        from exchanger.outside.delta.folders import BucketFolder
        from exchanger.outside.delta.table import Table

        uri, folder = f"s3://{self.name}/{prefix}", BucketFolder(self, prefix)
        return Table(uri, self.storage_options, self._access.clock.sleep, folder)

    @contextmanager
    def _opened(
        self, key: str, etag: str | None
    ) -> Iterator[tuple[BinaryIO, GetObjectOutputTypeDef]]:
        options: dict[str, Any] = {} if etag is None else {"IfMatch": f'"{etag}"'}
        with self._typed("read", key):
            found = self._client.get_object(Bucket=self.name, Key=key, **options)
        whole = WholeBody(found["Body"], lambda: self._reading(key))
        with io.BufferedReader(whole, CHUNK) as body:
            yield cast("BinaryIO", body), found

    def _demand_whole(self, key: str, found: GetObjectOutputTypeDef, md5: str) -> None:
        if not self._checksums.agree(key, found, md5):
            raise StorageCorrupt("read", self.name, key, "its MD5 is not its ETag")

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        """A connection that dies within a body tears the body."""
        try:
            with self._typed("read", key):
                yield
        except StorageUnreachable as error:
            raise StorageCorrupt("read", self.name, key, error.detail) from error

    def _in_parts(self, key: str, content_type: str, **sizes: int) -> GrowingUpload:
        return GrowingUpload(
            lambda: self._client,
            {"Bucket": self.name, "Key": key, "ContentType": content_type},
            self._part_checksum,
            lambda: self._typed("write", key),
            lambda path: self.upload(key, path),
            **sizes,
        )

    @property
    def _part_checksum(self) -> dict[str, str]:
        """boto3 sends CRC32 with every part to AWS, which must be told so beforehand."""
        return {} if self._config.endpoint_url else {"ChecksumAlgorithm": "CRC32"}

    def _demand_bucket(self) -> None:
        try:
            with self._typed("look at", ""):
                self._client.head_bucket(Bucket=self.name)
        except StorageDenied:
            # Not allowed to ask: then the object is what is missing, as far as anybody can tell.
            return


def _object(entry: ObjectTypeDef, seen_at: datetime | None) -> ObjectInfo:
    return ObjectInfo(
        key=entry["Key"],
        etag=entry["ETag"].strip('"'),
        size=entry["Size"],
        last_modified=entry["LastModified"],
        seen_at=seen_at,
    )
