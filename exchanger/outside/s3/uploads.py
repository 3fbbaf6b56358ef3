"""How objects come into a bucket: from memory, from a file, or from a file that still grows."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from exchanger.errors import StorageMissing
from exchanger.outside.s3.access import BucketAccess
from exchanger.outside.s3.bodies import PART, sha256_of, upload_in_parts
from exchanger.outside.s3.growing import GrowingUpload
from exchanger.outside.s3.objects import UploadedObject, date_of


class BucketUploads(BucketAccess):
    """The writing side of ``Bucket``; see the top of ``bucket.py`` on conditional writes."""

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
                the top of ``bucket.py``.
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
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
    ) -> UploadedObject:
        """
        Write a file as an object, in parts if it is large. A failed upload leaves no object.

        Args:
            key: The object's key.
            path: The file. It must not change meanwhile.
            if_none_match: Only if there is no object of that key.
            content_type: What it is.

        Raises:
            StorageChanged: There is one, which may be our own; see the top of ``bucket.py``.
        """
        size = path.stat().st_size
        if size <= PART:
            body = path.read_bytes()
            etag = self.write(key, body, if_none_match=if_none_match, content_type=content_type)
        else:
            place = {"Bucket": self.name, "Key": key, "ContentType": content_type}
            etag = self._again(lambda: self._upload_in_parts(place, path, if_none_match))
        return UploadedObject(etag, sha256_of(path), size)

    def upload_growing(self, key: str) -> GrowingUpload:
        """
        Write a file as an object while it is still being written itself.

        Nothing is sent before the file has a whole part, and there is no object before it is
        finished.

        Args:
            key: The object's key.
        """
        return GrowingUpload(
            lambda: self._client,
            {"Bucket": self.name, "Key": key, "ContentType": "application/octet-stream"},
            self._part_checksum,
            lambda: self._typed("write", key),
            lambda path: self.upload(key, path),
        )

    def abort_uploads(self, prefix: str, older_than: timedelta) -> int:
        """
        Give up uploads in parts that a killed process began: their parts are stored, and paid for.

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

    def _upload_in_parts(self, place: dict[str, str], path: Path, if_none_match: bool) -> str:  # noqa: FBT001
        with self._typed("write", place["Key"]):
            return upload_in_parts(
                self._client,
                place,
                path,
                condition={"IfNoneMatch": "*"} if if_none_match else {},
                checksum=self._part_checksum,
            )

    @property
    def _part_checksum(self) -> dict[str, str]:
        """boto3 sends CRC32 with every part to AWS, which must be told so beforehand."""
        return {} if self._config.endpoint_url else {"ChecksumAlgorithm": "CRC32"}
