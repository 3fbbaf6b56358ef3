"""How rows and files get into a Delta table, one commit each, through the handle that looked."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

import polars as pl
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Schema,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.transaction import create_table_with_add_actions

from exchanger.files.scratch.arrow import pa
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.outside.delta.staged_files import ROWS_IN_A_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.outside.delta.handle import TableHandle
    from exchanger.outside.delta.staged_files import PreparedFiles

KEPT_HOURS = 7 * 24
"""How long files stay that no version names any more: longer than any run reads them."""

_FILES = WriterProperties(
    max_row_group_size=ROWS_IN_A_GROUP,
    # Without it nothing would be compressed. Most columns are texts that hardly repeat: building
    # dictionaries of them takes longer than all else, and makes files no smaller.
    compression="ZSTD",
    default_column_properties=ColumnProperties(dictionary_enabled=False),
)
_AFTERWARDS = PostCommitHookProperties(cleanup_expired_logs=False)
"""Old entries of the log are looked for when files are joined, not after each commit."""
_CONFIGURATION = {"delta.checkpointInterval": "10", "delta.dataSkippingNumIndexedCols": "1"}
"""
Who opens a table reads every commit since the last checkpoint, with three requests each, and the
checkpoint with fourteen. The log has the least and the most of the first column alone, which is the
slice: it stays for weeks, and must not name people.
"""
_BATCH = MemoryBudget(rows=32_768, size=8 << 20)
"""Delta asks for several batches before it writes the first: they are in memory all together."""


def write(
    handle: TableHandle, table: DeltaTable | None, frame: Any, marks: Sequence[Transaction]
) -> None:
    """Append rows, and columns that the table lacks; None: there must be no table yet."""
    properties = CommitProperties(app_transactions=list(marks)) if marks else None
    with handle.writing():
        if table is None:
            write_deltalake(
                handle.uri,
                frame,
                mode="error",
                storage_options=handle.options(),
                configuration=_CONFIGURATION,
                commit_properties=properties,
                post_commithook_properties=_AFTERWARDS,
                writer_properties=_FILES,
            )
        else:
            write_deltalake(
                table,
                frame,
                mode="append",
                schema_mode="merge",
                commit_properties=properties,
                post_commithook_properties=_AFTERWARDS,
                writer_properties=_FILES,
            )


def widen(handle: TableHandle, table: DeltaTable, schema: Schema) -> bool:
    """Add the columns that a table lacks, which does no harm; False if it has them all."""
    present = {field.name for field in table.schema().fields}
    missing = [field for field in schema.fields if field.name not in present]
    if missing:
        with handle.writing():
            table.alter.add_columns(missing)
    return bool(missing)


def name_files(
    handle: TableHandle,
    table: DeltaTable | None,
    files: PreparedFiles,
    marks: Sequence[Transaction],
) -> None:
    """Append files that are there already; the table has their columns, or is not there yet."""
    properties = CommitProperties(app_transactions=list(marks))
    with handle.writing():
        if table is None:
            create_table_with_add_actions(
                handle.uri,
                files.schema,
                list(files.actions),
                mode="error",
                storage_options=handle.options(),
                configuration=_CONFIGURATION,
                commit_properties=properties,
            )
        else:
            table.create_write_transaction(
                list(files.actions),
                "append",
                table.schema(),
                commit_properties=properties,
                post_commithook_properties=_AFTERWARDS,
            )


def overwrite(table: DeltaTable, rows: Any) -> None:
    """Replace all rows, unless somebody else has committed meanwhile."""
    write_deltalake(
        table,
        rows,
        mode="overwrite",
        schema_mode="merge",
        commit_properties=CommitProperties(max_commit_retries=0),
        writer_properties=_FILES,
    )


def replace_share(table: DeltaTable, rows: Any, share: str) -> None:
    """Replace the rows of a share, unless somebody else has committed meanwhile."""
    write_deltalake(
        table,
        rows,
        mode="overwrite",
        predicate=share,
        commit_properties=CommitProperties(max_commit_retries=0),
        writer_properties=_FILES,
    )


def sweep_replaced(table: DeltaTable) -> None:
    """Remove at once all files that earlier versions named and the newest does not."""
    table.update_incremental()
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    sweep(table)


def sweep(table: DeltaTable) -> None:
    """Remove files that no version of the last days names, also such as none ever named."""
    table.update_incremental()
    table.vacuum(retention_hours=KEPT_HOURS, dry_run=False, full=True)


def stream(first: pl.DataFrame, rest: Iterator[pl.DataFrame]) -> Any:
    """Hand frames to Delta one by one, as it asks for them."""
    batches = (
        batch
        for frame in chain([first], rest)
        for batch in frame.to_arrow().to_batches(max_chunksize=_rows_of(frame))
    )
    return pa.RecordBatchReader.from_batches(first.to_arrow().schema, batches)


def _rows_of(frame: pl.DataFrame) -> int:
    size = int(frame.estimated_size()) // max(frame.height, 1)
    return _BATCH.rows_of(frame.width, size)


def noting(frames: Iterator[pl.DataFrame], raised: list[Exception]) -> Generator[pl.DataFrame]:
    """Keep what iterating raises: on its way through Delta it would become a text."""
    try:
        yield from frames
    except Exception as error:
        raised.append(error)
        raise


@contextmanager
def as_it_was(raised: list[Exception]) -> Iterator[None]:
    """Raise what iterating raised, whatever Delta makes of it: on one core no error of its own."""
    try:
        yield
    except Exception:
        if raised:
            raise raised[0] from None
        raise


@contextmanager
def closed_after(
    frames: Generator[pl.DataFrame],
) -> Iterator[Generator[pl.DataFrame]]:
    """Use frames, and leave nothing of what makes them open, whatever becomes of the write."""
    try:
        yield frames
    finally:
        # Delta may still be at the next one in a thread of its own, and lets go of it after that.
        with suppress(ValueError):
            frames.close()
