"""What a job does to the items of a catalog, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob, ItemMode

_DOES: dict[ItemMode, str] = {
    "upsert": "makes items of {catalog}, and changes fields of those that exist",
    "update": "changes fields of items that {catalog} has, and makes none",
    "replace": (
        "makes items of {catalog} of exactly these fields; what an item has beside"
        " them, or where a cell is empty, is gone"
    ),
    "delete": "deletes items of {catalog}",
}


def describe_items(job: ImportJob) -> Iterator[str]:
    """Return by what each item is found, and what is done to it."""
    yield f"finds each item by its id in column {job.item_id}"
    catalog = f"the catalog '{job.one_catalog}'"
    if job.catalog_column is not None:
        catalog = f"the catalog that column {job.catalog_column} names"
    yield _DOES[job.mode].format(catalog=catalog)
