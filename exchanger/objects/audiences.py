"""
Audiences: rows that say who comes and who goes become fields, and are merged and held as such.

So the last word about somebody counts, and what Braze has already is not sent. Of an array
attribute one entry alone is given, whatever else is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from exchanger.config.models import ACTION, COMES, EntryField, FieldConfig
from exchanger.objects.states import MEANT, Shaped, rejected_for, words_read
from exchanger.profiles.frames.columns import said
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.strategies import entry_goes
from exchanger.profiles.reading.field_columns import type_of_value
from exchanger.profiles.spelling.json_values import spell_json

if TYPE_CHECKING:
    from exchanger.config.models import AudienceTarget, FieldType, ImportJob

_COMES = "@comes"


def members(given: pl.DataFrame, parts: Mapping[str, Rule], job: ImportJob) -> Shaped:
    """Read from each row what becomes of whom it names: of somebody who comes, or who goes."""
    words = job.action.words if job.action is not None else {}
    meant, strange = words_read(given, parts, (ACTION, words, "no_such_action"))
    silent = rejected_for(meant.filter(pl.col(MEANT).is_null()), parts, ACTION, "no_action")
    told = meant.drop_nulls(MEANT).with_columns((pl.col(MEANT) == COMES).alias(_COMES))
    targets = job.audience.as_ if job.audience is not None else ()
    column = parts[ACTION].column
    fields = [_field(target, column) for target in targets]
    values = [value.alias(rule.name) for rule, value in fields]
    spoken = [
        pl.lit(value=True).alias(said(rule.name)) for rule, _ in fields if rule.merge == "clear"
    ]
    frame = told.drop(ACTION, MEANT).with_columns(*values, *spoken).drop(_COMES)
    return Shaped(frame, [rule for rule, _ in fields], pl.concat([strange, silent]))


def _field(target: AudienceTarget, column: str) -> tuple[Rule, pl.Expr]:
    """Build the field of a target, and its value in each row."""
    comes = pl.when(_COMES)
    if target.list_ is not None:
        entry = spell_json(target.entry)
        there, gone = (pl.lit([text], pl.List(pl.String)) for text in (entry, entry_goes(entry)))
        rule = Rule(target.list_, column, "list", EntryField(type="list"))
        return rule, comes.then(there).otherwise(gone)
    member, leaver = target.value.member, target.value.leaver
    told = leaver if member is None else member
    kind: FieldType = "string" if told is None else type_of_value(told)
    merge = "clear" if member is None or leaver is None else "set"
    config = FieldConfig.model_validate({"merge": merge, "type": kind})
    rule = Rule(target.attribute or "", column, kind, config)
    return rule, comes.then(pl.lit(member)).otherwise(pl.lit(leaver))
