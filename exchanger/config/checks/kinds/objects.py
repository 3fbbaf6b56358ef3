"""What belongs to an event, a purchase, an order or an item, and what to attributes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchanger.braze.objects import ORDER_EVENTS, RESERVED
from exchanger.config.checks.fields import check_cell
from exchanger.config.checks.kinds.audiences import check_audience
from exchanger.config.checks.kinds.catalogs import check_items, check_no_items
from exchanger.config.checks.kinds.consent import check_consent
from exchanger.config.checks.kinds.lifecycle import check_call
from exchanger.config.checks.kinds.orders import check_order
from exchanger.config.checks.kinds.parts import check_currency, check_part, property_fault
from exchanger.config.findings import Finding, Where
from exchanger.config.models import CALLS, Cell, Event, ImportJob, Purchase

_SPECS = {
    "events": "event",
    "purchases": "purchase",
    "orders": "order",
    "subscriptions": "subscription",
    "email_state": "state",
    "audience": "audience",
}
"""The key that says what the objects are made of."""
_OF_ATTRIBUTES = {"fields", "remaining_fields", "baseline"}
_OF_ROWS = {"row_id", "on_unknown"}


def check_object(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find what does not go together with what a row becomes."""
    specs = {**_SPECS, **{str(name): key for name, key in CALLS.items()}}
    own = specs.get(job.object)
    yield from _check_others(job, specs, own, where)
    yield from _check_invalid(job, where)
    if job.object == "catalog_items":
        yield from check_items(job, where)
        return
    yield from check_no_items(job, where)
    if job.calls_people:
        yield from check_call(job, where)
    elif job.object in ("subscriptions", "email_state"):
        yield from check_consent(job, where)
    elif job.object == "audience":
        yield from check_audience(job, where)
    elif own is None:
        message = "this is of events, purchases and orders alone: attributes are set, not counted"
        for key in sorted(job.model_fields_set & _OF_ROWS):
            yield Finding((*where, key), message, beside=("object",))
    else:
        yield from _check_rows(job, own, where)


def _check_others(
    job: ImportJob, specs: Mapping[str, str], own: str | None, where: Where
) -> Iterator[Finding]:
    """Find keys of other kinds of objects."""
    given = job.model_fields_set
    for name, key in specs.items():
        if key != own and getattr(job, key) is not None:
            yield Finding((*where, key), f"this is of 'object: {name}' alone", beside=("object",))
    if job.object != "audience" and job.action is not None:
        message = "this is of 'object: audience' alone"
        yield Finding((*where, "action"), message, beside=("object",))
    of_deletions = "this is of 'object: deletions' alone"
    leavers = job.source.on_removed == "delete"
    deletes = leavers or job.object in ("deletions", "catalog_items")
    if not deletes and "confirm_deletes" in given:
        yield Finding((*where, "confirm_deletes"), of_deletions, beside=("object",))
    limited = leavers or job.object == "deletions"
    if not limited and "max_deletes" in job.guards.model_fields_set:
        yield Finding((*where, "guards", "max_deletes"), of_deletions, beside=("object",))


def _check_invalid(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find a job that is to leave out values of what is nothing without any of them."""
    if job.on_invalid != "drop_value":
        return
    why = ""
    if job.calls_people or job.object in ("subscriptions", "email_state", "audience"):
        why = f"{job.object} is nothing without any of its values"
    elif job.object == "catalog_items" and job.mode in ("replace", "delete"):
        why = f"mode {job.mode} removes what a row does not say"
    if why:
        message = f"{why}, so none can be left out; write quarantine or stop"
        yield Finding((*where, "on_invalid"), message, beside=("object", "mode"))


def _check_rows(job: ImportJob, own: str, where: Where) -> Iterator[Finding]:
    message = f"this is of attributes alone; write '{own}' for what {job.object} are made of"
    for key in sorted(job.model_fields_set & _OF_ATTRIBUTES):
        yield Finding((*where, key), message, beside=("object",))
    if "may_resubscribe" in job.model_fields_set:
        message = f"{job.object} subscribe nobody; leave this out"
        yield Finding((*where, "may_resubscribe"), message, beside=("object",))
    if job.source.order_by is not None:
        message = "each of these counts once, whatever its order: leave this out"
        yield Finding((*where, "source", "order_by"), message)
    if job.object == "orders" and "row_id" in job.model_fields_set:
        yield Finding((*where, "row_id"), "an order is named by its id; leave this out")
    elif job.row_id == "":
        yield Finding((*where, "row_id"), "name a column, or leave this out")
    spec = job.event or job.purchase
    if job.order is not None and job.object == "orders":
        yield from check_order(job.order, (*where, own))
    elif spec is None:
        yield Finding(where, f"'object: {job.object}' needs '{own}'", missed=(own,))
    else:
        yield from _check_spec(spec, (*where, own))


def _check_spec(spec: Event | Purchase, where: Where) -> Iterator[Finding]:
    for key, part in spec:
        if isinstance(part, Cell):
            yield from check_part(part, (*where, key))
    if isinstance(spec, Event):
        yield from _check_event_name(spec.name.value, (*where, "name", "value"))
    else:
        yield from check_currency(spec.currency.value, (*where, "currency", "value"))
    reserved = RESERVED["events" if isinstance(spec, Event) else "purchases"]
    for name, cell in spec.properties.items():
        place: Where = (*where, "properties", name)
        fault = property_fault(name, reserved)
        if fault:
            yield Finding(place, f"the name of a property {fault}")
        yield from check_cell(cell, place)
    rest = spec.remaining_properties
    if rest is not None and rest.prefix and (fault := property_fault(rest.prefix + "_", reserved)):
        yield Finding((*where, "remaining_properties", "prefix"), f"the name of a property {fault}")


def _check_event_name(name: Any, where: Where) -> Iterator[Finding]:
    if name in ORDER_EVENTS:
        message = (
            f"Braze drops an event called '{name}' that is not of a form of its own: write "
            "'object: orders'"
        )
        yield Finding(where, message)
    elif isinstance(name, str) and name.startswith("$"):
        yield Finding(where, "the name of an event must not begin with $")
