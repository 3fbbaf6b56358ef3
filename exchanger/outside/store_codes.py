"""What the codes and statuses of a store's answers mean, as our own errors."""

from __future__ import annotations

from exchanger.errors import (
    StorageChanged,
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
)

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccountProblem",
        "AllAccessDisabled",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidSecurity",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound", "404"})
_BUSY = frozenset({"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"})
_CHANGED = frozenset({"PreconditionFailed", "412"})
_CONFLICT = frozenset({"ConditionalRequestConflict", "OperationAborted"})


class StorageConflict(StorageUnreachable):
    """409: another write of the same object was under way. The write did not happen."""


def kind_of(code: str, status: int) -> type[StorageError]:
    """Choose the error of an answer by its code, or else by its status."""
    # The code comes first: an expired token is a 400, a busy store may say so in a 200.
    by_code: tuple[tuple[frozenset[str], type[StorageError]], ...] = (
        (_DENIED, StorageDenied),
        (_MISSING, StorageMissing),
        (_BUSY, StorageUnreachable),
        (_CHANGED, StorageChanged),
        (_CONFLICT, StorageConflict),
    )
    for codes, kind in by_code:
        if code in codes:
            return kind
    if status >= 500 and code != "NotImplemented":
        return StorageUnreachable
    by_status: dict[int, type[StorageError]] = {
        401: StorageDenied,
        403: StorageDenied,
        404: StorageMissing,
        409: StorageConflict,
        412: StorageChanged,
        429: StorageUnreachable,
    }
    return by_status.get(status, StorageError)
