"""
Objects that go to another place of their bucket, or get tags: one exact version of each, or none.

S3 has no request that moves. An object is copied, and then deleted only if it still is the version
that was copied: what was written under its name meanwhile stays there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from exchanger.errors import (
    StorageChanged,
    StorageError,
    StorageMissing,
    StorageUnreachable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, HeadObjectOutputTypeDef

Became = Literal["moved", "tagged", "replaced"]
"""
What became of an object: it lies at its new place; it has the tags; it was replaced or deleted
meanwhile, so that it was left as it is.
"""
NOT_SUPPORTED = frozenset({"NotImplemented", "MethodNotAllowed", "UnsupportedOperation"})
"""What stores say of requests that they do not know."""

_AT_ONCE = 1 << 30
"""Bytes that are copied by one request: S3 takes five times as many, but not as long to answer."""
_PART = 512 << 20
_MOST_PARTS = 10_000
_SENDERS = 4
_MOST_TAGS = 10
_PLACED = ("StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
"""How an object is kept, which a copy must be told."""
_DESCRIBED = (
    "Metadata", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage",
    "ContentType",
)  # fmt: skip
"""What is said of an object, which a copy in parts must be told as well."""


class Mover:
    """
    Moves and tags objects of one bucket. *move* and *tag* raise ``StorageError``.

    The first one is for one thread alone; from then on several may use it.

    Args:
        client: Gives the client.
        bucket: The bucket's name.
        typed: Makes a context in which boto3's errors become ours.
        is_aws: Whether the store is AWS, which is known to honour conditions.
        at_once: Bytes that are copied by one request.
        part: Bytes of a part of what is larger.
    """

    def __init__(  # noqa: PLR0913 - the two sizes are as they are, but for trying it out
        self,
        client: Callable[[], S3Client],
        bucket: str,
        typed: Callable[[str, str], AbstractContextManager[None]],
        *,
        is_aws: bool,
        at_once: int = _AT_ONCE,
        part: int = _PART,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._typed = typed
        self._conditional = is_aws
        self._is_aws = is_aws
        self._at_once = at_once
        self._part = part

    def move(self, key: str, etag: str, target: str, tags: Mapping[str, str]) -> Became:
        """
        Move one version of an object; may be done again.

        Args:
            key: The object.
            etag: The version.
            target: Where to: a name that nobody else uses.
            tags: Tags that it gets beside those that it has.

        Raises:
            StorageUnreachable: Nobody knows how far it came; to do it again finds out.
            StorageError: It is where it was; ``action`` says what failed: ``copy``, ``delete`` or
                ``tag``.
        """
        found = self._head(key, etag)
        if found is None:
            return "moved" if self._head(target) is not None else "replaced"
        copied = self._copy(key, etag, target, found, tags)
        try:
            still_there = self._remove(key, etag, target)
        except StorageUnreachable:
            raise  # It may be gone by now, and then the copy is all that there is.
        except StorageError:
            # A copy too many does no harm; why the object stays is what has to be told.
            with suppress(StorageError):
                self._delete(target)
            raise
        if still_there and not self._is_aws and copied != etag:
            # A store that ignores conditions may have copied what nobody has read.
            self._delete(target)
            return "replaced"
        return "moved"

    def tag(self, key: str, etag: str, tags: Mapping[str, str]) -> Became:
        """
        Tag one version of an object, beside the tags that it has; may be done again.

        Raises:
            StorageError: It has not got them.
        """
        found = self._head(key, etag)
        if found is None:
            return "replaced"
        version = _version_of(found)
        self._put_tags(key, version, self._joined(key, version, tags))
        if version or self._head(key, etag) is not None:
            return "tagged"
        # Without versions it may be that the tags met what was written a moment ago.
        others = {name: value for name, value in self._tags(key, {}).items() if name not in tags}
        self._put_tags(key, {}, others)
        return "replaced"

    def _head(self, key: str, etag: str = "") -> HeadObjectOutputTypeDef | None:
        """Look at an object; None if it is not there, or is another version."""
        condition: dict[str, Any] = {"IfMatch": f'"{etag}"'} if etag else {}
        try:
            with self._typed("copy", key):
                return self._client().head_object(Bucket=self._bucket, Key=key, **condition)
        except (StorageMissing, StorageChanged):
            return None

    def _copy(
        self,
        key: str,
        etag: str,
        target: str,
        found: HeadObjectOutputTypeDef,
        tags: Mapping[str, str],
    ) -> str:
        """Copy an object, with all that is said of it and how it is kept; returns the ETag."""
        content: Any = found
        source: Any = {
            "CopySource": {"Bucket": self._bucket, "Key": key},
            "CopySourceIfMatch": f'"{etag}"',
        }
        kept: dict[str, Any] = {name: content[name] for name in _PLACED if content.get(name)}
        whole = found["ContentLength"] <= self._at_once
        if tags or not whole:
            kept["Tagging"] = urlencode(self._joined(key, {}, tags))
        place: dict[str, Any] = {"Bucket": self._bucket, "Key": target}
        with self._typed("copy", key):
            if not whole:
                kept |= {name: content[name] for name in _DESCRIBED if content.get(name)}
                return self._copy_in_parts(place, source, kept, found["ContentLength"])
            if tags:
                kept["TaggingDirective"] = "REPLACE"
            done = self._client().copy_object(**place, **source, **kept)
        return done["CopyObjectResult"]["ETag"].strip('"')

    def _copy_in_parts(
        self, place: dict[str, Any], source: dict[str, Any], kept: dict[str, Any], size: int
    ) -> str:
        client, length = self._client(), max(self._part, -(-size // _MOST_PARTS))
        begun = client.create_multipart_upload(**place, **kept)
        upload = place | {"UploadId": begun["UploadId"]}

        def copy(number: int) -> CompletedPartTypeDef:
            start = (number - 1) * length
            last = min(start + length, size) - 1
            part = client.upload_part_copy(
                **upload, **source, PartNumber=number, CopySourceRange=f"bytes={start}-{last}"
            )
            return {"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]}

        try:
            with ThreadPoolExecutor(_SENDERS, "copying") as pool:
                parts = list(pool.map(copy, range(1, -(-size // length) + 1)))
            done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except BaseException:
            client.abort_multipart_upload(**upload)
            raise
        return done["ETag"].strip('"')

    def _remove(self, key: str, etag: str, copy: str) -> bool:
        """
        Delete an object if it still is the version that was copied.

        Returns:
            Whether another version is there, which stays.

        Raises:
            StorageError: ``NotImplemented``, if the store would delete whatever there is.
        """
        if not self._conditional:
            self._demand_conditions(copy)
        try:
            self._delete(key, etag)
        except StorageMissing:
            return False  # Somebody else was quicker.
        except StorageChanged:
            return True
        return False

    def _demand_conditions(self, copy: str) -> None:
        """Find out by our own copy whether the store deletes something else than it is told."""
        try:
            # Of a request that boto3 sent again, the first may have deleted it already.
            with suppress(StorageMissing):
                self._delete(copy, "0" * 32)
        except StorageChanged:
            self._conditional = True
            return
        said = "the store ignores If-Match when it deletes"
        raise StorageError("delete", self._bucket, copy, said, code="NotImplemented")

    def _delete(self, key: str, etag: str = "") -> None:
        condition: dict[str, Any] = {"IfMatch": f'"{etag}"'} if etag else {}
        with self._typed("delete", key):
            self._client().delete_object(Bucket=self._bucket, Key=key, **condition)

    def _joined(self, key: str, version: dict[str, Any], tags: Mapping[str, str]) -> dict[str, str]:
        """Return the tags of an object with some more."""
        joined = {**self._tags(key, version), **tags}
        if len(joined) > _MOST_TAGS:
            said = f"it would have {len(joined)} tags, and S3 takes {_MOST_TAGS}"
            raise StorageError("tag", self._bucket, key, said)
        return joined

    def _tags(self, key: str, version: dict[str, Any]) -> dict[str, str]:
        with self._typed("tag", key):
            found = self._client().get_object_tagging(Bucket=self._bucket, Key=key, **version)
        return {each["Key"]: each["Value"] for each in found["TagSet"]}

    def _put_tags(self, key: str, version: dict[str, Any], tags: Mapping[str, str]) -> None:
        wanted: Any = [{"Key": name, "Value": value} for name, value in tags.items()]
        with self._typed("tag", key):
            self._client().put_object_tagging(
                Bucket=self._bucket, Key=key, Tagging={"TagSet": wanted}, **version
            )


def _version_of(found: HeadObjectOutputTypeDef) -> dict[str, Any]:
    """Name the version of an object, where its bucket has versions."""
    version = found.get("VersionId", "null")
    return {} if version == "null" else {"VersionId": version}
