"""
Writes a plan to the bucket, and reads it back: what a run needs to be ended by any process.

The process that made a plan also has it on its own machine, and mostly ends the run itself, so it
downloads nothing: frames stay where they are until they are fetched.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import StateDamaged, StateMissing, StorageChanged, StorageMissing
from exchanger.files.scratch.frame_file import FrameFile
from exchanger.state.runs.log import ENDED, RunDocument, new_nonce

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


@contextmanager
def fetched(context: JobContext, key: str, checksum: str = "") -> Iterator[FrameFile]:
    """
    Bring frames that *commit* wrote onto this machine, until the context closes.

    If this process wrote them they are here already, once.

    Raises:
        StateMissing: They are not there.
        StateDamaged: They are not what was written.
    """
    path = context.workdir / f"{new_nonce()}.parquet"
    try:
        if _left_here(context, key).exists():
            _left_here(context, key).rename(path)
        else:
            _download(context, key, checksum, path)
        yield FrameFile(path)
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def unless_ended_by_others(context: JobContext, state: ConnectionState, seq: int) -> Iterator[None]:
    """
    Stop a process that stood still, as others have ended its run, and swept it since.

    Raises:
        StorageChanged: They have.
    """
    try:
        yield
    except StateMissing as error:
        if state.runs.read(seq).document.state not in ENDED:
            raise
        key = state.names.run(seq)
        raise StorageChanged("end", context.bucket.name, key, "it has ended since") from error


def load(context: JobContext, key: str, checksum: str = "") -> pl.DataFrame:
    """Read frames that *commit* wrote, all at once; raises as *fetched* does."""
    with fetched(context, key, checksum) as frames:
        return pl.concat([frames.empty(), *frames.frames()])


def store_unless_empty(context: JobContext, key: str, frames: FrameFile) -> str:
    """Write frames and name their key; without rows they are not written, and have none."""
    if not frames.rows:
        return ""
    context.bucket.upload(key, frames.path)
    return key


def _download(context: JobContext, key: str, checksum: str, path: Path) -> None:
    try:
        found = context.bucket.download(key, context.bucket.head(key).etag, path)
    except StorageMissing as error:
        raise StateMissing(key) from error
    if checksum and found != checksum:
        raise StateDamaged(key, f"SHA-256 {found} instead of {checksum}")


def leave_here(context: JobContext, run: RunDocument, planned: Sequence[FrameFile | None]) -> None:
    """Leave stored frames on this machine for the end of their run; what was not stored goes."""
    keys = (run.outbox, run.contributions, run.rejected, run.dropped, run.event_order)
    for key, frames in zip(keys, planned, strict=True):
        if key and frames is not None:
            frames.path.rename(_left_here(context, key))
        elif frames is not None:
            frames.remove()


def _left_here(context: JobContext, key: str) -> Path:
    """Name the file in which stored frames are left: no two plans have a key in common."""
    return context.workdir / f"left-{PurePosixPath(key).name}"
