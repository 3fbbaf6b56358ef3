"""What belongs to the items of a catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exchanger.braze.catalogs import LONGEST_ID, NAME
from exchanger.config.findings import Finding, Where
from exchanger.config.models import FieldConfig, ImportJob, RemainingFields

_OWN = {"catalog": "catalog", "mode": "mode", "item_id": "id"}
"""Keys of such a job by what the model calls them."""
_OF_PROFILES = (
    *("match", "on_ambiguous", "create_missing", "baseline"),
    *("event", "purchase", "row_id", "on_unknown"),
    *("subscription", "state", "may_resubscribe", "only_if", "order"),
    *("alias", "identify", "merge", "rename"),
)
_STRATEGIES = ("set", "clear")


def check_no_items(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is of items, in a job of something else."""
    for name, key in _OWN.items():
        if name in job.model_fields_set:
            message = "this is of 'object: catalog_items' alone"
            yield Finding((*where, key), message, beside=("object",))


def check_items(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is wrong in a job of catalog items."""
    for key in _OF_PROFILES:
        if key in job.model_fields_set:
            message = "an item of a catalog is no profile: leave this out"
            yield Finding((*where, key), message, beside=("object",))
    yield from _check_named(job, where)
    if job.mode == "delete":
        yield from _check_deleting(job, where)
    else:
        yield from _check_writing(job, where)


def _check_named(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what is wrong in which items are meant."""
    if not job.item_id:
        message = "name the column of the item's id"
        yield Finding((*where, "id"), message, "id: COLUMN", missed=("id",))
    if job.catalog is None:
        message = "name the catalog in Braze"
        yield Finding((*where, "catalog"), message, "catalog: NAME", missed=("catalog",))
    elif job.catalog_column is not None:
        if not job.catalog_column:
            yield Finding((*where, "catalog", "from"), "name a column")
    elif fault := _name_fault(job.one_catalog):
        yield Finding((*where, "catalog"), f"the name of a catalog {fault}")


def _check_writing(job: ImportJob, where: Where) -> Iterator[Finding]:
    if "confirm_deletes" in job.model_fields_set:
        message = "nothing is deleted here; leave this out"
        yield Finding((*where, "confirm_deletes"), message, beside=("mode",))
    if not job.fields and not job.remaining_fields:
        message = "name at least one field, or say what becomes of the remaining ones"
        guess = "remaining_fields: {merge: set}"
        yield Finding(where, message, guess, missed=("fields", "remaining_fields"))
    for name, field in job.fields.items():
        yield from _check_field(name, field, (*where, "fields", name))
    for i, block in enumerate(job.remaining_fields):
        yield from _check_merge(block, (*where, "remaining_fields", i))


def _check_deleting(job: ImportJob, where: Where) -> Iterator[Finding]:
    if not job.confirm_deletes:
        message = "this job deletes items of the catalog for good; confirm that"
        yield Finding(
            (*where, "confirm_deletes"),
            message,
            "confirm_deletes: true",
            missed=("confirm_deletes",),
            beside=("mode",),
        )
    for key in ("fields", "remaining_fields"):
        if key in job.model_fields_set:
            message = "who deletes an item needs its id alone; leave this out"
            yield Finding((*where, key), message, beside=("mode",))


def _check_field(name: str, field: FieldConfig, where: Where) -> Iterator[Finding]:
    if name == "id":
        message = "the id of an item cannot be set as a field; its column is named by 'id'"
        yield Finding(where, message)
    elif fault := _name_fault(name):
        yield Finding(where, f"the name of a field {fault}")
    yield from _check_merge(field, where)


def _check_merge(field: FieldConfig | RemainingFields, where: Where) -> Iterator[Finding]:
    if field.merge not in _STRATEGIES:
        message = (
            f"{field.merge} needs to know what Braze has, and items are not looked up; write set"
            " or clear"
        )
        yield Finding((*where, "merge"), message, "set")
    if field.on_drift != "overwrite":
        message = "items are not looked up, so nobody sees them change in Braze; leave this out"
        yield Finding((*where, "on_drift"), message)


def _name_fault(name: str) -> str:
    """Return why a catalog or a field cannot have this name; empty if it can."""
    if len(name) > LONGEST_ID:
        return f"must not be longer than {LONGEST_ID} signs"
    if not re.match(NAME, name):
        return "is made of the letters a to z, digits, - and _"
    return ""
