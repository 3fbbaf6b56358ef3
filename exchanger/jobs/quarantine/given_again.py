"""
What is kept of rows that Braze refused, and how ``retry`` gives it again: two ways.

Values are planned anew, against what is held by then and by the configuration of then. Objects go
again as they were: nothing that is held changes what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import polars as pl

from exchanger.errors import FileRejected
from exchanger.jobs.intake.batch import note_rejected
from exchanger.jobs.intake.contributions import ALREADY, with_already
from exchanger.jobs.intake.event_order import ORDERS_SCHEMA
from exchanger.jobs.quarantine.refused import (
    UNCERTAIN_ROW,
    read_refused,
    refused_rows,
)
from exchanger.jobs.quarantine.superseded import settle_late_rows
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    FILE,
    LINES,
    MEANT,
    NAMES,
    OBJECT,
    ORDER,
    OTHER,
    OTHER_WHO,
    POINTS,
    PROFILE,
    ROW,
    ROW_ID,
    ROWS,
    WHO,
)
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.state.runs.acknowledgements import IN_DOUBT, is_doubtful

if TYPE_CHECKING:
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.quarantine.read import QuarantinedRows, RefusedRows
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.objects.kinds import GivenAgain
    from exchanger.state.runs.log import ClaimedFile, RunDocument

Given = tuple["FrameFile | None", "FrameFile | None"]
"""The contributions of a run and its orders, if it has any."""
_AS_IT_WAS = (
    PROFILE, ENDPOINT, OBJECT, POINTS, ROWS, ROW_ID, LINES, OTHER, MEANT, WHO, OTHER_WHO,
    NAMES,
)  # fmt: skip
"""Columns of an object that is given again as it was."""
_NO_ORDERS = pl.DataFrame(schema=ORDERS_SCHEMA)


class WayToGiveAgain(Protocol):
    """One way in which refused rows are kept and given again."""

    def kept(self, run: RunDocument, refused: pl.DataFrame, given: Given) -> pl.DataFrame:
        """
        Return what is kept of some refused objects, with ``@row`` from 1.

        Args:
            run: Their run.
            refused: Their rows of the outbox, with ``outcome``, ``reason`` and ``uncertain``.
            given: What the run's files gave, and in which order.
        """

    def added(self, call: ImportContext, batch: InputBatch, owed: RefusedRows) -> InputBatch:
        """Return the batch with what was kept, as one more file."""

    def put_right(
        self, call: ImportContext, run: RunDocument, batch: InputBatch, found: QuarantinedRows
    ) -> InputBatch:
        """
        Return a batch, once all was added, without what must not be given again.

        Args:
            call: The job.
            run: The run whose quarantine is given again.
            batch: All its rows: those read from files, then what was kept, then what is gone.
            found: Where they came from.
        """


class _Values:
    """What was given, as values: rows of today's configuration, which are planned anew."""

    def kept(self, run: RunDocument, refused: pl.DataFrame, given: Given) -> pl.DataFrame:
        """Keep what each file gave, and whether it may have taken effect all the same."""
        refused = refused.with_columns(is_doubtful(run).alias("uncertain"))
        nothing = with_already(pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA), [])
        contributions = _of(given[0], refused, nothing).filter(~pl.col(ALREADY))
        orders = _of(given[1], refused, _NO_ORDERS)
        return refused_rows(refused, contributions, orders, run.fields)

    def added(self, call: ImportContext, batch: InputBatch, owed: RefusedRows) -> InputBatch:
        """Read refused rows by today's configuration, beside those of files."""
        position = len(batch.files)
        claim = replace(
            owed.claim, outcome="retried", rows=owed.rows.height, refused=0, note="", facts=()
        )
        try:
            rules, given, rejected = read_refused(
                owed.rows,
                call.job,
                position,
                fields=owed.run.fields,
                types=batch.types,
                key=claim.key,
                order=_order_type(call, batch, owed),
            )
        except FileRejected as error:
            return _add_unfit(batch, claim, owed, error)
        sums = tuple(rule.name for rule in rules if rule.merge == "sum")
        batch.given.add(given)
        batch.rejected.add(rejected)
        return batch.with_file(
            replace(claim, sums=sums),
            rows=owed.rows.height,
            rules={rule.name: rule for rule in rules},
        )

    def put_right(
        self, call: ImportContext, run: RunDocument, batch: InputBatch, found: QuarantinedRows
    ) -> InputBatch:
        """Leave out what later runs, or newer rows, have changed since."""
        files = len(batch.files) - len(found.refused) - len(found.gone)
        return settle_late_rows(call, run, _put_last(batch, files), found)


class _Objects:
    """The objects as they were: of those in doubt a person decides by asking for it."""

    def kept(self, _run: RunDocument, refused: pl.DataFrame, _given: Given) -> pl.DataFrame:
        """Keep the objects themselves, and which of them Braze may have taken."""
        return refused.select(
            FILE,
            pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(ROW),
            *(name for name in _AS_IT_WAS if name in refused.columns),
            (pl.col("reason") == IN_DOUBT).alias(UNCERTAIN_ROW),
        )

    def added(self, _call: ImportContext, batch: InputBatch, owed: RefusedRows) -> InputBatch:
        """Add the objects, ready to be sent."""
        position = pl.lit(len(batch.files), pl.UInt32).alias(FILE)
        batch.ready.add(owed.rows.drop(UNCERTAIN_ROW).with_columns(position))
        rows = int(owed.rows[ROWS].sum())  # An order has several.
        claim = replace(owed.claim, outcome="retried", rows=rows, refused=0, note="", facts=())
        return batch.with_file(claim, rows=rows)

    def put_right(
        self, _call: ImportContext, _run: RunDocument, batch: InputBatch, _found: QuarantinedRows
    ) -> InputBatch:
        """Return the batch as it is: planning knows which of its rows were taken up since."""
        return batch


GIVEN_AGAIN: Mapping[GivenAgain, WayToGiveAgain] = {"values": _Values(), "objects": _Objects()}
"""The ways, by what kinds of objects call them."""


def _put_last(batch: InputBatch, files: int) -> InputBatch:
    """
    Put the rows that were read from files after those that Braze refused.

    Of fields that both speak of, what is left of a rejected row is newer than all rows that had
    been used: what is older gives way.
    """
    count = len(batch.files)
    place = ((pl.col(FILE) + (count - files)) % count).cast(pl.UInt32)
    for rows in (batch.given, batch.rejected, batch.dropped, batch.corrections):
        rows.change(lambda frame: frame.with_columns(place))
    return replace(batch, files=batch.files[files:] + batch.files[:files])


def _order_type(call: ImportContext, batch: InputBatch, owed: RefusedRows) -> pl.DataType | None:
    """
    Return as what refused rows are ordered; None if the job orders by nothing, or otherwise.

    Rows that have no order are older than any that was applied, whatever that is.
    """
    column = call.job.source.order_by
    if not column or owed.run.order_by != column:
        return None
    if ORDER in batch.given.schema:
        return batch.given.schema[ORDER]
    if ORDER in owed.rows.columns:
        return owed.rows[ORDER].dtype
    return call.state.high_water_marks.by(call.name, column).dtype()


def _add_unfit(
    batch: InputBatch, claim: ClaimedFile, owed: RefusedRows, error: FileRejected
) -> InputBatch:
    """Keep each row in quarantine, as the job cannot take any of them."""
    rows = owed.rows.select(
        pl.lit(len(batch.files), pl.UInt32).alias(FILE),
        ROW,
        pl.lit(error.column or None, pl.String).alias("field"),
        pl.lit(None, pl.String).alias("value"),
        pl.lit(error.reason).alias("reason"),
        pl.lit(error.message).alias("message"),
        pl.lit(None, pl.String).alias("record"),
    )
    batch.rejected.add(rows)
    return batch.with_file(replace(claim, facts=(note_rejected(error),)), rows=owed.rows.height)


def _of(frames: FrameFile | None, profiles: pl.DataFrame, nothing: pl.DataFrame) -> pl.DataFrame:
    """Read what some profiles have in a file, if there is one."""
    if frames is None:
        return nothing
    parts = [part.join(profiles, on=PROFILE, how="semi") for part in frames.frames()]
    return pl.concat([frames.empty(), *parts])
