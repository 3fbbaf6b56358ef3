"""
Objects and arrays of objects in plain Python: what rows mean one after the other, and what Braze
does with what it is sent (braze-api.md 2.13). There is no frame library and no shared code in here.
"""

import json
from decimal import Decimal

from support.oracle import TIMES, spell

SPELT = set(TIMES.values())
NOTHING = {"deep": {}, "rows": [], "complete": []}


def read(text):
    """Read JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def is_time(value):
    return isinstance(value, dict) and list(value) == ["$time"]


def is_object(value):
    return isinstance(value, dict) and not is_time(value)


def stored(value):
    """Write a value as Braze gives it back: a time is its text."""
    if is_time(value):
        return TIMES.get(value["$time"], value["$time"])
    if isinstance(value, dict):
        return {key: stored(member) for key, member in value.items()}
    return [stored(member) for member in value] if isinstance(value, list) else value


def spoken(given):
    """Leave out objects that have nothing in them."""
    if not is_object(given):
        return given
    members = {key: spoken(member) for key, member in given.items()}
    return {key: member for key, member in members.items() if member != {}}


def laid(held, given):
    """One row of *deep*: every leaf it names, and nothing else."""
    result = dict(held) if is_object(held) else {}
    for key, member in given.items():
        result[key] = laid(result.get(key), member) if is_object(member) else member
    return result


def rowed(held, given, key):
    """One row of *rows*: every item it names."""
    result = list(held)
    for item in given:
        there = [i for i, one in enumerate(result) if spell(one.get(key)) == spell(item[key])]
        for i in there:
            result[i] = laid(result[i], item)
        if not there:
            result.append(laid({}, item))
    return result


def after(strategy, held, givens):
    """
    Apply the rows of one profile to one field, one after the other.

    Returns:
        The value, or ``held_type`` where the held one cannot be used.
    """
    fits = is_object(held) if strategy == "deep" else is_array(held)
    if held is not None and not fits and strategy != "complete":
        return "held_type"
    value = held if fits else NOTHING[strategy]
    for given in givens:
        if strategy == "deep":
            value = laid(value, spoken(given))
        elif strategy == "rows":
            value = rowed(value, [spoken(item) for item in given], "k")
        else:
            value = given
    return held if value in ({}, []) else value


def is_array(value):
    return isinstance(value, list) and all(map(is_object, value))


def same(strategy, one, other):
    """Whether Braze would see no difference; the order of items is none."""
    if strategy == "complete" and is_array(one) and is_array(other):
        return sorted(map(spell, stored(one))) == sorted(map(spell, stored(other)))
    return spell(stored(one)) == spell(stored(other))


def braze(held, sent, merge):
    """What Braze has once a custom attribute arrives; None: nothing."""
    if has_null(sent):
        return held
    if not isinstance(sent, dict) or is_time(sent):
        return stored(sent)
    if set(sent) == {"inc"} and not isinstance(sent["inc"], bool | str | list | dict):
        return "an increment"
    if set(sent) <= {"add", "remove"} and all(isinstance(m, list) for m in sent.values()):
        return "an order to a list"
    if set(sent) <= {"$add", "$remove", "$update"}:
        return operated(held, sent, merge)
    return laid(held, stored(sent)) if merge else stored(sent)


def has_null(value):
    if isinstance(value, dict):
        return any(member is None or has_null(member) for member in value.values())
    return isinstance(value, list) and any(m is None or has_null(m) for m in value)


def operated(held, orders, merge):
    items = [*(held or []), *stored(orders.get("$add", []))]
    for order in orders.get("$remove", []):
        items = [item for item in items if not meant(item, order)]
    for order in orders.get("$update", []):
        new = stored(order["$new_object"])
        items = [
            (laid(item, new) if merge else new) if meant(item, order) else item for item in items
        ]
    return items


def meant(item, order):
    named = item.get(order["$identifier_key"])
    return named is not None and spell(named) == spell(order["$identifier_value"])


def points(sent):
    """What Braze bills: one for each leaf, each criterion to remove, each leaf of an update."""
    if isinstance(sent, dict) and sent and set(sent) <= {"$add", "$remove", "$update"}:
        updated = sum(points(order["$new_object"]) for order in sent.get("$update", []))
        return len(sent.get("$remove", [])) + updated
    if is_object(sent):
        return sum(map(points, sent.values()))
    if isinstance(sent, list) and any(map(is_object, sent)):
        return sum(map(points, sent))
    return 1


def leaves(value, path=()):
    """Yield each leaf with its path."""
    if is_object(value):
        for key, member in value.items():
            yield from leaves(member, (*path, key))
    else:
        yield path, value


def at(value, path):
    """Find what stands at a path; None if nothing does."""
    for key in path:
        value = value.get(key) if is_object(value) else None
    return value
