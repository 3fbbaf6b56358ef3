"""What goes wrong in a table of our state, as errors with words and an exit code."""

from __future__ import annotations

import polars as pl
import pytest
from deltalake.exceptions import DeltaError

from exchanger.app.outcome import exit_code
from exchanger.errors import (
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
    TableUnusable,
)
from exchanger.outside.delta.errors import table_faults
from exchanger.outside.delta.table import Table

S3_SAYS = (
    "Generic S3 error: Error performing GET https://s3.x in 1ms - Server returned non-2xx status"
    " code: {status}: <?xml version='1.0'?><Error><Code>{code}</Code></Error>"
)


class PanicException(BaseException):
    """As libraries in Rust raise it."""


def redirected():
    return OSError("Received redirect without LOCATION, this normally indicates a wrong region")


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (OSError(S3_SAYS.format(status="404 Not Found", code="NoSuchBucket")), StorageMissing,
         "NoSuchBucket"),
        (OSError(S3_SAYS.format(status="403 Forbidden", code="InvalidAccessKeyId")), StorageDenied,
         "InvalidAccessKeyId"),
        (OSError(S3_SAYS.format(status="403 Forbidden", code="SomethingNew")), StorageDenied,
         "SomethingNew"),
        (OSError("Client error with status 403 Forbidden: No Body"), StorageDenied, ""),
        (OSError(S3_SAYS.format(status="503 Slow Down", code="SlowDown")), StorageUnreachable,
         "SlowDown"),
        (pl.exceptions.ComputeError(S3_SAYS.format(status="503 Slow Down", code="SlowDown")),
         StorageUnreachable, "SlowDown"),
        (redirected(), StorageError, "PermanentRedirect"),
        (OSError("connection reset"), StorageUnreachable, ""),
        (FileNotFoundError("no such object"), StorageMissing, ""),
        (DeltaError("Invalid JSON in log record"), TableUnusable, ""),
        (pl.exceptions.ComputeError("parquet: File out of specification"), TableUnusable, ""),
        (pl.exceptions.SchemaError("no such column"), TableUnusable, ""),
        (PanicException("called unwrap on None"), TableUnusable, ""),
    ],
)  # fmt: skip
def test_no_error_of_the_libraries_is_left_unforeseen(error, kind, code):
    """S3's answers are what they are to objects too; the rest is the table's."""
    with pytest.raises(StorageError) as raised, table_faults("read", "s3://b/_x/held", dict):
        raise error
    assert (kind, code, 6) == (type(raised.value), raised.value.code, exit_code(raised.value))
    assert ("b", "" if code == "NoSuchBucket" else "_x/held") == (
        raised.value.bucket,
        raised.value.key,
    )


def test_what_stops_a_process_is_no_fault_of_a_table():
    """Ctrl-C stays Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), table_faults("read", "s3://b/t", dict):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("files", "content"),
    [("_delta_log/*.json", b"{no json"), ("*.parquet", b"PAR1 no parquet PAR1")],
)
def test_a_damaged_table_is_told_as_one(tmp_path, files, content):
    """A log or a file that somebody wrote over ends in words, with an exit code of the table."""
    Table(str(tmp_path / "t"), {}).append(pl.DataFrame({"n": [1]}), writer="w", seq=1)
    for path in (tmp_path / "t").glob(files):
        path.write_bytes(content)
    with pytest.raises(TableUnusable):
        Table(str(tmp_path / "t"), {}).rows()
