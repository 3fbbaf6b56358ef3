"""What a run is to read of one file version, and how that counts for sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from exchanger.profiles.frames.columns import PROFILE

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.state.runs.log import ClaimedFile

CountMode = Literal[
    "ask",  # as a new file: it waits if its sums may count twice
    "in_full",  # what it gives is added
    "difference",  # what it gives, less what earlier versions of its key really gave
]


TOGETHER = {"row": pl.UInt32(), PROFILE: pl.String()}
"""Rows, and the profiles that they are about."""


@dataclass(frozen=True)
class Correction:
    """
    Rows as a person has corrected them, in a file beside the folder.

    Args:
        etag: The version of that file.
        sha256: Of the content of the file that its rows are of.
        read: The rows that were rejected in the run that it is about.
        together: Of these that are still to be given the profiles, for rows that can only be given
            all at once: ``TOGETHER``.
    """

    etag: str
    sha256: str
    read: pl.Series
    together: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TOGETHER))


@dataclass(frozen=True)
class PlacedRows:
    """
    What a file of corrected rows has.

    Args:
        rows: The rows that it stands for, by their numbers in their own file.
        strange: Its rows that stand for none, as bad rows of it: ``BAD_ROW_SCHEMA``.
        sha256: Of its content.
    """

    rows: pl.Series
    strange: pl.DataFrame
    sha256: str


@dataclass(frozen=True)
class FileRequest:
    """
    One file version to be read.

    Args:
        key: Its key in the bucket.
        etag: Its version.
        counting: How what it gives to sums counts.
        arrived: When it arrived, by S3's clock; None where that does not matter.
        kept: The object to read instead; empty if it is read under its own name.
        size: Bytes, as far as they are known: only what is small is fetched far ahead.
        rows: Only these rows, UInt32; all if None.
        corrected: Only these profiles are corrected by what earlier versions gave, and only where
            rows are given; all that earlier versions named if None.
        test: The one row that is given by itself, of a file that goes on waiting; 0 otherwise.
        content: What is read in place of an object of the bucket, as NDJSON.
        correction: What *kept* is, if it has the rows corrected; each is in place of the row that
            it names.
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
    correction: Correction | None = None

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
