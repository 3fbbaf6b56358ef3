"""Demands the catalog of a job, before anything is planned for its items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.errors import CatalogDiffers, CatalogMissing
from exchanger.jobs.reading.known_catalogs import (
    field_name,
    listed_catalogs,
    misfits,
    shown_type,
)

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
        call: The job. Where a column names the catalogs, rows were compared as they were read.
        batch: Its rows; without any, nothing is asked.
        rules: What becomes of each field.

    Raises:
        CatalogMissing: There is no catalog of that name.
        CatalogDiffers: It lacks a field, or has it as another type.
        BrazeError: Braze refused, or did not answer.
    """
    given = any(batch.given.profiles(number).len() for number in range(len(batch.given)))
    if call.job.catalog_column is not None or not given:
        return
    catalog = find_catalog(listed_catalogs(call), call.job.one_catalog)
    if odd := misfits(catalog, rules, batch.types):
        lacking = [field_name(rule) for rule in odd.lacking]
        retyped = {
            name: (shown_type(rule), catalog.fields[name])
            for rule in odd.retyped
            if (name := field_name(rule))
        }
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
