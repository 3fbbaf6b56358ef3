"""``/users/identify``: an external id for who is known otherwise (braze-api.md 9.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchanger.sandbox.http.answers import TOO_MANY_IDS, Answer, Malformed
from exchanger.sandbox.identity.identifiers import is_alias, is_external_id
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.lifecycle.batches import (
    MOST,
    check_items,
    is_prioritization,
    items_of,
    narrowed,
)
from exchanger.sandbox.lifecycle.merging import obstacle, take_over
from exchanger.sandbox.scene import Queued, Scene, Step

PATH = "/users/identify"
NO_SUCH_ID = "external_id does not exist"
_CONTACTS = {"emails_to_identify": "email", "phone_numbers_to_identify": "phone"}


def identify_users(scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/users/identify``."""
    arrays = {"aliases_to_identify": _aliases(body)} | {
        name: _contacts(body, name, contact) for name, contact in _CONTACTS.items()
    }
    count = sum(map(len, arrays.values()))
    if not count:
        raise Malformed(f"one of {', '.join(arrays)} must be provided")
    if count > MOST:
        raise Malformed(TOO_MANY_IDS)
    taken, errors = [], []
    for name, items in arrays.items():
        for index, item in enumerate(items):
            if _is_refused(scene, item):
                errors.append({"type": NO_SUCH_ID, "input_array": name, "index": index})
            else:
                taken.append(item)

    def apply(scene: Scene, now: float) -> None:
        for item in taken:
            _identify(scene, item, now)

    answer: dict[str, Any] = {"aliases_processed": len(taken), "message": "success"}
    answer |= {"errors": errors} if errors else {}
    return Queued(Answer(201, answer), (Step("identify", apply),))


def _is_refused(scene: Scene, item: dict[str, Any]) -> bool:
    known = scene.directory.find_external_id(item["external_id"])
    return known is None and scene.settings.unknown_external_id == "refused"


def _aliases(body: dict[str, Any]) -> list[dict[str, Any]]:
    name = "aliases_to_identify"
    items = items_of(body, name, needed=False)
    check_items(items, name, {"external_id": is_external_id, "user_alias": is_alias})
    return items


def _contacts(body: dict[str, Any], name: str, contact: str) -> list[dict[str, Any]]:
    items = items_of(body, name, needed=False)
    checks: dict[str, Callable[[Any], bool]] = {
        "external_id": is_external_id,
        contact: lambda value: isinstance(value, str),
        "prioritization": is_prioritization,
    }
    check_items(items, name, checks)
    return items


def _identify(scene: Scene, item: dict[str, Any], now: float) -> None:
    directory = scene.directory
    target = directory.find_external_id(item["external_id"])
    found = _found(scene, item, target)
    if isinstance(found, str):
        reason: str | None = found
    elif target is not None:
        reason = obstacle(found, target)
        if reason is None:
            take_over(scene, found, target, now)
            directory.remove(found)
            scene.writes.note(PATH, "applied", item, target.braze_id)
            return
    elif found.external_id is not None:
        reason = "identified already"
    else:
        directory.rename(found, item["external_id"])
        directory.touch(found)
        found.updated_at = now
        scene.writes.note(PATH, "applied", item, found.braze_id)
        return
    scene.writes.note(PATH, "skipped", item, target.braze_id if target else None, reason or "")


def _found(scene: Scene, item: dict[str, Any], target: Profile | None) -> Profile | str:
    """Return the profile to identify, or why there is none."""
    if "user_alias" in item:
        alias = item["user_alias"]
        found = scene.directory.find_alias(alias["alias_label"], alias["alias_name"])
        if found is None:
            return "no such alias"
        if target is not None and alias["alias_label"] in target.aliases:
            return "the target has an alias of that label"
        return found
    contact = "email" if "email" in item else "phone"
    sharing = scene.directory.sharing(contact, item[contact])
    if target is not None and target in sharing:
        return "one of the matches is the target itself"
    if len(sharing) > 1 and scene.settings.several_matches == "never":
        return "several users match"
    left = narrowed(sharing, item["prioritization"])
    return left[0] if len(left) == 1 else f"{len(left)} users are left"
