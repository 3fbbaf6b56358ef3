"""``/partners/{partner}/cohorts``: keys stand in the body (braze-api.md 11)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.audiences.cohorts import Cohort
from exchanger.sandbox.http.answers import Answer, Malformed, refused
from exchanger.sandbox.identity.identifiers import is_alias
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.scene import Queued, Scene, Step
from exchanger.sandbox.times import read_iso_time

MOST = 1000
BAD_ID = "cohort_id must be a valid string"
BAD_NAME = "name must be a non-empty string"
BAD_TIME = "created_at must be a valid time as an ISO-8601 string"
BAD_CHANGES = (
    "cohort_changes must be an array of objects each with key user_ids and/or device_ids mapping "
    "to an array of strings, or an aliases object"
)
TOO_MANY = "Only 1,000 user_ids, device_ids, and aliases are allowed per request"
_KEYS = frozenset({"user_ids", "device_ids", "aliases"})


class _Unauthorized(Malformed):
    """Keys that do not open the door."""

    @property
    def answer(self) -> Answer:
        return refused(401, str(self))


def set_cohort(scene: Scene, body: dict[str, Any], partner: str) -> Answer:
    """Answer ``/partners/{partner}/cohorts``: create a cohort, or give it another name."""
    cohort_id = _opened(scene, body, partner)
    name, created = body.get("name"), body.get("created_at")
    if not isinstance(name, str) or not name:
        raise Malformed(BAD_NAME)
    if not isinstance(created, str) or read_iso_time(created) is None:
        raise Malformed(BAD_TIME)
    cohort = scene.cohorts.known.setdefault((partner, cohort_id), Cohort(partner, cohort_id, name))
    cohort.name = name
    return Answer(201, {"message": "success"})


def change_cohort(scene: Scene, body: dict[str, Any], partner: str) -> Answer | Queued:
    """Answer ``/partners/{partner}/cohorts/users``: who came and who left."""
    cohort = scene.cohorts.known.get((partner, _opened(scene, body, partner)))
    changes = body.get("cohort_changes")
    if cohort is None:
        raise Malformed(BAD_ID)
    if not isinstance(changes, list) or not changes or not all(map(_is_change, changes)):
        raise Malformed(BAD_CHANGES)
    if sum(len(change.get(key) or ()) for change in changes for key in _KEYS) > MOST:
        raise Malformed(TOO_MANY)
    if cohort.waiting:
        return refused(423)
    cohort.waiting += 1

    def apply(scene: Scene, _now: float) -> None:
        cohort.waiting -= 1
        for change in changes:
            _change(scene, cohort, change)

    return Queued(Answer(201, {"message": "success"}), (Step("cohort", apply),))


def _opened(scene: Scene, body: dict[str, Any], partner: str) -> str:
    """Check the keys of a request, and return the id of its cohort."""
    key, secret = body.get("partner_api_key"), body.get("client_secret")
    settings = scene.settings
    if key not in settings.partners.values():
        raise _Unauthorized("Invalid Partner API key")
    if settings.partners.get(partner) != key:
        raise _Unauthorized("Unauthorized access")
    if not isinstance(secret, str) or secret not in settings.client_secrets:
        raise _Unauthorized("Invalid client secret")
    if settings.client_secrets[secret] != partner:
        raise _Unauthorized(f"Partner not enabled for client with client secret: {secret}")
    cohort_id = body.get("cohort_id")
    if not isinstance(cohort_id, str) or not cohort_id:
        raise Malformed(BAD_ID)
    return cohort_id


def _is_change(change: Any) -> bool:
    if not isinstance(change, dict) or not _KEYS & change.keys():
        return False
    for key in ("user_ids", "device_ids"):
        given = change.get(key, [])
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            return False
    aliases = change.get("aliases", [])
    return isinstance(aliases, list) and all(map(is_alias, aliases))


def _change(scene: Scene, cohort: Cohort, change: dict[str, Any]) -> None:
    found = {profile.braze_id for profile in _meant(scene, change)}
    if change.get("should_remove") is True:
        cohort.members -= found
        return
    cohort.members |= found
    scene.meter.assigned(cohort.partner, cohort.id, len(found))


def _meant(scene: Scene, change: dict[str, Any]) -> list[Profile]:
    """Return the users whom a change names; those that are unknown are left out in silence."""
    directory = scene.directory
    named = [directory.find_external_id(one) for one in change.get("user_ids", ())]
    named += [directory.find({"user_alias": one}) for one in change.get("aliases", ())]
    for device_id in change.get("device_ids", ()):
        named += [user for user in directory.with_device(device_id) if user.external_id is None]
    return [profile for profile in named if profile is not None]
