"""``/users/track``: which objects are taken, and what they do to profiles (braze-api.md 2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from exchanger.sandbox import refusals
from exchanger.sandbox.attributes import standard_fields
from exchanger.sandbox.attributes.forced_types import Misfit, coerced_to
from exchanger.sandbox.attributes.nested import MAX_TEXT
from exchanger.sandbox.attributes.values import updated
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.identity import identifiers
from exchanger.sandbox.identity.identifiers import Directory
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.json_text import JsonNumber
from exchanger.sandbox.refusals import Refusal
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.tracking import events
from exchanger.sandbox.tracking.meter import CONTROL_KEYS, Meter

NOTHING_VALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
_KEPT_AS_SENT = frozenset({int, bool, JsonNumber})
TOO_MANY = "Max Input Length Exceeded"
_CHECKS: dict[str, Callable[[dict[str, Any]], Refusal | None]] = {
    "attributes": standard_fields.refusal,
    "events": events.refuse_event,
    "purchases": events.refuse_purchase,
}


@dataclass(frozen=True)
class Accepted:
    """
    The valid objects of a request.

    Args:
        objects: Array name to objects.
        group: The ``group_id`` by which it is tracked; empty if it is not.
    """

    objects: dict[str, list[dict[str, Any]]]
    group: str = ""


def receive(body: dict[str, Any], settings: SandboxSettings) -> tuple[Answer, Accepted]:
    """
    Validate a request.

    Returns:
        The answer, and the objects to apply (none if the answer is a 400).
    """
    sent = {name: body[name] for name in _CHECKS if isinstance(body.get(name), list)}
    sizes = [len(objects) for objects in sent.values()]
    counted = sum(sizes) if settings.track_limit_mode == "combined" else max(sizes, default=0)
    if counted > settings.track_objects:
        return refused(400, TOO_MANY), Accepted({})
    errors: list[dict[str, Any]] = []
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in sent}
    for name, objects in sent.items():
        for index, given in enumerate(objects):
            if refusal := _refusal(name, given):
                told = refusal.told(settings.error_style)
                errors.append({"type": told, "input_array": name, "index": index})
            else:
                taken[name].append(given)
    if not any(taken.values()):
        answer = refused(400, NOTHING_VALID)
        return (
            Answer(400, answer.body | ({"errors": errors} if errors else {})),
            Accepted({}),
        )
    return _accepted(taken, sent, errors, settings), Accepted(taken)


def _refusal(array: str, given: Any) -> Refusal | None:
    if not isinstance(given, dict):
        return refusals.NOT_AN_OBJECT
    return identifiers.refusal(given) or _CHECKS[array](given)


def _accepted(
    taken: dict[str, list[dict[str, Any]]],
    sent: dict[str, list[Any]],
    errors: list[dict[str, Any]],
    settings: SandboxSettings,
) -> Answer:
    body: dict[str, Any] = {
        f"{name}_processed": len(objects)
        for name, objects in taken.items()
        if objects or not sent[name] or settings.failed_counters == "zero"
    }
    if errors or settings.empty_errors == "list":
        body["errors"] = errors
    elif settings.empty_errors == "null":
        body["errors"] = None
    body["message"] = "success"
    return Answer(settings.track_status, body)


def apply(
    accepted: Accepted, directory: Directory, meter: Meter, settings: SandboxSettings, now: float
) -> None:
    """Apply the objects of a request: attributes, then events, then purchases."""
    for given in accepted.objects.get("attributes", []):
        if profile := directory.find_or_create(given, now):
            set_attributes(directory, profile, given, settings)
            meter.attributes(given, settings.blocklist)
    for given in accepted.objects.get("events", []):
        if profile := directory.find_or_create(given, now):
            events.record_event(profile, given, now)
            directory.touch(profile)
            meter.happened("event", given["name"])
    for given in accepted.objects.get("purchases", []):
        if profile := directory.find_or_create(given, now):
            events.record_purchase(profile, given, now)
            directory.touch(profile)
            meter.happened("purchase", given["product_id"], given.get("quantity", 1))


def set_attributes(
    directory: Directory, profile: Profile, given: dict[str, Any], settings: SandboxSettings
) -> None:
    """Set the fields of a valid attributes object on a profile."""
    merge = given.get("_merge_objects") in (True, "true")
    for name, value in given.items():
        if name in CONTROL_KEYS or name in settings.blocklist or not 0 < len(name) <= MAX_TEXT:
            continue
        if name in standard_fields.STANDARD_FIELDS:
            _set_standard(directory, profile, name, value)
        elif name in settings.forced_types:
            _set_forced(profile, name, value, settings.forced_types[name])
        elif type(value) in _KEPT_AS_SENT:
            profile.custom[name] = value
        else:
            after = updated(profile.custom.get(name), value, merge=merge, settings=settings)
            _put(profile.custom, name, after)
    directory.touch(profile)


def _set_standard(directory: Directory, profile: Profile, name: str, value: Any) -> None:
    try:
        after = standard_fields.stored(name, value)
    except standard_fields.Ignored:
        return
    if name in identifiers.SECONDARY:
        directory.refile(profile, name, profile.standard.get(name), after)
    _put(profile.standard, name, after)


def _set_forced(profile: Profile, name: str, value: Any, kind: str) -> None:
    with suppress(Misfit):
        _put(profile.custom, name, coerced_to(kind, value))


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
