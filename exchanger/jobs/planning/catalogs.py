"""Asks Braze for the fields of a catalog, before anything is planned for its items."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exchanger.braze.catalogs import FITTING
from exchanger.config.models import ITEM_FIELD
from exchanger.errors import CatalogDiffers, CatalogMissing

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
    lacking = [_name(rule) for rule in rules if _name(rule) not in catalog.fields]
    retyped = {
        _name(rule): (rule.type, catalog.fields[_name(rule)])
        for rule in rules
        if _name(rule) in catalog.fields and catalog.fields[_name(rule)] not in FITTING[rule.type]
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
