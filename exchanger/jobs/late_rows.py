"""
What rows that come late may still say: nothing that a later run has changed.

Where it is not known whether a refused sum took effect after all, Braze's value tells: the one from
before means that it is still owed, the wanted one that it was applied. If it is neither, nobody can
tell, and the row stays in quarantine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.later_changes import later_changes
from exchanger.jobs.lookup import look_up_and_keep, wait_until_shown
from exchanger.jobs.owed import GIVEN, UNCERTAIN_ROW
from exchanger.jobs.reading import REJECTED
from exchanger.profiles.columns import FILE, PROFILE, ROW, before, said, wanted

if TYPE_CHECKING:
    from exchanger.config.models import StrategyName
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.quarantined_rows import OwedRows, QuarantinedRows
    from exchanger.jobs.reading import Reading
    from exchanger.profiles.rules import Rule
    from exchanger.state.runs import RunDocument

_LATE: frozenset[StrategyName] = frozenset({"set", "clear", "remove", "set_if_empty"})
"""Strategies by which an old row would undo a newer one."""
_NOBODY_KNOWS = (
    "Braze may have applied this to {} before it refused it, and the value has changed since: look "
    "at the profile, and give the difference in a new file if it is missing."
)


def settle_late_rows(
    call: ImportCall, run: RunDocument, reading: Reading, found: QuarantinedRows
) -> None:
    """
    Take out of a reading what must not be given again.

    Args:
        call: The job.
        run: The run whose quarantine is given again.
        reading: All its rows; changed in place.
        found: Where they came from.

    Raises:
        BrazeError: A look-up failed.
    """
    frames = [pl.DataFrame(schema={PROFILE: pl.String}), *reading.frames]
    profiles = pl.concat([frame.select(PROFILE) for frame in frames]).to_series().unique()
    root, retries = _first_run(call, run)
    later = later_changes(call, root, profiles, leaving_out=retries)
    for owed in found.owed:
        _settle_uncertain(call, reading, owed, later)
    rules = [rule for rule in reading.rules.values() if rule.merge in _LATE]
    reading.frames = [_without_overtaken(frame, rules, later, reading) for frame in reading.frames]
    if reading.superseded:
        reading.notes.append(
            f"{reading.superseded:,} rows were left out, as later runs changed all that they say."
        )


def _first_run(call: ImportCall, run: RunDocument) -> tuple[int, list[int]]:
    """Go back to the run that read the rows first; also name the retries on the way."""
    retries: list[int] = []
    while run.origin:
        before_it = call.state.runs.read(run.origin).document
        if before_it.hold:
            break
        retries.append(run.seq)
        run = before_it
    return run.seq, retries


def _without_overtaken(
    frame: pl.DataFrame, rules: list[Rule], later: pl.DataFrame, reading: Reading
) -> pl.DataFrame:
    spoke = frame.filter(_speaks(frame))
    for rule in rules:
        if rule.name not in frame.columns:
            continue
        changed = later.filter(pl.col("field") == rule.name)[PROFILE]
        still = ~pl.col(PROFILE).is_in(changed.implode())
        frame = frame.with_columns(pl.when(still).then(pl.col(rule.name)).alias(rule.name))
        if rule.merge == "clear":
            frame = frame.with_columns(still & pl.col(said(rule.name)))
    silenced = frame.filter(~_speaks(frame)).join(spoke, on=[FILE, ROW], how="semi")
    reading.superseded += silenced.height
    return frame.join(silenced, on=[FILE, ROW], how="anti", maintain_order="left")


def _speaks(frame: pl.DataFrame) -> pl.Expr:
    told = [name for name in frame.columns if name.startswith(said(""))]
    # What a *clear* rule says is in its flag alone.
    fields = [name for name in frame.columns if not name.startswith("@") and said(name) not in told]
    return pl.any_horizontal(
        pl.lit(value=False),
        *(pl.col(name).is_not_null() for name in fields),
        *(pl.col(name).fill_null(value=False) for name in told),
    )


def _settle_uncertain(
    call: ImportCall, reading: Reading, owed: OwedRows, later: pl.DataFrame
) -> None:
    doubtful = owed.rows.filter(pl.col(UNCERTAIN_ROW))
    sums = [
        rule.name
        for rule in reading.rules.values()
        if rule.merge == "sum" and GIVEN + rule.name in doubtful.columns
    ]
    for name in sums:
        rows = doubtful.filter(pl.col(GIVEN + name).is_not_null())
        if rows.height:
            _settle_sum(reading, _position(reading, owed), name, _seen(call, name, rows, later))


def _position(reading: Reading, owed: OwedRows) -> int:
    """Find the file of the reading that holds these rows."""
    return next(
        position
        for position, file in enumerate(reading.files)
        if (file.key, file.etag, file.owed_by)
        == (owed.claim.key, owed.claim.etag, owed.claim.owed_by)
    )


def _seen(call: ImportCall, name: str, rows: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Put beside each row what Braze had after the refusal, as ``@seen``."""
    known = later.filter(pl.col("field") == name).select(PROFILE, pl.col("before").alias("@seen"))
    asked = rows.join(known, on=PROFILE, how="anti").select(PROFILE, pl.lit(name).alias("field"))
    if asked.height:
        newest = call.state.runs.newest()
        wait_until_shown(call, newest.document.seq if newest else 0)
        looked_up = look_up_and_keep(call, asked)
        known = pl.concat([known, looked_up.select(PROFILE, pl.col(name).alias("@seen"))])
    return rows.join(known, on=PROFILE, how="left", maintain_order="left")


def _settle_sum(reading: Reading, position: int, name: str, rows: pl.DataFrame) -> None:
    """Give again what is still owed, note what was applied, and reject what nobody knows."""
    applied = pl.col("@seen") == pl.col(wanted(name))
    still = pl.col("@seen") == pl.col(before(name)).fill_null("null")
    lost = rows.filter((~(applied | still)).fill_null(value=True))
    done = rows.filter(applied.fill_null(value=False))
    place = pl.lit(position, pl.UInt32).alias(FILE)
    reading.already.append(
        done.select(
            PROFILE, place, pl.lit(name).alias("field"), pl.col(GIVEN + name).alias("given")
        )
    )
    reading.rejected.append(
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
    reading.frames = [
        frame.filter(~gone).with_columns(
            pl.when(~given_before).then(pl.col(name)).alias(name) if name in frame.columns else []
        )
        for frame in reading.frames
    ]
