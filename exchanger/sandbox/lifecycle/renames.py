"""``/users/external_ids/rename`` and ``/users/external_ids/remove`` (braze-api.md 9.6, 9.7)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.http.answers import TOO_MANY_IDS, Answer, Malformed
from exchanger.sandbox.identity.directory import Directory
from exchanger.sandbox.identity.identifiers import is_external_id
from exchanger.sandbox.lifecycle.batches import MOST
from exchanger.sandbox.scene import Queued, Scene, Step

RENAME, REMOVE = "/users/external_ids/rename", "/users/external_ids/remove"
IN_USE = "new_external_id is already in use"


def rename_external_ids(scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/users/external_ids/rename``; the old ids stay valid as deprecated ones."""
    taken: dict[str, str] = {}
    errors: list[list[Any]] = []
    for index, item in enumerate(_array(body, "external_id_renames")):
        problem = _problem(item, scene.directory, taken)
        if problem is None:
            taken[item["new_external_id"]] = item["current_external_id"]
        else:
            errors.append([index, problem])

    def apply(scene: Scene, now: float) -> None:
        for new, current in taken.items():
            _rename(scene, current, new, now)

    answer = {"message": "success", "external_ids": list(taken), "rename_errors": errors}
    return Queued(Answer(201, answer), (Step("rename", apply),))


def remove_external_ids(scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/users/external_ids/remove``: deprecated ids are valid no more."""
    removed: list[str] = []
    errors: list[list[Any]] = []
    for index, external_id in enumerate(_array(body, "external_ids")):
        if isinstance(external_id, str) and external_id in scene.directory.deprecated:
            removed.append(external_id)
        else:
            errors.append([index, "external_id is not a deprecated external_id"])

    def apply(scene: Scene, _now: float) -> None:
        for external_id in removed:
            scene.directory.deprecated.pop(external_id, None)
            scene.writes.note(REMOVE, "applied", external_id)

    answer = {"message": "success", "removed_ids": removed, "removal_errors": errors}
    return Queued(Answer(201, answer), (Step("rename", apply),))


def _array(body: dict[str, Any], name: str) -> list[Any]:
    given = body.get(name)
    if not isinstance(given, list) or not given:
        raise Malformed(f"'{name}' must be an array that is not empty")
    if len(given) > MOST:
        raise Malformed(TOO_MANY_IDS)
    return given


def _problem(item: Any, directory: Directory, taken: dict[str, str]) -> str | None:
    given = item if isinstance(item, dict) else {}
    current, new = given.get("current_external_id"), given.get("new_external_id")
    if not is_external_id(current) or not is_external_id(new):
        return "current_external_id and new_external_id must be external ids"
    if current == new:
        return "new_external_id must differ from current_external_id"
    if new in taken or directory.find_external_id(str(new)):
        return IN_USE
    if current not in directory.by_external_id or current in taken.values():
        return "current_external_id is not a primary external_id"
    return None


def _rename(scene: Scene, current: str, new: str, now: float) -> None:
    profile = scene.directory.by_external_id.get(current)
    item = {"current_external_id": current, "new_external_id": new}
    if profile is None or scene.directory.find_external_id(new):
        scene.writes.note(RENAME, "skipped", item, reason="the ids changed meanwhile")
        return
    scene.directory.rename(profile, new)
    scene.directory.touch(profile)
    profile.updated_at = now
    scene.writes.note(RENAME, "applied", item, profile.braze_id)
