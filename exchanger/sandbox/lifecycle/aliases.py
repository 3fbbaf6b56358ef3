"""``/users/alias/new`` and ``/users/alias/update`` (braze-api.md 9.2, 9.3)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.http.answers import Answer
from exchanger.sandbox.identity.identifiers import is_alias_part, is_external_id
from exchanger.sandbox.lifecycle.batches import check_items, items_of
from exchanger.sandbox.scene import Queued, Scene, Step

NEW, UPDATE = "/users/alias/new", "/users/alias/update"


def new_aliases(_scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/users/alias/new``: an alias for a user, or a user with nothing but an alias."""
    items = items_of(body, "user_aliases")
    names = {"alias_name": is_alias_part, "alias_label": is_alias_part}
    check_items(items, "user_aliases", names)
    named = [item for item in items if item.get("external_id") is not None]
    check_items(named, "user_aliases", {"external_id": is_external_id})

    def apply(scene: Scene, now: float) -> None:
        for item in items:
            _add(scene, item, now)

    answer = {"aliases_processed": len(items), "message": "success"}
    return Queued(Answer(201, answer), (Step("alias", apply),))


def update_aliases(_scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/users/alias/update``: another name for a label."""
    items = items_of(body, "alias_updates")
    keys = ("alias_label", "old_alias_name", "new_alias_name")
    check_items(items, "alias_updates", dict.fromkeys(keys, is_alias_part))

    def apply(scene: Scene, now: float) -> None:
        for item in items:
            _update(scene, item, now)

    return Queued(Answer(201, {"message": "success"}), (Step("alias", apply),))


def _add(scene: Scene, item: dict[str, Any], now: float) -> None:
    directory, external_id = scene.directory, item.get("external_id")
    label, name = item["alias_label"], item["alias_name"]
    profile = None if external_id is None else directory.find_external_id(external_id)
    if directory.find_alias(label, name):
        reason = "the alias is taken"
    elif external_id is None:
        made = directory.create(now, alias=item)
        directory.touch(made)
        scene.writes.note(NEW, "applied", item, made.braze_id)
        return
    elif profile is None:
        reason = "no such external id"
    elif label in profile.aliases:
        reason = "the user has another name for that label"
    else:
        directory.add_alias(profile, label, name)
        scene.writes.note(NEW, "applied", item, profile.braze_id)
        return
    scene.writes.note(NEW, "skipped", item, profile.braze_id if profile else None, reason)


def _update(scene: Scene, item: dict[str, Any], _now: float) -> None:
    directory, label = scene.directory, item["alias_label"]
    profile = directory.find_alias(label, item["old_alias_name"])
    if profile is None:
        scene.writes.note(UPDATE, "skipped", item, reason="no such alias")
    elif directory.find_alias(label, item["new_alias_name"]):
        scene.writes.note(UPDATE, "skipped", item, profile.braze_id, "the alias is taken")
    else:
        directory.add_alias(profile, label, item["new_alias_name"])
        scene.writes.note(UPDATE, "applied", item, profile.braze_id)
