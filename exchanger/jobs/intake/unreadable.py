"""Files that S3 has and does not give out: what they are told as. Others are not affected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from exchanger.errors import (
    StorageChanged,
    StorageDenied,
    StorageMissing,
    StorageUnreadable,
)
from exchanger.jobs.runtime.report import FileReport
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.errors import StorageError

_DENIED = "AccessDenied"
WhyUnreadable = Literal["archived", "locked", "may_not_decrypt", "may_not_read", "no_key"]


def is_about_one_file(error: StorageError) -> bool:
    """Return whether only this object cannot be read, as far as anybody can tell."""
    return isinstance(error, StorageUnreadable) or error.code == _DENIED


def is_gone(error: StorageError) -> bool:
    """Return whether the object was replaced or deleted since it was listed."""
    return isinstance(error, StorageChanged | StorageMissing)


def is_denied(error: StorageError) -> bool:
    """Return whether a permission is missing, which may hold for the whole folder."""
    return isinstance(error, StorageDenied)


def why_unreadable(error: StorageError) -> Note:
    """Note why a file cannot be read."""
    return noted("unreadable", why=_why(error), detail=error.detail)


def _why(error: StorageError) -> WhyUnreadable:
    if error.code == "InvalidObjectState":
        return "archived"
    if error.code == "InvalidRequest":
        return "locked"
    if error.code == _DENIED:
        return "may_not_decrypt" if "kms:" in error.detail else "may_not_read"
    return "no_key"


def told(unreadable: Mapping[tuple[str, str], Note]) -> list[FileReport]:
    """Report files that could not be read."""
    return [FileReport(key, "unreadable", facts=(why,)) for (key, _), why in unreadable.items()]
