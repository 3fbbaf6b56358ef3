"""What goes together in an order, as far as the configuration tells its event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exchanger.braze.orders import ACTIONS, EVENTS, LINE_PARTS, ORDER_PARTS, VIEW, Part
from exchanger.config.checks.fields import check_cell
from exchanger.config.checks.kinds.parts import check_currency, check_part, property_fault
from exchanger.config.findings import Finding, Where, closest, listed
from exchanger.config.models import PRODUCT, Amount, Cell, Order, Product


def check_order(order: Order, where: Where) -> Iterator[Finding]:
    """Find what is wrong in what the events of orders are made of."""
    if not order.id:
        yield Finding((*where, "id"), "name the column of what names the order")
    yield from _check_parts(order, where)
    yield from _check_parts(order.product, (*where, "product"))
    yield from check_currency(order.currency.value, (*where, "currency", "value"))
    if order.action is not None and order.action.value not in (None, *ACTIONS):
        message = f"this is {listed(ACTIONS)}"
        yield Finding((*where, "action", "value"), message)
    event = order.event.value
    if event is None:
        return
    if not isinstance(event, str) or event not in EVENTS:
        message = f"'{event}' is none of Braze's ecommerce events: {listed(sorted(EVENTS))}"
        yield Finding((*where, "event", "value"), message, closest(str(event), sorted(EVENTS)))
        return
    yield from _check_event(order, event, where)


def _check_parts(spec: Order | Product, where: Where) -> Iterator[Finding]:
    for key, part in spec:
        if isinstance(part, Amount) and part.sum is not None:
            yield from _check_sum(part, (*where, key))
        elif isinstance(part, Cell):
            plain = part.model_dump(by_alias=True, exclude_unset=True, exclude={"sum"})
            yield from check_part(Cell.model_validate(plain), (*where, key))
    for name, cell in spec.metadata.items():
        place: Where = (*where, "metadata", name)
        fault = property_fault(name, frozenset())
        if fault:
            yield Finding(place, f"a name in metadata {fault}")
        yield from check_cell(cell, place)


def _check_sum(amount: Amount, where: Where) -> Iterator[Finding]:
    """Find what does not go with an amount that is added up."""
    if not amount.sum:
        yield Finding((*where, "sum"), "name the column that is added up")
    for key in sorted(amount.model_fields_set - {"sum", "scale", "nulls", "nan"}):
        message = "an amount that is added up has its column under 'sum' alone"
        yield Finding((*where, key.rstrip("_")), message, beside=("sum",))


def _check_event(order: Order, event: str, where: Where) -> Iterator[Finding]:
    """Find what an event lacks, and what it has and Braze would drop it for."""
    of_order = {name: getattr(order, name) for name in ORDER_PARTS}
    of_line = {name: getattr(order.product, name.removeprefix(PRODUCT)) for name in LINE_PARTS}
    yield from _fit(of_order, ORDER_PARTS, event, where)
    yield from _fit(of_line, LINE_PARTS, event, where)
    if event == VIEW and order.product.metadata:
        message = f"Braze drops a '{event}' with this; write it in the metadata beside product"
        yield Finding((*where, "product", "metadata"), message)


def _fit(
    given: Mapping[str, object], parts: Mapping[str, Part], event: str, where: Where
) -> Iterator[Finding]:
    for name, part in parts.items():
        place: Where = (*where, *name.split("."))
        if given[name] is not None and event not in part.allowed:
            yield Finding(place, f"Braze drops a '{event}' with this; leave it out")
        optional = name == "total" and given.get("action") is not None
        if given[name] is None and event in part.required and not optional:
            *above, key = place
            yield Finding((*above,), f"Braze drops a '{event}' without '{key}'", missed=(str(key),))
