"""What a run is to read of one file version, and how that counts for sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from exchanger.state.runs.log import ClaimedFile

CountMode = Literal[
    "ask",  # as a new file: it waits if its sums may count twice
    "in_full",  # what it gives is added
    "difference",  # what it gives, less what earlier versions of its key really gave
]


@dataclass(frozen=True)
class FileRequest:
    """
    One file version to be read.

    Args:
        key: Its key in the bucket.
        etag: Its version.
        counting: How what it gives to sums counts.
        arrived: When it arrived, by S3's clock; None where that does not matter.
        kept: The object of ours to read instead; empty if it is read under its own name.
        size: Bytes, as far as they are known: only what is small is fetched far ahead.
        rows: Only these rows, UInt32; all if None.
        corrected: Only these profiles are corrected by what earlier versions gave, and only where
            rows are given; all that earlier versions named if None.
        test: The one row that is given by itself, of a file that goes on waiting; 0 otherwise.
        content: What is read in place of an object of the bucket, as NDJSON.
    """

    key: str
    etag: str
    counting: CountMode = "ask"
    arrived: datetime | None = None
    kept: str = ""
    size: int | None = None
    rows: pl.Series | None = None
    corrected: pl.Series | None = None
    test: int = 0
    content: bytes | None = None

    @property
    def retried(self) -> bool:
        """Only rows are read that an earlier run has read before."""
        return self.rows is not None and not self.test


@dataclass(frozen=True)
class HeldFile:
    """
    A file whose sums may count twice, so that a person has to say what it means.

    Args:
        claim: The file; its outcome says why it waits.
        request: How it will be read once it is approved.
    """

    claim: ClaimedFile
    request: FileRequest
