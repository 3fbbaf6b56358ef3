"""``/users/delete`` (braze-api.md 9.1)."""

from __future__ import annotations

from functools import partial
from typing import Any

from exchanger.sandbox.http.answers import TOO_MANY_IDS, Answer, Malformed
from exchanger.sandbox.identity.identifiers import is_alias
from exchanger.sandbox.lifecycle.batches import (
    MOST,
    PRIORITIES,
    check_items,
    is_prioritization,
    items_of,
    meant_by,
)
from exchanger.sandbox.scene import Queued, Scene, Step

PATH = "/users/delete"
_ALLOWED = PRIORITIES[:-1]
"""How one of several is chosen: not the one that was updated least recently."""
_TEXTS = {"external_ids": "external_id", "braze_ids": "braze_id"}
_CONTACTS = {"email_addresses": "email", "phone_numbers": "phone"}
_KINDS = (*_TEXTS, "user_aliases", *_CONTACTS)


def delete_users(scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/users/delete``: people named in one way each time."""
    given = [kind for kind in _KINDS if body.get(kind)]
    if len(given) != 1:
        raise Malformed(f"exactly one of {', '.join(_KINDS)} must be provided")
    named = _named(body, given[0])

    def apply(scene: Scene, _now: float) -> None:
        for one in named:
            _delete(scene, one)

    answer = Answer(scene.settings.delete_status, {"deleted": len(named), "message": "success"})
    return Queued(answer, (Step("delete", apply),))


def _named(body: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    if kind in _TEXTS:
        ids = body[kind]
        if not isinstance(ids, list) or not all(isinstance(one, str) and one for one in ids):
            raise Malformed(f"'{kind}' must be an array of strings")
        if len(ids) > MOST:
            raise Malformed(TOO_MANY_IDS)
        return [{_TEXTS[kind]: one} for one in ids]
    items = items_of(body, kind)
    if kind == "user_aliases":
        named = [{"user_alias": item} for item in items]
        check_items(named, kind, {"user_alias": is_alias})
        return named
    prioritized = partial(is_prioritization, allowed=_ALLOWED)
    check_items(
        items,
        kind,
        {_CONTACTS[kind]: lambda value: isinstance(value, str), "prioritization": prioritized},
    )
    return items


def _delete(scene: Scene, named: dict[str, Any]) -> None:
    found = meant_by(scene.directory, named)
    if len(found) != 1:
        reason = f"{len(found)} users are left" if found else "no such user"
        scene.writes.note(PATH, "skipped", named, reason=reason)
        return
    scene.directory.remove(found[0])
    scene.writes.note(PATH, "applied", named, found[0].braze_id)
