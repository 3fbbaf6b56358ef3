"""What the store did wrong while a Delta table was read or written, as our own errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError
from polars.exceptions import PolarsError

from exchanger.errors import (
    StorageChanged,
    StorageError,
    StorageMissing,
    StorageUnreachable,
    TableUnusable,
)
from exchanger.files.scratch.arrow import pa
from exchanger.outside.store_codes import kind_of
from exchanger.redaction import Redactor

_STYLING = re.compile(r"\x1b\[[0-9;]*m")
_CODE = re.compile(r"<Code>\s*(\w[\w.]*)\s*</Code>")
_STATUS = re.compile(r"\b([45]\d\d) [A-Z]")
_OF_STORE = re.compile(r"object[- ]store|Generic S3 error|error sending request|<Code>")
_PANIC = "PanicException"
"""What libraries in Rust raise where they are at their end; no ordinary exception."""
_REDIRECT = "Received redirect without LOCATION"
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
    try:
        yield
    except CommitFailedError as error:
        raise _error(StorageChanged, action, uri, options(), error) from error
    except OSError as error:
        raise _error(_kind(error), action, uri, options(), error) from error
    except (DeltaError, PolarsError, pa.lib.ArrowException) as error:
        kind = _kind(error) if _OF_STORE.search(str(error)) else TableUnusable
        raise _error(kind, action, uri, options(), error) from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise _error(TableUnusable, action, uri, options(), error) from error


def _kind(error: Exception) -> type[StorageError]:
    """Choose the error by what S3 answered, where it did."""
    words = str(error)
    code, status = _code(words), _STATUS.search(words)
    if code or status:
        return kind_of(code, int(status[1]) if status else 0)
    return StorageMissing if isinstance(error, FileNotFoundError) else StorageUnreachable


def _code(words: str) -> str:
    if _REDIRECT in words:
        return "PermanentRedirect"
    found = _CODE.search(words)
    return found[1] if found else ""


def _error(
    kind: type[StorageError],
    action: str,
    uri: str,
    options: Mapping[str, str],
    error: BaseException,
) -> StorageError:
    words = " ".join(_STYLING.sub("", str(error)).split())
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    code = _code(words)
    if code == "NoSuchBucket":
        key = ""
    secrets = Redactor(value for name, value in options.items() if name in _SECRET_OPTIONS)
    return kind(action, bucket, key, secrets.clean(words), code=code)
