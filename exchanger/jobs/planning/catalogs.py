"""Asks Braze for the fields of a catalog, before anything is planned for its items."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exchanger.braze.catalogs import FITTING
from exchanger.config.models import ITEM_FIELD, ITEM_GONE
from exchanger.errors import CatalogDiffers, CatalogMissing
from exchanger.profiles.reading.field_columns import is_typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.outside.braze.catalog_answers import Catalog
    from exchanger.profiles.frames.rules import Rule


def require_catalog(call: ImportContext, batch: InputBatch, rules: Sequence[Rule]) -> None:
    """
    Check once for a run that its catalog is there, and has its fields at types that fit.

    Args:
        call: The job.
        batch: Its rows; without any, nothing is asked.
        rules: What becomes of each field.

    Raises:
        CatalogMissing: There is no catalog of that name.
        CatalogDiffers: It lacks a field, or has it as another type.
        BrazeError: Braze refused, or did not answer.
    """
    if not any(batch.given.keys(number).len() for number in range(len(batch.given))):
        return
    catalog = find_catalog(asyncio.run(_listed(call)), call.job.catalog or "")
    named = {_name(rule): rule for rule in rules if rule.name != ITEM_GONE}
    lacking = [name for name in named if name not in catalog.fields]
    retyped = {
        name: (_type(rule), catalog.fields[name])
        for name, rule in named.items()
        if name in catalog.fields
        and _is_settled(rule, batch)
        and catalog.fields[name] not in FITTING[_type(rule)]
    }
    if lacking or retyped:
        raise CatalogDiffers(catalog.name, lacking, retyped, list(catalog.fields))


def find_catalog(listed: Sequence[Catalog], name: str) -> Catalog:
    """
    Find a catalog by its name.

    Raises:
        CatalogMissing: There is none of that name.
    """
    for catalog in listed:
        if catalog.name == name:
            return catalog
    raise CatalogMissing(name, [catalog.name for catalog in listed])


async def _listed(call: ImportContext) -> list[Catalog]:
    async with call.context.braze() as braze:
        return await braze.catalogs()


def _name(rule: Rule) -> str:
    return rule.name.removeprefix(ITEM_FIELD)


def _type(rule: Rule) -> str:
    numbers = rule.type == "list" and rule.config.items in ("integer", "float")
    return "list of numbers" if numbers else rule.type


def _is_settled(rule: Rule, batch: InputBatch) -> bool:
    """Return whether a field has a type; a column that was empty so far has none."""
    return is_typed(rule.config) or rule.column in batch.types
