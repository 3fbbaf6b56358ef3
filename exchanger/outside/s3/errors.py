"""What S3 answers when it does not do what was asked, as our own errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exchanger.errors import (
    StorageCorrupt,
    StorageDenied,
    StorageError,
    StorageUnreachable,
    StorageUnreadable,
)
from exchanger.outside.store_codes import kind_of

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_UNREADABLE = frozenset({"InvalidObjectState", "InvalidRequest", "KMS"})


@contextmanager
def as_storage_errors(
    action: str, bucket: str, key: str, clean: Callable[[str], str]
) -> Iterator[None]:
    """
    Raise what boto3 raises inside of the block as a ``StorageError``.

    Args:
        action: What was being done, such as ``list``.
        bucket: The bucket's name.
        key: The object's key, or a prefix.
        clean: Takes secrets out of text.

    Raises:
        StorageDenied: Credentials are missing, wrong or expired, or lack a permission.
        StorageMissing: No such object; no such bucket if ``key`` is empty.
        StorageChanged: A condition did not hold.
        StorageConflict: 409, a competing write.
        StorageCorrupt: The body was cut short or failed its checksum.
        StorageUnreadable: The object is archived, or encrypted with a key that S3 does not have.
        StorageUnreachable: No answer, or a fault of the server, after all of boto3's retries.
        StorageError: Anything else, such as an invalid bucket name.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _answered(error, action, bucket, key, clean) from error
    except BotoCoreError as error:
        raise _failed(error)(action, bucket, key, clean(str(error))) from error


def _answered(
    error: ClientError, action: str, bucket: str, key: str, clean: Callable[[str], str]
) -> StorageError:
    told = error.response.get("Error", {})
    code, message = str(told.get("Code") or ""), str(told.get("Message") or "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = kind_of(code, status)
    if code == "NoSuchBucket":
        key = ""
    if action == "read" and code.partition(".")[0] in _UNREADABLE:
        kind = StorageUnreadable
    return kind(action, bucket, key, clean(f"{code or status}: {message}"), code=code)


def _failed(error: BotoCoreError) -> type[StorageError]:
    """Choose the error for a failure on our side of the wire."""
    from botocore import exceptions as boto

    if isinstance(
        error,
        (
            boto.IncompleteReadError,
            boto.ResponseStreamingError,
            boto.FlexibleChecksumError,
            boto.ChecksumError,
        ),
    ):
        return StorageCorrupt
    if isinstance(error, (boto.HTTPClientError, boto.ConnectionError)):
        return StorageUnreachable
    if isinstance(
        error,
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.TokenRetrievalError,
            boto.SSOError,
            boto.ProfileNotFound,
        ),
    ):
        return StorageDenied
    return StorageError
