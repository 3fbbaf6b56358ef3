"""
What rows that come late may still say: nothing that a later run has changed.

Where it is not known whether a refused sum took effect after all, Braze's value tells: the one from
before means that it is still owed, the wanted one that it was applied. If it is neither, nobody can
tell, and the row stays in quarantine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.config.models import ITEM_GONE
from exchanger.jobs.history.changes_since import later_changes
from exchanger.jobs.history.shown import wait_until_shown
from exchanger.jobs.intake.batch import REJECTED
from exchanger.jobs.intake.event_order import applied_orders
from exchanger.jobs.observing.lookup import keeping, look_up
from exchanger.jobs.quarantine.refused import GIVEN, UNCERTAIN_ROW
from exchanger.jobs.quarantine.same_run import overtaken_in_own_run, rows_after
from exchanger.notes import noted
from exchanger.profiles.frames.columns import FILE, ORDER, PROFILE, ROW, before, wanted
from exchanger.profiles.merging.event_order import GIVING_WAY, REPLACING, overtaken, silenced

if TYPE_CHECKING:
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.quarantine.read import QuarantinedRows, RefusedRows
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.frames.rules import Rule
    from exchanger.state.runs.log import RunDocument

_NOBODY_KNOWS = (
    "Braze may have applied this to {} before it refused it, and the value has changed since: look "
    "at the profile, and give the difference in a new file if it is missing."
)


def settle_late_rows(
    call: ImportContext, run: RunDocument, batch: InputBatch, found: QuarantinedRows
) -> InputBatch:
    """
    Take out of a batch what must not be given again; returns what is left.

    Args:
        call: The job.
        run: The run whose quarantine is given again.
        batch: All its rows, which are replaced.
        found: Where they came from.

    Raises:
        BrazeError: A look-up failed.
    """
    named = [frame.select(PROFILE) for frame in batch.given.frames()]
    nobody = pl.DataFrame(schema={PROFILE: pl.String})
    profiles = pl.concat([nobody, *named]).to_series().unique()
    first, retries = _first_run(call, run)
    later = later_changes(call, first.seq, profiles, leaving_out=[each.seq for each in retries])
    used = rows_after(call, first, retries, batch, found)
    for owed in found.refused:
        batch = _settle_uncertain(call, batch, owed)
    rules = [rule for rule in batch.rules.values() if rule.merge in GIVING_WAY]

    gone: list[int] = []

    def left(frame: pl.DataFrame) -> pl.DataFrame:
        by_runs = _overtaken(call, frame, rules, later)
        by_rows = overtaken_in_own_run(frame, rules, first, batch, used)
        each = silenced(frame, _either(by_runs, by_rows))
        gone.append(each.gone.height)
        return each.rows

    batch.given.change(left)
    superseded = batch.superseded + sum(gone)
    if not superseded:
        return batch
    note = noted("rows_superseded", rows=superseded)
    return replace(batch, superseded=superseded, notes=(*batch.notes, note))


def _first_run(call: ImportContext, run: RunDocument) -> tuple[RunDocument, list[RunDocument]]:
    """Go back to the run that read the rows first; also return the retries on the way."""
    retries: list[RunDocument] = []
    while run.parent:
        before_it = call.state.runs.read(run.parent).document
        if before_it.hold:
            break
        retries.append(run)
        run = before_it
    return run, retries


def _either(cells: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Join two answers about the same cells."""
    return cells.select(pl.col(name) | others[name] for name in cells.columns)


def _overtaken(
    call: ImportContext, frame: pl.DataFrame, rules: list[Rule], later: pl.DataFrame
) -> pl.DataFrame:
    """
    Return which cells later runs have changed, as ``event_order.overtaken``: all fields it has.

    Where later runs of the same job had an order, that decides in place of the number of the run.
    Of an equal order the later run counts, and that is not the one which is given again.
    """
    cells: dict[str, pl.Series] = {}
    older = pl.DataFrame()
    if ORDER in frame.columns:
        applied = applied_orders(call, frame, rules)
        older = overtaken(frame, applied, rules, or_equal=True)
    for rule in rules:
        if rule.name not in frame.columns:
            continue
        changed = later.filter(_undone_by(rule))
        hit = frame[PROFILE].is_in(changed[PROFILE].implode())
        if ORDER in frame.columns and rule.merge in REPLACING:
            by_number = changed.filter(~pl.col("in_order"))[PROFILE]
            unordered = frame[PROFILE].is_in(by_number.implode()) | (hit & frame[ORDER].is_null())
            hit = unordered | (hit & older[rule.name]) if rule.name in older.columns else unordered
        cells[rule.name] = hit
    return frame.select(cell.alias(name) for name, cell in cells.items())


def _undone_by(rule: Rule) -> pl.Expr:
    """Find what a late value of a field would undo: a deletion of an item, all that it has."""
    if rule.of_item and rule.name == ITEM_GONE:
        return pl.lit(value=True)
    own = pl.col("field") == rule.name
    if rule.of_entry:
        return own & pl.col("own")  # Other entries of the list are of other jobs.
    return own | (pl.col("field") == ITEM_GONE) if rule.of_item else own


def _settle_uncertain(call: ImportContext, batch: InputBatch, owed: RefusedRows) -> InputBatch:
    doubtful = owed.rows.filter(pl.col(UNCERTAIN_ROW))
    sums = [
        rule.name
        for rule in batch.rules.values()
        if rule.merge == "sum" and GIVEN + rule.name in doubtful.columns
    ]
    if doubtful.is_empty() or not sums:
        return batch
    # Whatever a later run planned with is what Braze had after the refusal, whatever became of it.
    later = later_changes(call, owed.run.seq, doubtful[PROFILE].unique(), accepted=False)
    for name in sums:
        rows = doubtful.filter(pl.col(GIVEN + name).is_not_null())
        if rows.height:
            seen = _seen(call, name, rows, later)
            batch = _settle_sum(batch, _position(batch, owed), name, seen)
    return batch


def _position(batch: InputBatch, owed: RefusedRows) -> int:
    """Find the file of the batch that holds these rows."""
    return next(
        position
        for position, file in enumerate(batch.files)
        if (file.key, file.etag, file.refused_in)
        == (owed.claim.key, owed.claim.etag, owed.claim.refused_in)
    )


def _seen(call: ImportContext, name: str, rows: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Put beside each row what Braze had after the refusal, as ``@seen``."""
    known = later.filter(pl.col("field") == name, pl.col("before").is_not_null()).select(
        PROFILE, pl.col("before").alias("@seen")
    )
    asked = rows.join(known, on=PROFILE, how="anti").select(PROFILE, pl.lit(name).alias("field"))
    if asked.height:
        newest = call.state.runs.newest()
        wait_until_shown(call.context, call.state.runs, newest.document.seq if newest else 0)
        looked_up = look_up(call.context, asked, keeping(call))
        known = pl.concat([known, looked_up.select(PROFILE, pl.col(name).alias("@seen"))])
    return rows.join(known, on=PROFILE, how="left", maintain_order="left")


def _settle_sum(batch: InputBatch, position: int, name: str, rows: pl.DataFrame) -> InputBatch:
    """Read again what is still owed, note what was applied, and reject what nobody knows."""
    applied = pl.col("@seen") == pl.col(wanted(name))
    still = pl.col("@seen") == pl.col(before(name)).fill_null("null")
    lost = rows.filter((~(applied | still)).fill_null(value=True))
    done = rows.filter(applied.fill_null(value=False))
    place = pl.lit(position, pl.UInt32).alias(FILE)
    given = done.select(
        PROFILE, place, pl.lit(name).alias("field"), pl.col(GIVEN + name).alias("given")
    )
    batch.rejected.add(
        lost.select(
            place,
            ROW,
            pl.lit(name).alias("field"),
            pl.col(GIVEN + name).alias("value"),
            pl.lit("cannot_tell").alias("reason"),
            pl.lit(_NOBODY_KNOWS.format(name)).alias("message"),
            pl.lit(None, pl.String).alias("record"),
        ).select(*REJECTED)
    )
    gone = (pl.col(FILE) == position) & pl.col(ROW).is_in(lost[ROW].implode())
    given_before = (pl.col(FILE) == position) & pl.col(ROW).is_in(done[ROW].implode())
    batch.given.change(
        lambda frame: frame.filter(~gone).with_columns(
            pl.when(~given_before).then(pl.col(name)).alias(name) if name in frame.columns else []
        )
    )
    return replace(batch, already=(*batch.already, given))
