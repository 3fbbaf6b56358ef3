"""How the rows of a run become an outbox: what is known of each part, and what decides about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.braze.identifiers import SHARED
from exchanger.config.models import ITEM_GONE
from exchanger.jobs.intake.event_order import leave_out_late_rows
from exchanger.jobs.observing.items import look_at_items
from exchanger.jobs.observing.lookup import NOBODY, LookUps, alone_in_a_request, note_if_slow
from exchanger.jobs.observing.who_is_there import who_is_there
from exchanger.jobs.planning.catalogs import require_catalog
from exchanger.jobs.planning.gated_segment import leave_out_outsiders
from exchanger.jobs.planning.known_values import resolve_unknowns
from exchanger.jobs.planning.people import known_links, resolve_people
from exchanger.jobs.planning.unclear_people import (
    reject_ambiguous,
    reject_two_people,
    tell_other_people,
)
from exchanger.jobs.runtime.one_moment import demand_rows_of_now
from exchanger.jobs.snapshots.comparison import Comparison
from exchanger.objects.kinds import Folded
from exchanger.objects.orders.events import OrderOptions
from exchanger.objects.orders.lines import Lines, named_lines, names_of, plan_orders
from exchanger.objects.people.calls import (
    CallOptions,
    CallsInput,
    EachCall,
    claims_of,
    leaving,
    plan_calls,
)
from exchanger.objects.rows import EachRow, RowOptions, RowsInput, plan_rows
from exchanger.profiles.frames.columns import FILE, OTHER, PROFILE, ROW, ROW_ID, ROWS
from exchanger.profiles.people.gates import gates_of
from exchanger.profiles.planning.consent_terms import ConsentTerms
from exchanger.profiles.planning.part import PartInput, PartPlan, PlanOptions, plan_part
from exchanger.profiles.spelling.profile_key import catalog_of

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.profiles.frames.rules import Rule


@dataclass(frozen=True)
class PlanParts:
    """
    The parts of a run, ready to be decided about.

    Args:
        batch: What was read, without what need not be decided about.
        inputs: Each part, with what is known of it; to be used once, as parts are forgotten.
        decide: Decides about a part. It can be pickled, so another process may do it.
        rules: What is done to each field; none if no values are changed.
        lookups: Who was looked up.
        compared: Who came and left, of a job of snapshots; None of others.
    """

    batch: InputBatch
    inputs: Generator[Any]
    decide: Callable[[Any], PartPlan]
    rules: tuple[Rule, ...] = ()
    lookups: LookUps = NOBODY
    compared: Comparison | None = None


MadeParts = Callable[
    ["ImportContext", "InputBatch", "RunReport"], AbstractContextManager[PlanParts]
]
"""Finds what a plan has to know, for a batch whose report gets what is noted of it."""


def parts_of(
    call: ImportContext, batch: InputBatch, report: RunReport
) -> AbstractContextManager[PlanParts]:
    """
    Find what a plan has to know, as the job's kind of object asks for it.

    Args:
        call: The job; held values are read, and Braze is asked for what is unknown.
        batch: Rows, rules and files.
        report: Gets sentences about look-ups.

    Raises:
        BrazeError: A look-up failed.
        Stopped: The process was asked to stop; nothing was claimed.
    """
    match call.kind.making:
        case Folded() as making:
            return _folded(call, batch, report, making)
        case EachRow() as making:
            return _each_row(call, batch, making, report)
        case Lines() as making:
            return _orders(call, batch, making, report)
        case EachCall() as making:
            return _each_call(call, batch, making, report)


@contextmanager
def _folded(
    call: ImportContext, batch: InputBatch, report: RunReport, making: Folded
) -> Iterator[PlanParts]:
    """Fold rows into one object for each profile, decided from what is held of it."""
    rules = [*batch.rules.values()]
    job, consent = call.job, making.consent
    shape = None
    if making.shape is not None:
        require_catalog(call, batch, rules)
        keys = pl.concat(batch.given.profiles(number) for number in range(len(batch.given)))
        report.facts += look_at_items(
            call, keys.unique(), [rule.name for rule in rules if rule.name != ITEM_GONE]
        )
        shape = making.shape(job, _other_fields(call, keys, batch.rules))
    elif making.changes is not None:
        shape = making.changes(job)
    elif making.crossings is not None:
        first = call.state.file_ledger.snapshot().last_applied(call.name) is None
        shape = making.crossings(job, call.context.clock.now(), first)
    # A state is that of an address, whoever has it.
    people = None
    if not consent and (call.kind.looked_up or making.there):
        people = resolve_people(call, batch, rules, report, there=making.there)
    tell_other_people(call, batch, people)
    compared = None
    # One row that is tried says nothing about who came and left.
    if job.source.is_snapshot and all(file.outcome != "tested" for file in batch.files):
        compared = Comparison(call, batch, partial(known_links, call, people))
    batch = leave_out_outsiders(call, batch, report)
    batch, applied = leave_out_late_rows(call, batch, rules)
    terms = PlanOptions(
        rules,
        job.assumes_empty,
        job.creates,
        most_recent=job.on_ambiguous == "most_recent",
        plain=_are_external_ids(job, batch),
        shape=shape,
        gates=gates_of(job.gates),
        consent=ConsentTerms(bool(job.subscription and job.subscription.double_opt_in))
        if consent
        else None,
        names_taken=compared is not None,
        there=making.there,
    )
    with closing(resolve_unknowns(call, batch, terms, report, people)) as learnt:

        def inputs() -> Generator[PartInput]:
            for number in range(len(batch.given)):
                ready = _ready(batch) if number == 0 else None
                yield replace(learnt.part(number), applied=applied.of(number), ready=ready)
                learnt.clear(number)

        decide = partial(plan_part, terms=terms)
        # That somebody came or went changes no value of Braze's.
        told = () if making.crossings is not None else tuple(rules)
        yield PlanParts(batch, inputs(), decide, told, learnt.lookups, compared)


def _other_fields(
    call: ImportContext, keys: pl.Series, rules: Collection[str]
) -> dict[str, list[str]]:
    """Name, by catalog, the fields that anything is held of and that a run does not write."""
    catalogs = keys.to_frame(PROFILE).select(catalog_of(pl.col(PROFILE)).unique()).to_series()
    return {
        catalog: [name for name in call.state.items(catalog).fields() if name not in rules]
        for catalog in catalogs.sort()
    }


def _ready(batch: InputBatch) -> pl.DataFrame | None:
    """Return what is given again as it was; None if there is none."""
    return pl.concat([*batch.ready.frames()], how="diagonal") if batch.ready.rows else None


def _are_external_ids(job: ImportJob, batch: InputBatch) -> bool | None:
    """Return whether external ids name all profiles; None where only the rows themselves tell."""
    # What was given earlier may have been named by something else then.
    earlier = any(file.replaces or file.refused_in for file in batch.files)
    return True if job.by_external_id and not earlier else None


@contextmanager
def _each_row(
    call: ImportContext, batch: InputBatch, making: EachRow, report: RunReport
) -> Iterator[PlanParts]:
    """Build an object of each row; they change no values, so there are no rules."""
    job = call.job
    lookups = _meant(call, batch, report)
    terms = RowOptions(
        making=making,
        rules=[*batch.rules.values()],
        endpoint=making.endpoints[job.on_unknown].name,
        create_missing=job.create_missing,
        shown=call.shown,
    )
    decide = partial(plan_rows, terms=terms)
    yield PlanParts(batch, _rows(call, batch), decide, lookups=lookups)


@contextmanager
def _orders(
    call: ImportContext, batch: InputBatch, making: Lines, report: RunReport
) -> Iterator[PlanParts]:
    """Bring the lines of each order together."""
    job = call.job
    lookups = _meant(call, batch, report)
    terms = OrderOptions(
        rules=[*batch.rules.values()],
        endpoint=making.endpoints[job.on_unknown].name,
        create_missing=job.create_missing,
        id_column=job.row_name or "",
        match_column=", ".join(job.match_columns),
    )
    inputs = _rows(call, batch, partial(named_lines, rules=terms.rules))
    yield PlanParts(batch, inputs, partial(plan_orders, terms=terms), lookups=lookups)


def _meant(call: ImportContext, batch: InputBatch, report: RunReport) -> LookUps:
    """Find out who is meant by rows that become objects by themselves, and who was looked up."""
    job, people = call.job, None
    if job.on_ambiguous == "reject" and any(match.kind in SHARED for match in job.match):
        people = resolve_people(call, batch, [], report)
        reject_ambiguous(call, batch, people)
    tell_other_people(call, batch, people)
    return NOBODY if people is None else people.lookups


def _rows(
    call: ImportContext,
    batch: InputBatch,
    named: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
) -> Generator[RowsInput]:
    """
    Yield the rows of a run, part by part, with what is known of them; each is forgotten then.

    What is given again comes with the first part. Of it, only what is surely taken up by now is
    left out: its rows may be in the ledger as in doubt, which is why they are given again.

    Args:
        call: The job.
        batch: What was read.
        named: Names lines and their orders, where rows are lines.
    """
    ledger = call.state.rows(call.name) if call.job.row_name else None
    if ledger is not None:
        demand_rows_of_now(call.state, call.name)
    nothing = pl.Series(ROW_ID, [], pl.String)
    for number in range(len(batch.given)):
        given = batch.given.part(number)
        given = given if named is None else named(given)
        taken = nothing
        if ledger is not None:
            taken = ledger.taken(given[ROW_ID] if named is None else names_of(given))
        ready, repeated = None, 0
        if number == 0 and batch.ready.rows:
            ready = pl.concat([*batch.ready.frames()], how="diagonal")
            if ledger is not None and ROW_ID in ready.columns:
                done = ledger.taken(ready[ROW_ID], surely=True)
                repeated = int(ready[ROWS].sum())
                ready = ready.filter(~pl.col(ROW_ID).is_in(done.implode()).fill_null(value=False))
                repeated -= int(ready[ROWS].sum())
        yield RowsInput(given, taken, ready, repeated)
        batch.given.clear(number)


@contextmanager
def _each_call(
    call: ImportContext, batch: InputBatch, making: EachCall, report: RunReport
) -> Iterator[PlanParts]:
    """Look who is meant by each row, and whether anything is in the way of what it says."""
    reject_two_people(call, batch)
    other = making.other(call.job).alias(OTHER)
    batch.given.change(lambda frame: frame.with_columns(other))
    schema = {FILE: pl.UInt32, ROW: pl.UInt32, PROFILE: pl.String, OTHER: pl.String}
    frames = (frame.select(*schema) for frame in batch.given.frames())
    rows = pl.concat([pl.DataFrame(schema=schema), *frames])
    taken, claimed, meant = leaving(rows), claims_of(rows), rows[PROFILE].unique()
    report.facts += note_if_slow(meant.len(), call.context.lookup_limit, alone_in_a_request(meant))

    def inputs() -> Generator[CallsInput]:
        for number in range(len(batch.given)):
            given = batch.given.part(number)
            named = [given[name] for name in (PROFILE, OTHER) if name in given.columns]
            again = number == 0 and batch.ready.rows
            yield CallsInput(
                given=given,
                seen=who_is_there(call.context, pl.concat(named)),
                leaving=taken,
                claimed=claimed,
                ready=pl.concat([*batch.ready.frames()], how="diagonal") if again else None,
            )
            batch.given.clear(number)

    decide = partial(plan_calls, terms=CallOptions(making, call.job))
    yield PlanParts(batch, inputs(), decide, lookups=LookUps.of(meant))
