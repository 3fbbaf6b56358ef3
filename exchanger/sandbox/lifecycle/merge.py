"""``/users/merge``: two profiles become one, in two steps (braze-api.md 9.5)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.http.answers import Answer, Malformed
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.lifecycle.batches import MOST, is_prioritization, meant_by
from exchanger.sandbox.lifecycle.merging import obstacle, take_over
from exchanger.sandbox.scene import Queued, Scene, Step

PATH = "/users/merge"
NO_ARRAY = "'merge_updates' must be an array of objects"
TOO_MANY = "a single request may not contain more than 50 merge updates"
OTHER_KEYS = "'merge_updates' must only have 'identifier_to_merge' and 'identifier_to_keep'"
BAD_IDENTIFIER = (
    "identifiers must be objects with an 'external_id' property that is a string, 'user_alias' "
    "property that is an object, 'email' property that is a string, or 'phone' property that is "
    "a string"
)
_SIDES = {"identifier_to_merge", "identifier_to_keep"}


def merge_users(_scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/users/merge``."""
    items = _items(body)
    copied: list[Profile] = []

    def copy(scene: Scene, now: float) -> None:
        copied.extend(merged for item in items if (merged := _copy(scene, item, now)))

    def remove(scene: Scene, _now: float) -> None:
        for profile in copied:
            if scene.directory.profiles.get(profile.braze_id) is profile:
                scene.directory.remove(profile)

    steps = (Step("merge", copy), Step("merge_removal", remove))
    return Queued(Answer(202, {"message": "success"}), steps)


def _items(body: dict[str, Any]) -> list[dict[str, Any]]:
    items = body.get("merge_updates")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed(NO_ARRAY)
    if len(items) > MOST:
        raise Malformed(TOO_MANY)
    for item in items:
        if set(item) != _SIDES:
            raise Malformed(OTHER_KEYS)
        for side in _SIDES:
            _check(item[side])
    return items


def _check(identifier: Any) -> None:
    given = identifier if isinstance(identifier, dict) else {}
    kinds = [name for name in ("external_id", "user_alias", "email", "phone") if name in given]
    if len(kinds) != 1 or set(given) - {kinds[0], "prioritization"}:
        raise Malformed(BAD_IDENTIFIER)
    value = given[kinds[0]]
    if kinds[0] == "user_alias":
        if not isinstance(value, dict) or not {"alias_name", "alias_label"} <= set(value):
            raise Malformed(BAD_IDENTIFIER)
    elif not isinstance(value, str):
        raise Malformed(BAD_IDENTIFIER)
    if kinds[0] in ("email", "phone") and not is_prioritization(given.get("prioritization")):
        raise Malformed("'prioritization' is missing or not valid")


def _copy(scene: Scene, item: dict[str, Any], now: float) -> Profile | None:
    """Copy one profile into the other; return the one to remove, if that happened."""
    merging = meant_by(scene.directory, item["identifier_to_merge"])
    keeping = meant_by(scene.directory, item["identifier_to_keep"])
    if len(merging) != 1 or len(keeping) != 1:
        found = f"{len(merging)} users to merge, {len(keeping)} to keep"
        scene.writes.note(PATH, "skipped", item, reason=found)
        return None
    merged, kept = merging[0], keeping[0]
    if reason := obstacle(merged, kept):
        scene.writes.note(PATH, "skipped", item, kept.braze_id, reason)
        return None
    take_over(scene, merged, kept, now)
    scene.writes.note(PATH, "applied", item, kept.braze_id)
    return merged
