"""
Brings a run from its frozen acknowledgements to its end (law 4).

Every step may be done again: tables take a run's rows once, and the other objects have fixed keys
and the same content whoever writes them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.jobs.acknowledgements import Acknowledgements
from exchanger.jobs.contributions import ALREADY, GAVE, with_already
from exchanger.jobs.late_files import ORDERS_SCHEMA, without_unaccepted
from exchanger.jobs.owed import owed_by
from exchanger.jobs.quarantine import quarantined, to_csv
from exchanger.jobs.read_back import keep_sample
from exchanger.jobs.report import RunReport, RunState
from exchanger.jobs.runfiles import load, store_unless_empty
from exchanger.profiles.columns import (
    EXISTS,
    FILE,
    ITEM,
    KNOWN,
    OBJECT,
    POINTS,
    PROFILE,
    ROW,
    ROWS,
    SURE,
    WANTED,
)
from exchanger.profiles.folding import GIFTS_SCHEMA

if TYPE_CHECKING:
    from exchanger.jobs.world import World
    from exchanger.state.connection import ConnectionState
    from exchanger.state.runs import RunDocument, RunLogState, Stored

log = structlog.get_logger()


def settle(
    world: World,
    state: ConnectionState,
    stored: Stored,
    outbox: pl.DataFrame,
    rejected: pl.DataFrame,
) -> RunReport:
    """
    Commit what a run's acknowledgements say, and end it.

    Args:
        world: The outside.
        state: Where it is committed: held values, orders, applied files, kept types, in this order.
        stored: The run document, ``settling``.
        outbox: The run's outbox.
        rejected: The rows that planning rejected, as quarantine has them.
    """
    run = stored.document
    acks = Acknowledgements(world.bucket, state.names, run.seq).read(run.ack_parts)
    answered = _answered(outbox, acks)
    accepted = answered.filter(pl.col("outcome") == "ok")
    refused = answered.filter(pl.col("outcome").is_in(["refused", "withheld"]))
    unknown = answered.filter(pl.col("outcome") == "unknown")
    dropped = answered.filter(pl.col("outcome").is_null())

    nothing = with_already(pl.DataFrame(schema=GIFTS_SCHEMA), [])
    gifts = load(world, run.gifts) if run.gifts else nothing
    gave = _keep_gave(world, state, run, _without(gifts, refused, dropped))
    orders = load(world, run.orders) if run.orders else pl.DataFrame(schema=ORDERS_SCHEMA)
    owed = _keep_owed(world, state, run, refused, (gifts, orders))

    acked_at = datetime.fromisoformat(run.acked_at)
    doubtful = refused.filter(_doubtful(run))
    uncertain = pl.concat([doubtful, unknown])
    held = pl.concat([_held_rows(accepted), _uncertain_rows(uncertain)])
    state.held.deliver(held, seq=run.seq, at=acked_at)
    if run.orders:
        accepted_orders = without_unaccepted(orders, answered)
        state.orders.by(run.job, run.order_by).record(accepted_orders, seq=run.seq)
    state.applied.record(run.job, run.files, seq=run.seq)
    keep_sample(state, run, accepted)
    if run.types:
        state.types.keep(run.job, run.types, seq=run.seq)

    report = RunReport.from_json(run.report)
    _count(report, accepted, refused)
    if run.discarded:
        _count_dropped(report, dropped, unknown)
    _write_quarantine(world, state, run, report, pl.concat([rejected, _refused_rows(run, refused)]))
    report.state = "discarded" if run.discarded else final_state(report)
    report.check()
    state.finished.record(report.to_json())
    if run.origin:
        close_origin(state, run)
    ended: RunLogState = "discarded" if run.discarded else "settled"
    state.runs.change(stored, state=ended, report=report.to_json(), gave=gave, owed=owed)
    log.info("run.settled", seq=run.seq, state=report.state, refused=refused.height)
    return report


def final_state(report: RunReport) -> RunState:
    """
    Say in one word how a run ended.

    Rejected files and rejected or refused rows make it ``partial``.
    """
    rejected = any(file.outcome == "rejected" for file in report.files)
    if rejected or report.rows_rejected or report.rows_refused:
        return "partial"
    return "succeeded"


def _answered(outbox: pl.DataFrame, acks: pl.DataFrame) -> pl.DataFrame:
    """Put beside each object what Braze said of it; null where it said nothing."""
    acks = acks.sort(ITEM)
    if acks[ITEM].equals(outbox[ITEM]):
        # Nearly always so, and a join would copy every column.
        return pl.concat([outbox, acks.drop(ITEM)], how="horizontal")
    return outbox.join(acks, on=ITEM, how="left")


def take_up_origin(state: ConnectionState, run: RunDocument) -> bool:
    """
    Take up a run that was held back, before anything of it is sent; may be done again.

    Returns:
        False if a person dropped it after the plan of this run had been made.

    Raises:
        StorageChanged: Another process changed it at the same moment.
    """
    if not run.origin:
        return True
    origin = state.runs.read(run.origin)
    if origin.document.hold and origin.document.state == "held_back":
        if not origin.document.taken_up_by:
            state.runs.change(origin, taken_up_by=run.seq)
        return True
    return not origin.document.hold or origin.document.state != "discarded"


def close_origin(state: ConnectionState, run: RunDocument) -> None:
    """Note in the run that was taken up who did so; it is done with then. May be done again."""
    origin = state.runs.read(run.origin)
    if not origin.document.hold:
        if not origin.document.taken_up_by:
            state.runs.change(origin, taken_up_by=run.seq)
        return
    if origin.document.state == "discarded":
        return
    report = origin.document.report
    if origin.document.state != "settled":
        notes = [*report["notes"], f"Released: run {run.seq} applied it."]
        report |= {"state": "released", "finished_at": run.acked_at, "notes": notes}
        state.runs.change(origin, state="settled", taken_up_by=run.seq, report=report)
    state.finished.amend(report)


def _keep_gave(world: World, state: ConnectionState, run: RunDocument, gifts: pl.DataFrame) -> str:
    """Keep what the files really gave, so that it can be replaced by a newer version."""
    named = pl.DataFrame(
        {FILE: range(len(run.files)), "key": [file.key for file in run.files]},
        schema={FILE: pl.UInt32, "key": pl.String},
    )
    rows = gifts.join(named, on=FILE).select(GAVE.names())
    return store_unless_empty(world, state.names.gave(run.seq), rows)


def _keep_owed(
    world: World,
    state: ConnectionState,
    run: RunDocument,
    refused: pl.DataFrame,
    gave: tuple[pl.DataFrame, pl.DataFrame],
) -> str:
    """Keep what was given to refused profiles, and its order, so that it can be given again."""
    doubtful = refused.with_columns(_doubtful(run).alias("uncertain"))
    gifts, orders = gave
    rows = owed_by(doubtful, gifts.filter(~pl.col(ALREADY)), orders, run.fields)
    return store_unless_empty(world, state.names.owed(run.job, run.seq), rows)


def _held_rows(accepted: pl.DataFrame) -> pl.DataFrame:
    """
    Turn accepted objects into rows of held values.

    Of a profile that Braze may have skipped (update-only, never seen to exist) nothing is known.
    """
    fields = [name.removeprefix(WANTED) for name in accepted.columns if name.startswith(WANTED)]
    return accepted.filter(SURE).select(
        PROFILE,
        pl.lit(value=True).alias(EXISTS),
        *(pl.col(WANTED + name).alias(name) for name in fields),
    )


def _doubtful(run: RunDocument) -> pl.Expr:
    """Tell of which refused objects an attempt may have taken effect all the same."""
    attempted = pl.col("outcome") != "withheld"
    return attempted & (pl.col("uncertain") | pl.lit(run.resumed))


def _uncertain_rows(refused: pl.DataFrame) -> pl.DataFrame:
    """
    Mark what was refused after another attempt whose outcome nobody knows.

    That attempt may have been applied, so neither the value before nor the wanted one is certain.
    """
    return _held_rows(refused.with_columns(pl.lit(value=True).alias(SURE))).select(
        PROFILE,
        pl.lit(None, pl.Boolean).alias(EXISTS),
        pl.when(pl.exclude(PROFILE, EXISTS).is_not_null()).then(pl.lit("?")).name.keep(),
    )


def _count(report: RunReport, accepted: pl.DataFrame, refused: pl.DataFrame) -> None:
    fields = [name for name in accepted.columns if name.startswith(WANTED)]
    report.rows_applied = int(accepted[ROWS].sum())
    report.rows_refused = int(refused[ROWS].sum())
    report.profiles_updated = int(accepted[KNOWN].sum())
    report.profiles_new = accepted.height - report.profiles_updated
    report.profiles_refused = refused.height
    report.data_points = int(accepted[POINTS].sum())
    report.fields_changed = sum(accepted[name].count() for name in fields)


def _without(gifts: pl.DataFrame, *others: pl.DataFrame) -> pl.DataFrame:
    """Leave out what was given to profiles that did not get it, unless they had it before."""
    kept = gifts.filter(~pl.col(ALREADY))
    for other in others:
        kept = kept.join(other, on=PROFILE, how="anti")
    return pl.concat([kept, gifts.filter(ALREADY)])


def _count_dropped(report: RunReport, dropped: pl.DataFrame, unknown: pl.DataFrame) -> None:
    """What a discarded run did not bring to its end counts as skipped."""
    report.rows_skipped += int(dropped[ROWS].sum()) + int(unknown[ROWS].sum())
    report.profiles_skipped += dropped.height + unknown.height
    report.notes.append(f"Discarded: {dropped.height:,} profiles were never sent.")
    if unknown.height:
        report.notes.append(
            f"{unknown.height:,} profiles were sent and never answered. What Braze has of them is "
            "uncertain, so it is looked up before it is used; their sums count as added."
        )


def _refused_rows(run: RunDocument, refused: pl.DataFrame) -> pl.DataFrame:
    """Put refused objects into the shape of quarantine; the row is the last that named them."""
    rows = refused.select(
        FILE,
        ROW,
        pl.col(PROFILE).alias("profile"),
        pl.when(pl.col("outcome") == "withheld")
        .then(pl.lit("changed_by_others"))
        .otherwise(pl.lit("refused_by_braze"))
        .alias("reason"),
        pl.col("reason").alias("message"),
        pl.col(OBJECT).alias("record"),
    )
    return quarantined(rows, run.files, "refused")


def _write_quarantine(
    world: World, state: ConnectionState, run: RunDocument, report: RunReport, rows: pl.DataFrame
) -> None:
    if rows.is_empty():
        return
    key = state.names.quarantine(run.job, run.seq)
    world.bucket.write(key, to_csv(rows), content_type="text/csv; charset=utf-8")
    report.quarantine = key
