"""What the answers to a run say of its changes: rows of the table of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.quarantine.refused import is_doubtful
from exchanger.jobs.settlement.outcomes import NOT_TAKEN
from exchanger.profiles.frames.columns import BEFORE, FILE, PROFILE, ROW, SURE, WANTED
from exchanger.state.changes import ACCEPTED, DROPPED, IN_DOUBT, UNSEEN

if TYPE_CHECKING:
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.state.runs.log import RunDocument


def change_columns(outbox: FrameFile) -> list[str]:
    """Name the columns of the outbox that *changes_of* needs besides those of held values."""
    return [FILE, ROW, *(name for name in outbox.columns if name.startswith(BEFORE))]


def changes_of(run: RunDocument, answered: pl.DataFrame) -> pl.DataFrame:
    """
    Turn a part of the outbox into rows of the table of changes.

    Args:
        run: The run.
        answered: ``@profile``, ``@sure`` and *change_columns*, with the answers beside.

    Returns:
        As ``Changes.record`` takes it.
    """
    sides = [name for name in answered.columns if name.startswith((BEFORE, WANTED))]
    return answered.select(PROFILE, FILE, ROW, _outcome(run).alias("outcome"), *sides)


def _outcome(run: RunDocument) -> pl.Expr:
    outcome = pl.col("outcome")
    perhaps = (outcome == "unknown") | (outcome.is_in(NOT_TAKEN) & is_doubtful(run))
    return (
        pl.when((outcome == "ok") & pl.col(SURE))
        .then(pl.lit(ACCEPTED))
        .when(outcome == "ok")
        .then(pl.lit(UNSEEN))
        .when(perhaps)
        .then(pl.lit(IN_DOUBT))
        .otherwise(outcome.fill_null(DROPPED))
    )
