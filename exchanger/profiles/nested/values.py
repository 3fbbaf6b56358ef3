"""
Objects and arrays of objects, merged value by value: what ``deep`` and ``rows`` do to one cell.

Values are parsed JSON with exact numbers; none is changed in place. An object with the one key
``$time`` is a leaf. What rows of one run give is folded before the held value is known, so an
object that replaces a leaf of an earlier row is marked: ``{"$set": {...}}`` takes the place of
whatever Braze has. No key that Braze takes has a ``$`` in it.

Braze deletes no key by a merge, and takes no null for it (braze-api.md 2.13): what a merge cannot
do is sent as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeGuard

import polars as pl

from exchanger.profiles.spelling.json_values import spell_inner_times, spell_json

TIME = "$time"
INSTEAD = "$set"
_SIMPLE = (str, int, bool)
_SAID = f'{{"{TIME}":'

Object = Mapping[str, Any]


class NotMergeableError(Exception):
    """A merge of Braze cannot make one value of the other."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a value has leaves of its own; a time has none."""
    return isinstance(value, dict) and not (len(value) == 1 and TIME in value)


def without_empty(value: Any) -> Any:
    """Leave out objects without members, which say nothing."""
    if not is_object(value):
        return value
    members = ((key, without_empty(member)) for key, member in value.items())
    return {key: member for key, member in members if member != {}}


def folded(first: Object, then: Object) -> dict[str, Any]:
    """Lay what a later row gives over what an earlier one gave, before anything held is known."""
    both = dict(first)
    for key, new in then.items():
        old = both.get(key)
        if not is_object(new) or INSTEAD in new or old is None:
            both[key] = new
        elif is_object(old) and INSTEAD in old:
            both[key] = {INSTEAD: laid_over(old[INSTEAD], new)}
        else:
            both[key] = folded(old, new) if is_object(old) else {INSTEAD: new}
    return both


def laid_over(held: Object, given: Object) -> dict[str, Any]:
    """Return what Braze has once given leaves are merged into what it held."""
    result = dict(held)
    for key, new in given.items():
        if not is_object(new):
            result[key] = new
        elif INSTEAD in new:
            result[key] = laid_over({}, new[INSTEAD])
        else:
            old = held.get(key)
            result[key] = laid_over(old if is_object(old) else {}, new)
    return result


def difference(held: Object, wanted: Object) -> dict[str, Any]:
    """
    Return the changed and new leaves, which merged into the one object make the other.

    Raises:
        NotMergeableError: A key has to go, or an object takes the place of a leaf, or a leaf that
            of an object.
    """
    if held.keys() - wanted.keys():
        raise NotMergeableError
    changed = {}
    for key, new in wanted.items():
        if key not in held:
            changed[key] = new
        elif is_object(new) != is_object(held[key]):
            raise NotMergeableError
        elif not is_object(new):
            if not is_same(held[key], new):
                changed[key] = new
        elif inner := difference(held[key], new):
            changed[key] = inner
    return changed


def is_same(one: Any, other: Any) -> bool:
    """Return whether two leaves are one value for Braze, which gives times back as text."""
    kind = type(one)
    if kind is type(other) and kind in _SIMPLE:
        return bool(one == other)
    return text_of(one) == text_of(other)


def text_of(value: Any) -> str:
    """Spell a value as Braze would give it back."""
    text = spell_json(value)
    return _with_times(text) if _SAID in text else text


@lru_cache(maxsize=10_000)
def _with_times(text: str) -> str:
    [spelt] = spell_inner_times(pl.Series([text]))
    return str(spelt)


def leaves(value: Any) -> int:
    """Count what Braze bills of a value (braze-api.md 2.13)."""
    if is_object(value):
        return sum(leaves(member) for member in value.values())
    if isinstance(value, list) and any(map(is_object, value)):
        return sum(leaves(member) for member in value)
    return 1


def row_id(item: Object, key: str) -> str | None:
    """Name an item by its key: text or a number, of which 1 is 1.0; None if it has no such."""
    value = item.get(key)
    if value is None or isinstance(value, bool | dict | list):
        return None
    return _name(value)


def _name(value: Any) -> str:
    # As JSON, but for the end of a text, which need not be found.
    return f'"{value}' if isinstance(value, str) else spell_json(value)


def folded_rows(first: Sequence[Object], then: Sequence[Object], key: str) -> list[Object]:
    """Lay the items that a later row gives over those of an earlier one; all have their keys."""
    items = {row_id(item, key): item for item in first}
    for item in then:
        name = row_id(item, key)
        items[name] = folded(items[name], item) if name in items else item
    return list(items.values())


def reconciled(held: Sequence[Object], given: Sequence[Object], key: str) -> list[Object]:
    """Return the array with given items merged into those of their keys, and the others added."""
    news = {row_id(item, key): item for item in given}
    kept = [
        laid_over(item, news[name]) if (name := row_id(item, key)) in news else item
        for item in held
    ]
    there = {row_id(item, key) for item in held}
    return [*kept, *(laid_over({}, item) for name, item in news.items() if name not in there)]


def replaced(held: Sequence[Object], given: Sequence[Object], key: str) -> list[Object]:
    """Return the given items: those that were there keep their order, new ones come last."""
    items = {row_id(item, key): laid_over({}, item) for item in given}
    there = [row_id(item, key) for item in held]
    order = dict.fromkeys([*(name for name in there if name in items), *items])
    return [items[name] for name in order]


def row_changes(
    held: Sequence[Object], wanted: Sequence[Object], key: str
) -> dict[str, list[Object]]:
    """
    Return ``$remove`` and ``$update``, which make the one array of the other.

    Both come to the same if they are applied twice. ``$add`` does not, and an object may be sent
    again, so new items are never sent by it.

    Raises:
        NotMergeableError: An item is new or loses a key, or keys do not tell the items apart.
    """
    before = {row_id(item, key): item for item in held}
    after = {row_id(item, key): item for item in wanted}
    told_apart = len(before) == len(held) and None not in before
    if not told_apart or after.keys() - before.keys():
        raise NotMergeableError
    gone = [_named(before[name], key) for name in before if name not in after]
    pairs = [(_named(item, key), difference(before[name], item)) for name, item in after.items()]
    updates = [named | {"$new_object": changed} for named, changed in pairs if changed]
    orders: dict[str, list[Object]] = {"$remove": [*gone], "$update": [*updates]}
    return {order: items for order, items in orders.items() if items}


def carried_out(held: Sequence[Any], orders: Mapping[str, Sequence[Object]]) -> list[Any]:
    """Return an array after ``$remove`` and then ``$update``, merging."""
    items = list(held)
    for order in orders.get("$remove", []):
        items = [item for item in items if not _is_meant(item, order)]
    for order in orders.get("$update", []):
        new = order["$new_object"]
        items = [laid_over(item, new) if _is_meant(item, order) else item for item in items]
    return items


def _is_meant(item: Any, order: Object) -> bool:
    key = order["$identifier_key"]
    return isinstance(item, dict) and row_id(item, key) == _name(order["$identifier_value"])


def _named(item: Object, key: str) -> dict[str, Any]:
    return {"$identifier_key": key, "$identifier_value": item[key]}
