"""One household for each merge strategy: what Braze had, what the files said, what Braze has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchanger.demo.households import instant

if TYPE_CHECKING:
    from exchanger.demo.households import Households, Texts

HEADINGS = ("strategy", "attribute", "household", "Braze had", "the files say", "Braze has")
_NOTHING = "(nothing)"
_WIDE = 24
_TIME = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"')

Says = Callable[["Households", str], str | None]
Fits = Callable[[str | None, str | None], bool]


@dataclass(frozen=True)
class _Example:
    """
    What to look for.

    Args:
        strategy: Its name in the configuration.
        attribute: One that the demo merges by it.
        says: What the files say of a household; None if nothing.
        fits: Whether the texts before and after show what the strategy does.
    """

    strategy: str
    attribute: str
    says: Says
    fits: Fits


def _changed(before: str | None, after: str | None) -> bool:
    return before is not None and after not in (None, before)


def _kept(before: str | None, after: str | None) -> bool:
    return before is not None and after == before


def _filled(before: str | None, after: str | None) -> bool:
    return before is None and after is not None


def _emptied(before: str | None, after: str | None) -> bool:
    return before is not None and after is None


def _answer(column: str) -> Says:
    def says(data: Households, household: str) -> str | None:
        answer = data.answers.get(household)
        return None if answer is None else answer[column] or "an empty cell"

    return says


def _bought(show: Callable[[dict[str, Any]], str]) -> Says:
    def says(data: Households, household: str) -> str | None:
        mine = data.given.get(household)
        return None if mine is None else show(mine)

    return says


def _used(data: Households, household: str) -> str | None:
    campaigns = data.redeemed.get(household)
    return None if campaigns is None else ", ".join(campaigns)


_STORES = _bought(lambda mine: ", ".join(mine["stores"]))
_EXAMPLES = (
    _Example("set", "kids", _answer("kids_count"), _changed),
    _Example("sum", "lifetime_value", _bought(lambda mine: f"+ {mine['value']}"), _changed),
    _Example("add", "stores", _STORES, _changed),
    _Example("remove", "open_campaigns", _used, _changed),
    _Example("set_if_empty", "home_store", _STORES, _filled),
    _Example("set_if_empty", "home_store", _STORES, _kept),
    _Example("clear", "home", _answer("home_ownership"), _emptied),
    _Example(
        "highest", "last_purchase", _bought(lambda mine: _minute(instant(mine["last"]))), _changed
    ),
    _Example(
        "lowest", "season_start", _bought(lambda mine: _minute(instant(mine["first"]))), _changed
    ),
)


def changes(data: Households, before: Texts, after: Texts) -> Iterator[tuple[str, ...]]:
    """Choose the first household that shows each strategy, and that fits into a line."""
    for example in _EXAMPLES:
        for household in sorted(data.given, key=int):
            row = _row(example, data, household, before, after)
            if row is not None:
                yield row
                break


def _row(
    example: _Example, data: Households, household: str, before: Texts, after: Texts
) -> tuple[str, ...] | None:
    was = before.get(household, {}).get(example.attribute)
    now = after[household][example.attribute]
    says = example.says(data, household)
    if says is None or not example.fits(was, now):
        return None
    cells = (_shown(was), says, _shown(now))
    # A store that is there already shows nothing of what happens to one that is not.
    if max(map(len, cells)) > _WIDE or (example.fits is _kept and says == cells[0]):
        return None
    return (example.strategy, example.attribute, household, *cells)


def _shown(text: str | None) -> str:
    """Show a JSON text without its punctuation."""
    if text is None:
        return _NOTHING
    value = json.loads(text)
    if isinstance(value, list):
        return ", ".join(value)
    return _minute(text) if _TIME.fullmatch(text) else text.strip('"')


def _minute(text: str) -> str:
    """Show a time without its seconds."""
    return text.strip('"')[:16].replace("T", " ")
