"""``/users/track``: which objects are taken, and what they do to profiles (braze-api.md 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from exchanger.sandbox import refusals
from exchanger.sandbox.attributes import standard_fields
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.identity import identifiers
from exchanger.sandbox.identity.directory import Directory
from exchanger.sandbox.refusals import Refusal
from exchanger.sandbox.scene import Scene
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.tracking import events
from exchanger.sandbox.tracking.ecommerce import EcommerceRefusal
from exchanger.sandbox.tracking.properties import is_oversized

NOTHING_VALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
TOO_MANY = "Max Input Length Exceeded"
OVERSIZED = "'properties' is too large"
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


NOTHING = Accepted({})


def receive(body: dict[str, Any], scene: Scene) -> tuple[Answer, Accepted]:
    """
    Validate a request.

    Returns:
        The answer, and the objects to apply (none if the answer is a 400).
    """
    settings = scene.settings
    sent = {name: body[name] for name in _CHECKS if isinstance(body.get(name), list)}
    if problem := _problem(sent, settings):
        return refused(400, problem), NOTHING
    errors: list[dict[str, Any]] = []
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in sent}
    only_ecommerce = True
    for name, objects in sent.items():
        for index, given in enumerate(objects):
            if refusal := _refusal(name, given):
                told = refusal.told(settings.error_style)
                errors.append({"type": told, "input_array": name, "index": index})
                only_ecommerce = only_ecommerce and isinstance(refusal, EcommerceRefusal)
            else:
                taken[name].append(given)
    dropped = bool(errors) and only_ecommerce and settings.ecommerce_faults == "dropped"
    if not any(taken.values()) and not dropped:
        answer = refused(400, NOTHING_VALID)
        return replace(answer, body=answer.body | ({"errors": errors} if errors else {})), NOTHING
    return _accepted(taken, sent, errors, scene), Accepted(taken)


def _problem(sent: dict[str, list[Any]], settings: SandboxSettings) -> str | None:
    sizes = [len(objects) for objects in sent.values()]
    counted = sum(sizes) if settings.track_limit_mode == "combined" else max(sizes, default=0)
    if counted > settings.track_objects:
        return TOO_MANY
    if settings.oversized_properties == "request" and any(
        isinstance(given, dict) and is_oversized(given, array)
        for array in ("events", "purchases")
        for given in sent.get(array, ())
    ):
        return OVERSIZED
    return None


def _refusal(array: str, given: Any) -> Refusal | None:
    if not isinstance(given, dict):
        return refusals.NOT_AN_OBJECT
    return identifiers.refusal(given) or _CHECKS[array](given)


def _accepted(
    taken: dict[str, list[dict[str, Any]]],
    sent: dict[str, list[Any]],
    errors: list[dict[str, Any]],
    scene: Scene,
) -> Answer:
    settings = scene.settings
    body: dict[str, Any] = {
        f"{name}_processed": _counted(objects, scene)
        for name, objects in taken.items()
        if objects or not sent[name] or settings.failed_counters == "zero"
    }
    if errors or settings.empty_errors == "list":
        body["errors"] = errors
    elif settings.empty_errors == "null":
        body["errors"] = None
    body["message"] = "success"
    return Answer(settings.track_status, body)


def _counted(objects: list[dict[str, Any]], scene: Scene) -> int:
    """How many count as processed: all, or those that are not skipped for want of a profile."""
    if scene.settings.update_only_skips == "counted":
        return len(objects)
    return sum(not _is_skipped(given, scene.directory) for given in objects)


def _is_skipped(given: dict[str, Any], directory: Directory) -> bool:
    only_existing = given.get("_update_existing_only", bool(given.get("user_alias")))
    return bool(only_existing) and directory.find(given) is None
