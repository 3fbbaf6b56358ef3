"""What the store did wrong while a Delta table was read or written, as our own errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError

from exchanger.errors import (
    StorageChanged,
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
)
from exchanger.outside.redaction import Redactor

_STYLING = re.compile(r"\x1b\[[0-9;]*m")
_DENIED = (
    "AccessDenied",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "403 Forbidden",
    "401 Unauthorized",
)
_SECRET_OPTIONS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@contextmanager
def table_faults(action: str, uri: str, options: Callable[[], Mapping[str, str]]) -> Iterator[None]:
    """
    Raise what the store did wrong as the ``StorageError`` that it is.

    Args:
        action: What is done to the table, as a verb.
        uri: The table.
        options: Gives its storage options, of which no secret may show in an error.
    """
    kind: type[StorageError] = StorageUnreachable
    try:
        yield
    except CommitFailedError as error:
        raise _error(StorageChanged, action, uri, options(), error) from error
    except OSError as error:
        if any(code in str(error) for code in _DENIED):
            kind = StorageDenied
        elif isinstance(error, FileNotFoundError):
            kind = StorageMissing
        raise _error(kind, action, uri, options(), error) from error


def _error(
    kind: type[StorageError], action: str, uri: str, options: Mapping[str, str], error: Exception
) -> StorageError:
    words = " ".join(_STYLING.sub("", str(error)).split())
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    secrets = Redactor(value for name, value in options.items() if name in _SECRET_OPTIONS)
    return kind(action, bucket, key, secrets.clean(words))
