"""Arrays of at most 50 items, and how people are named in them (braze-api.md 9)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from exchanger.sandbox.http.answers import TOO_MANY_IDS, Malformed
from exchanger.sandbox.identity.directory import Directory
from exchanger.sandbox.identity.profiles import Profile

MOST = 50
PRIORITIES = ("identified", "unidentified", "most_recently_updated", "least_recently_updated")
"""How one of several profiles of an e-mail or phone is chosen."""


def items_of(body: dict[str, Any], name: str, *, needed: bool = True) -> list[dict[str, Any]]:
    """
    Return the objects of an array in a request; without *needed* it may be left out.

    Raises:
        Malformed: It is no array of objects, or holds none or more than 50.
    """
    given = body.get(name)
    if given is None and not needed:
        return []
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise Malformed(f"'{name}' must be an array of objects")
    if needed and not given:
        raise Malformed(f"'{name}' must not be empty")
    if len(given) > MOST:
        raise Malformed(TOO_MANY_IDS)
    return given


def check_items(
    items: Iterable[dict[str, Any]], name: str, checks: Mapping[str, Callable[[Any], bool]]
) -> None:
    """
    Check the keys of all items.

    Raises:
        Malformed: A key is missing or has another value than it may have.
    """
    for item in items:
        for key, is_sound in checks.items():
            if not is_sound(item.get(key)):
                raise Malformed(f"'{key}' of '{name}' is missing or not valid")


def is_prioritization(value: Any, allowed: Collection[str] = PRIORITIES) -> bool:
    """Whether it says how to choose one profile of several."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, str) and one in allowed for one in value)
        and not {"identified", "unidentified"} <= set(value)
    )


def narrowed(profiles: Iterable[Profile], prioritization: Iterable[str]) -> list[Profile]:
    """Return what is left of several profiles after each word of a prioritization."""
    left = list(profiles)
    for word in prioritization:
        if word in ("identified", "unidentified"):
            wanted = word == "identified"
            left = [profile for profile in left if (profile.external_id is not None) == wanted]
        elif left:
            choose = max if word == "most_recently_updated" else min
            left = [choose(left, key=lambda profile: profile.touched)]
    return left


def meant_by(directory: Directory, named: dict[str, Any]) -> list[Profile]:
    """Return the profiles that an identifier means; it worked only if there is exactly one."""
    if "email" in named or "phone" in named:
        contact = "email" if "email" in named else "phone"
        return narrowed(directory.sharing(contact, named[contact]), named["prioritization"])
    found = directory.find(named)
    return [] if found is None else [found]
