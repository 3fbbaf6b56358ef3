"""Files that S3 has and does not give out: what they are told as. Others are not affected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.errors import (
    StorageChanged,
    StorageDenied,
    StorageMissing,
    StorageUnreadable,
)
from exchanger.jobs.runtime.report import FileReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.errors import StorageError

_DENIED = "AccessDenied"
_THEN = "It is taken by the first run that can read it."
_ARCHIVED = (
    "It is archived, and S3 does not give it out. Restore it (aws s3api restore-object), or copy it"
    " to the storage class STANDARD."
)
_LOCKED = (
    "It is encrypted with a key of its sender (SSE-C), which only the sender has. Have it uploaded"
    " without one."
)
_NO_KEY = (
    "The key that it is encrypted with cannot be used. Have the key enabled in KMS, or the file"
    " encrypted with another one."
)
_NO_DECRYPTING = "These credentials may not use the key that it is encrypted with: allow"
_NO_READING = (
    "These credentials may not read it: allow them s3:GetObject on it. If another account owns the"
    " object, have it uploaded with the ACL bucket-owner-full-control."
)


def is_about_one_file(error: StorageError) -> bool:
    """Return whether only this object cannot be read, as far as anybody can tell."""
    return isinstance(error, StorageUnreadable) or error.code == _DENIED


def is_gone(error: StorageError) -> bool:
    """Return whether the object was replaced or deleted since it was listed."""
    return isinstance(error, StorageChanged | StorageMissing)


def is_denied(error: StorageError) -> bool:
    """Return whether a permission is missing, which may hold for the whole folder."""
    return isinstance(error, StorageDenied)


def why_unreadable(error: StorageError) -> str:
    """Return why a file cannot be read, and what to do."""
    said = f" ({error.detail})" if error.detail else ""
    return f"S3 does not let us read it{said}. {_cure(error)} {_THEN}"


def _cure(error: StorageError) -> str:
    if error.code == "InvalidObjectState":
        return _ARCHIVED
    if error.code == "InvalidRequest":
        return _LOCKED
    if error.code == _DENIED:
        return f"{_NO_DECRYPTING} them kms:Decrypt." if "kms:" in error.detail else _NO_READING
    return _NO_KEY


def told(unreadable: Mapping[tuple[str, str], str]) -> list[FileReport]:
    """Report files that could not be read."""
    return [FileReport(key, "unreadable", 0, why) for (key, _), why in unreadable.items()]
