"""``/users/export/ids``: profiles by identifier, at once (braze-api.md 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exchanger.sandbox.http.answers import TOO_MANY_IDS, Answer, refused
from exchanger.sandbox.identity.directory import Directory
from exchanger.sandbox.identity.profiles import EXPORT_FIELDS, Profile
from exchanger.sandbox.settings import SandboxSettings

MAX_IDS = 50
_FIELDS = EXPORT_FIELDS - {"created_from"}


def look_up(body: dict[str, Any], directory: Directory, settings: SandboxSettings) -> Answer:
    """The answer to a look-up."""
    external_ids = body.get("external_ids") or []
    aliases = body.get("user_aliases") or []
    if problem := _problem(external_ids, aliases):
        return refused(400, problem)
    fields = body.get("fields_to_export")
    if not fields and settings.lookup_requires_fields:
        return refused(400, "fields_to_export must be provided")
    if problem := fields_problem(fields or [], settings):
        return refused(400, problem)
    wanted = [name for name in fields or sorted(_FIELDS) if name in _FIELDS]
    found = {
        profile.braze_id: profile for profile in _found(body, external_ids, aliases, directory)
    }
    answer: dict[str, Any] = {
        "message": "success",
        "users": [_shown(profile, wanted, settings) for profile in found.values()],
    }
    unknown = [name for name in external_ids if directory.find_external_id(name) is None]
    if unknown:
        answer["invalid_user_ids"] = unknown
    return Answer(settings.lookup_status, answer)


def fields_problem(fields: Any, settings: SandboxSettings) -> str | None:
    """What is wrong with a ``fields_to_export``, if anything is."""
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        return "fields_to_export must be an array of strings"
    unknown = sorted(set(fields) - EXPORT_FIELDS)
    if unknown and settings.unknown_fields == "refused":
        return f"fields_to_export has invalid fields: {', '.join(unknown)}"
    return None


def _problem(external_ids: Any, aliases: Any) -> str | None:
    if not isinstance(external_ids, list) or not all(isinstance(x, str) for x in external_ids):
        return "external_ids must be an array of strings"
    if not isinstance(aliases, list) or not all(isinstance(x, dict) for x in aliases):
        return "user_aliases must be an array of objects"
    return TOO_MANY_IDS if len(external_ids) + len(aliases) > MAX_IDS else None


def _found(
    body: dict[str, Any], external_ids: list[str], aliases: list[Any], directory: Directory
) -> Iterator[Profile]:
    for external_id in external_ids:
        if known := directory.find_external_id(external_id):
            yield known
    for alias in aliases:
        found = directory.find_alias(alias.get("alias_label", ""), alias.get("alias_name", ""))
        if found:
            yield found
    if isinstance(body.get("braze_id"), str) and body["braze_id"] in directory.profiles:
        yield directory.profiles[body["braze_id"]]
    if isinstance(body.get("device_id"), str):
        yield from directory.with_device(body["device_id"])
    for parameter, name in (("email_address", "email"), ("phone", "phone")):
        if isinstance(body.get(parameter), str):
            yield from directory.sharing(name, body[parameter])


def _shown(profile: Profile, fields: list[str], settings: SandboxSettings) -> dict[str, Any]:
    shown = profile.exported(fields, created_at_style=settings.created_at_style)
    if "braze_id" in shown:
        shown["appboy_id"] = shown["braze_id"]
    return shown
