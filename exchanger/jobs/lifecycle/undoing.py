"""What takes a run back: a batch without files, and parts that know what came after the run."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.config.models import FieldConfig
from exchanger.jobs.history.other_keys import held_of_people
from exchanger.jobs.history.shown import wait_until_shown
from exchanger.jobs.intake.batch import InputBatch
from exchanger.jobs.observing.lookup import NOBODY, LookUps, look_up_all, note_if_slow, overlay
from exchanger.jobs.planning.known_values import with_others
from exchanger.jobs.planning.parts import PlanParts
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.frames.columns import EXISTS, IDENTIFIED, PROFILE
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.planning.undo import UndoInput, UndoOptions, undo_part, unknown_now
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.profile_key import kind_of
from exchanger.profiles.spelling.same_person import LINKED, links_of

if TYPE_CHECKING:
    from exchanger.files.scratch.spill import Scratch
    from exchanger.jobs.history.taken_back import TakenBack
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport


@dataclass(frozen=True)
class Undoing:
    """A run that is taken back."""

    call: ImportContext
    found: TakenBack
    scratch: Scratch

    @property
    def batch(self) -> InputBatch:
        """What the new run is made of: a row for each profile, of no file."""
        nobody = pl.DataFrame(schema={PROFILE: pl.String})
        return InputBatch(
            scratch=self.scratch,
            given=self.found.ours,
            rejected=self.scratch.spill(),
            dropped=self.scratch.spill(),
            corrections=PartitionedRows(self.scratch, 1, nobody),
            mentioned=PartitionedRows(self.scratch, 1, nobody),
            beside=PartitionedRows(self.scratch, 1, nobody),
            ready=self.scratch.spill(),
            files=self.found.files,
            rows=self.found.profiles,
        )

    @contextmanager
    def parts(
        self, call: ImportContext, batch: InputBatch, report: RunReport
    ) -> Iterator[PlanParts]:
        """Look up what is unknown by now, then read part by part what decides."""
        rules = tuple(_rule(name, told) for name, told in self.found.fields.items())
        terms = UndoOptions(self.found.run.seq, rules)
        seen, lookups = self._looked_up(call, terms, report)

        def inputs() -> Generator[UndoInput]:
            for number in range(len(batch.given)):
                yield self._part(call, terms, number, seen)
                for rows in (batch.given, self.found.later, self.found.gave, self.found.said, seen):
                    rows.clear(number)

        yield PlanParts(batch, inputs(), partial(undo_part, terms=terms), rules, lookups)

    def _part(
        self, call: ImportContext, terms: UndoOptions, number: int, seen: PartitionedRows
    ) -> UndoInput:
        ours = self.found.ours.part(number)
        names = [rule.name for rule in terms.rules]
        everybody = ours.select(PROFILE).unique()
        held = held_of_people(
            call.state.held, everybody[PROFILE], self.found.said.part(number), names
        )
        held = everybody.join(held, on=PROFILE, how="left", maintain_order="left")
        held = with_others(call, everybody[PROFILE], held, names)
        looked_up = seen.part(number)
        if not looked_up.is_empty():
            looked_up = looked_up.unique(PROFILE, keep="last")
            held = overlay(held, looked_up).sort(PROFILE)
            held = held.join(_met(looked_up), on=PROFILE, how="left", maintain_order="left")
        return UndoInput(ours, self.found.later.part(number), self.found.gave.part(number), held)

    def _looked_up(
        self, call: ImportContext, terms: UndoOptions, report: RunReport
    ) -> tuple[PartitionedRows, LookUps]:
        """Ask Braze for what is not known by now, where it decides."""
        parts = len(self.found.ours)
        seen = PartitionedRows(
            self.scratch, parts, pl.DataFrame(schema={PROFILE: pl.String, EXISTS: pl.Boolean})
        )
        asked, lookups, uncertain = self.scratch.spill(), NOBODY, False
        for number in range(parts):
            call.context.go_on()
            part = self._part(call, terms, number, seen)
            asked.add(_with_owners(unknown_now(part, terms)))
            texts = part.held.select(pl.col(pl.String).exclude(PROFILE) == UNCERTAIN)
            uncertain |= any(bool(text.any()) for text in texts)
        if not asked.rows:
            return seen, lookups
        for frame in asked.frames([PROFILE]):
            lookups += LookUps.of(frame[PROFILE].unique())
        report.facts += note_if_slow(lookups.profiles, call.context.lookup_limit, lookups.alone)
        if uncertain and call.record:
            wait_until_shown(call.context, call.state.runs, (report.seq or 1) - 1)
        names = [IDENTIFIED, *(rule.name for rule in terms.rules)]

        def take(_number: int, answer: pl.DataFrame) -> None:
            kept = answer.filter(pl.col(EXISTS).is_not_null())
            seen.add(kept.select(PROFILE, EXISTS, *(n for n in names if n in kept.columns)))

        look_up_all(call, asked, names[1:], take)
        return seen, lookups


def _with_owners(asked: pl.DataFrame) -> pl.DataFrame:
    """Ask of keys that are no external ids whom they mean, too: it was uncertain as well."""
    others = asked.filter(kind_of(pl.col(PROFILE)) != "external_id").select(PROFILE).unique()
    return pl.concat([asked, others.with_columns(pl.lit(IDENTIFIED).alias("field"))])


def _met(looked_up: pl.DataFrame) -> pl.DataFrame:
    """Name, as ``@linked``, the people of whom it is only known now that keys mean them."""
    if IDENTIFIED not in looked_up.columns:
        return pl.DataFrame(schema={PROFILE: pl.String, LINKED: pl.String})
    people = links_of(looked_up).filter(pl.col(PROFILE) != pl.col(LINKED))
    return people.filter(kind_of(pl.col(PROFILE)) != "external_id")


def _rule(name: str, told: Mapping[str, Any]) -> Rule:
    """Return how a run merged a field; what others change until it is sent stays theirs."""
    names = ("merge", "type", "ordered", "key", "complete")
    kept: dict[str, Any] = {key: told[key] for key in names if key in told}
    kept |= {"scale": told.get("scale") or None, "on_drift": "quarantine"}
    config = FieldConfig.model_construct(**kept)
    return Rule(name, "", told["type"], config, guarded=bool(told.get("guarded")))
