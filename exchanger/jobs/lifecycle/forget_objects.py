"""A person's rows in the objects of past runs: planned changes, quarantine, contributions."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import orjson
import polars as pl

from exchanger.errors import StorageMissing
from exchanger.files.scratch.frame_file import FrameFile, FrameWriter
from exchanger.jobs.answers.write import write_again
from exchanger.jobs.explaining.sent_objects import is_about
from exchanger.profiles.frames.columns import ITEM, PROFILE
from exchanger.profiles.spelling.profile_key import parts_of

if TYPE_CHECKING:
    from pathlib import Path

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

_MARK = b"\xef\xbb\xbf"
"""What the text of a file may begin with."""


@dataclass(frozen=True)
class StoredRows:
    """
    The rows of a person in objects that a run wrote.

    Args:
        context: The outside.
        state: Names the objects.
        profile: The key of the profile.
        erase: Otherwise they are only counted.
    """

    context: JobContext
    state: ConnectionState
    profile: str
    erase: bool

    def everywhere(self) -> dict[str, int]:
        """Count them, kind by kind, and take them out."""
        return {
            "planned changes": self._outboxes(),
            "quarantine": self._below("quarantine/"),
            "contributions": self._below("contributions/"),
            "members": self._below("members/"),
        }

    def _outboxes(self) -> int:
        prefix = f"{self.state.names.prefix}outbox/"
        found = 0
        for item in self.context.bucket.list(prefix):
            seq = item.key.removeprefix(prefix).partition("-")[0]
            found += self._parquet(item.key, int(seq) if seq.isdecimal() else None)
        return found

    def _below(self, folder: str) -> int:
        found = 0
        for item in self.context.bucket.list(self.state.names.prefix + folder):
            text = item.key.endswith(".csv")
            found += self._csv(item.key) if text else self._parquet(item.key, None)
        return found

    def _parquet(self, key: str, seq: int | None) -> int:
        """Take the person out of one object; of an outbox, also out of what Braze answered."""
        self.context.may_send()
        path = self.context.workdir / "forgetting.parquet"
        try:
            self.context.bucket.download(key, self.context.bucket.head(key).etag, path)
        except StorageMissing:
            return 0
        frames = FrameFile(path)
        found = sum(part.filter(self._names(part)).height for part in frames.frames())
        if found and self.erase:
            if seq is not None and ITEM in frames.columns:
                theirs = [part.filter(self._names(part))[ITEM] for part in frames.frames()]
                self._answers(seq, pl.concat(theirs))
            self._replace(key, frames)
        path.unlink()
        return found

    def _replace(self, key: str, frames: FrameFile) -> None:
        path: Path = self.context.workdir / "without.parquet"
        writer = FrameWriter(path)
        writer.append(frames.empty())
        for part in frames.frames():
            writer.append(part.filter(~self._names(part)))
        writer.close()
        self.context.bucket.upload(key, path)
        path.unlink()

    def _answers(self, seq: int, items: pl.Series) -> None:
        """Remove the answers to some items: Braze's words may name the person."""
        for item in self.context.bucket.list(self.state.names.acks(seq)):
            body = io.BytesIO(self.context.bucket.read(item.key)[0])
            acks = pl.read_parquet(body)
            told = pl.read_parquet_metadata(body)
            left = acks.filter(~pl.col(ITEM).is_in(items.implode()))
            if left.height < acks.height:
                kept = io.BytesIO()
                told.pop("ARROW:schema", None)
                left.write_parquet(kept, metadata=told)
                self.context.bucket.write(item.key, kept.getvalue())

    def _csv(self, key: str) -> int:
        body, _ = self.context.bucket.read(key)
        rows = pl.read_csv(body, infer_schema=False)
        theirs = rows.filter(self._names(rows)).height
        if theirs and self.erase:
            mark = _MARK if body.startswith(_MARK) else b""
            left = mark + rows.filter(~self._names(rows)).write_csv().encode()
            # What whoever dropped the file was told names rows of it as well. First, so that who
            # is killed in between finds the person here when it is started again.
            seq = int(PurePosixPath(key).stem.partition("-")[0])
            write_again(self.context, self.state, seq, {key: left})
            self.context.bucket.write(key, left, content_type="text/csv; charset=utf-8")
        return theirs

    def _names(self, rows: pl.DataFrame) -> pl.Expr:
        """Return which rows are about the person; of rows about nobody, which name them."""
        if PROFILE in rows.columns:
            return is_about(rows.columns, [self.profile])
        if "profile" not in rows.columns:
            return pl.lit(value=False)
        # A spreadsheet must not take an identifier for a formula, so it may stand behind a sign.
        told = self.profile.replace("\x1f", " ")
        own = pl.col("profile").is_in([self.profile, told, f"'{told}"])
        texts = [pl.col(name) for name in ("value", "record") if name in rows.columns]
        named = pl.any_horizontal(pl.lit(value=False), *(self._says(text) for text in texts))
        return pl.coalesce(own, named).fill_null(value=False)

    def _says(self, text: pl.Expr) -> pl.Expr:
        """Return whether a text has the identifier as an entire value."""
        kind, value, _ = parts_of(self.profile)
        quoted = re.escape(orjson.dumps(value).decode())
        plain = rf"(^|[:\[,;\t|\s]){re.escape(value)}($|[\],;\t|\s}}])"
        case = "(?i)" if kind == "email" else ""
        return text.str.contains(f"{case}{quoted}|{plain}").fill_null(value=False)
