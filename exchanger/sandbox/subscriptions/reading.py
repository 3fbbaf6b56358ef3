"""``/subscription/status/get`` and ``/subscription/user/status`` (braze-api.md 10)."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams

from exchanger.sandbox.http.answers import Answer, Malformed
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.scene import Scene
from exchanger.sandbox.subscriptions.people import BOTH, texts

PAGE = 100
_KINDS = ("external_id", "email", "phone")
_UNKNOWN = "Unknown"
_NOBODY = "one of external_id, email, phone must be provided"


def state_in_group(scene: Scene, parameters: QueryParams) -> Answer:
    """Answer ``/subscription/status/get``: the state of each identifier, as it was asked."""
    group = scene.subscriptions.groups.get(parameters.get("subscription_group_id", ""))
    if group is None:
        raise Malformed("'subscription_group_id' is not valid")
    named = {kind: _named(parameters, kind) for kind in _KINDS}
    if named["external_id"]:
        named = {"external_id": named["external_id"]}
    elif named["email"] and named["phone"]:
        raise Malformed(BOTH)
    elif not named["email"] and not named["phone"]:
        raise Malformed(_NOBODY)
    status = {
        value: _state(scene, kind, value, group.id)
        for kind, values in named.items()
        for value in values
    }
    return Answer(200, {"status": status, "message": "success"})


def groups_of_users(scene: Scene, parameters: QueryParams) -> Answer:
    """Answer ``/subscription/user/status``: users with all groups in which they have a state."""
    limit, offset = parameters.get("limit", str(PAGE)), parameters.get("offset", "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= PAGE or not offset.isdecimal():
        raise Malformed(f"limit must be 1 to {PAGE}, and offset a non-negative integer")
    named = [(kind, value) for kind in _KINDS for value in _named(parameters, kind)]
    if not named:
        raise Malformed(_NOBODY)
    found = {user.braze_id: user for kind, value in named for user in _users(scene, kind, value)}
    page = list(found.values())[int(offset) : int(offset) + int(limit)]
    users = [_shown(scene, user) for user in page]
    return Answer(200, {"users": users, "total_count": len(found), "message": "success"})


def _named(parameters: QueryParams, kind: str) -> list[str]:
    given = [*parameters.getlist(kind), *parameters.getlist(f"{kind}[]")]
    return texts([one for one in given if one], kind)


def _users(scene: Scene, kind: str, value: str) -> list[Profile]:
    if kind != "external_id":
        return scene.directory.sharing(kind, value)
    found = scene.directory.find_external_id(value)
    return [] if found is None else [found]


def _state(scene: Scene, kind: str, value: str, group_id: str) -> str:
    users = _users(scene, kind, value)
    if users:
        newest = max(users, key=lambda user: user.touched)
        state = newest.subscriptions.get(group_id)
    elif kind == "external_id":
        state = None
    else:
        state = scene.subscriptions.kept_for(kind, value, group_id)
    return _UNKNOWN if state is None else state.capitalize()


def _shown(scene: Scene, user: Profile) -> dict[str, Any]:
    known = scene.subscriptions.groups
    return {
        "email": user.standard.get("email"),
        "phone": user.standard.get("phone"),
        "external_id": user.external_id,
        "subscription_groups": [
            {
                "id": group_id,
                "name": known[group_id].name,
                "channel": known[group_id].channel,
                "status": state.capitalize(),
            }
            for group_id, state in user.subscriptions.items()
            if group_id in known
        ],
    }
