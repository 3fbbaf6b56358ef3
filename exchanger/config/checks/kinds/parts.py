"""What is wrong in single parts of an object, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchanger.braze.objects import CURRENCIES
from exchanger.config.checks.fields import check_cell
from exchanger.config.findings import Finding, Where, closest
from exchanger.config.models import Cell
from exchanger.config.names import name_fault


def check_part(cell: Cell, where: Where) -> Iterator[Finding]:
    """Find what is wrong in a value of which Braze itself says what it is."""
    if cell.from_ is None and cell.value is None:
        yield Finding(where, "name a column, or give a value", "{from: COLUMN}")
    elif "type" in cell.model_fields_set:
        yield Finding((*where, "type"), "Braze itself says what this is; leave the type out")
    else:
        yield from check_cell(cell, where)


def check_currency(code: Any, where: Where) -> Iterator[Finding]:
    """Find what is no currency."""
    if code is not None and code not in CURRENCIES:
        guess = str(code).upper()
        known = guess if guess in CURRENCIES else closest(guess, CURRENCIES)
        message = (
            f"'{code}' is no code of a currency (ISO 4217), like EUR; the name of a column goes "
            f"into {{from: {code}}}"
        )
        yield Finding(where, message, known)


def property_fault(name: str, reserved: frozenset[str]) -> str:
    """Return why a property cannot have this name, as the end of a sentence; empty if it can."""
    if not name:
        return "must not be empty"
    if name.startswith("$"):
        return "must not begin with $"
    if name in reserved:
        return f"must not be '{name}', which Braze keeps for itself"
    return name_fault(name)
