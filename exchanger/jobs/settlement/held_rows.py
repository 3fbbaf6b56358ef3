"""What the answers to a run make known: rows of held values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.files.scratch.budget import MemoryBudget
from exchanger.profiles.frames.columns import EXISTS, ITEM, PROFILE, SURE, WANTED
from exchanger.state.runs.acknowledgements import NOT_TAKEN, is_doubtful

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.state.runs.log import RunDocument

_AT_ONCE = MemoryBudget(rows=65_536, size=32 << 20)
"""Objects that become rows of held values at once; several such frames are in memory."""


def sent_parts(
    outbox: FrameFile, bounds: MemoryBudget, columns: Collection[str] = ()
) -> Iterator[pl.DataFrame]:
    """
    Read of an outbox what *held_of* needs, part by part.

    Args:
        outbox: The outbox.
        bounds: How much of a run is worked on at once.
        columns: To be read as well.
    """
    wanted = [name for name in outbox.columns if name.startswith(WANTED)]
    most = min(each.rows_of(len(wanted), outbox.row_size) for each in (_AT_ONCE, bounds))
    return outbox.frames({ITEM, PROFILE, SURE, *wanted, *columns}, rows=most)


def held_of(run: RunDocument, answered: pl.DataFrame) -> pl.DataFrame:
    """
    Turn a part of the outbox into rows of held values.

    Args:
        run: The run.
        answered: As *sent_parts* gives it, with the answers beside.

    Returns:
        ``@profile``, ``@exists`` and canonical columns.
    """
    refused = answered.filter(pl.col("outcome").is_in(NOT_TAKEN))
    unknown = answered.filter(pl.col("outcome") == "unknown")
    doubtful = refused.filter(is_doubtful(run))
    accepted = answered.filter(pl.col("outcome") == "ok")
    return pl.concat(
        [
            _held_rows(accepted, exists=not run.removes),
            _uncertain_rows(pl.concat([doubtful, unknown])),
        ]
    )


def _held_rows(accepted: pl.DataFrame, *, exists: bool = True) -> pl.DataFrame:
    """
    Turn accepted objects into rows of held values.

    Of a profile that Braze may have skipped (update-only, never seen to exist) nothing is known.
    """
    fields = [name.removeprefix(WANTED) for name in accepted.columns if name.startswith(WANTED)]
    return accepted.filter(SURE).select(
        PROFILE,
        pl.lit(exists).alias(EXISTS),
        *(pl.col(WANTED + name).alias(name) for name in fields),
    )


def _uncertain_rows(refused: pl.DataFrame) -> pl.DataFrame:
    """
    Mark what was refused after another attempt whose outcome nobody knows.

    That attempt may have been applied, so neither the value before nor the wanted one is certain.
    """
    return _held_rows(refused.with_columns(pl.col(SURE).is_not_null())).select(
        PROFILE,
        pl.lit(None, pl.Boolean).alias(EXISTS),
        pl.when(pl.exclude(PROFILE, EXISTS).is_not_null()).then(pl.lit("?")).name.keep(),
    )
