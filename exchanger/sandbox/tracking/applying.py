"""What the valid objects of a track request do to profiles (braze-api.md 2.4 to 2.9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from exchanger.sandbox.attributes import standard_fields
from exchanger.sandbox.attributes.forced_types import Misfit, coerced_to
from exchanger.sandbox.attributes.nested import MAX_TEXT
from exchanger.sandbox.attributes.values import is_nested, is_nested_sound, updated
from exchanger.sandbox.identity import identifiers
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.json_text import JsonNumber
from exchanger.sandbox.scene import Scene
from exchanger.sandbox.tracking import events
from exchanger.sandbox.tracking.meter import CONTROL_KEYS
from exchanger.sandbox.tracking.track import Accepted

_KEPT_AS_SENT = frozenset({int, bool, JsonNumber})
_NO_PROFILE = "no such profile, and it is not to be created"
_NOT_TAKEN = "a value that Braze does not take"


def apply(accepted: Accepted, scene: Scene, now: float) -> None:
    """Apply the objects of a request: attributes, then events, then purchases."""
    directory, writes = scene.directory, scene.writes
    for array, objects in accepted.objects.items():
        for given in objects:
            profile = directory.find_or_create(given, now)
            if profile is None:
                writes.note(array, "skipped", given, reason=_NO_PROFILE)
                continue
            if array == "attributes":
                _apply_attributes(scene, profile, given, now)
            else:
                _apply_happening(scene, profile, array, given, now)
            writes.note(array, "applied", given, profile.braze_id)


def _apply_attributes(scene: Scene, profile: Profile, given: dict[str, Any], now: float) -> None:
    if scene.settings.clock_moves == "changes":
        before = dict(profile.standard), dict(profile.custom), dict(profile.subscriptions)
        set_attributes(scene, profile, given, now)
        if before != (profile.standard, profile.custom, profile.subscriptions):
            profile.updated_at = now
    else:
        set_attributes(scene, profile, given, now)
        profile.updated_at = now
    scene.meter.attributes(given, scene.settings)


def _apply_happening(
    scene: Scene, profile: Profile, array: str, given: dict[str, Any], now: float
) -> None:
    kind, name = ("event", "name") if array == "events" else ("purchase", "product_id")
    if given[name] in scene.settings.blocklist:
        scene.writes.note(array, "dropped", given, profile.braze_id, "on the blocklist")
        return
    if array == "events":
        events.record_event(profile, given, scene.settings, now)
    else:
        events.record_purchase(profile, given, scene.settings, now)
    scene.directory.touch(profile)
    if scene.settings.clock_moves == "everything":
        profile.updated_at = now
    scene.meter.happened(kind, given, scene.settings)


def set_profiles(scene: Scene, rows: Iterable[Mapping[str, Any]], now: float) -> int:
    """
    Set profiles without a request.

    Args:
        scene: Where they belong.
        rows: Attributes objects with an ``external_id``; a null says nothing.
        now: Epoch seconds.

    Returns:
        How many there were.
    """
    count = 0
    for row in rows:
        given = {name: value for name, value in row.items() if value is not None}
        if not given.get("external_id"):
            raise ValueError("a seeded profile needs an external_id")
        if profile := scene.directory.find_or_create(given, now):
            set_attributes(scene, profile, given, now)
            profile.updated_at = now
        count += 1
    return count


def set_attributes(scene: Scene, profile: Profile, given: dict[str, Any], now: float) -> None:
    """Set the fields of a valid attributes object on a profile."""
    settings, custom = scene.settings, profile.custom
    merge = given.get("_merge_objects") in (True, "true")
    all_dropped = settings.invalid_nested == "object" and not _is_sound(given)
    for name, value in given.items():
        if name in CONTROL_KEYS or name in settings.blocklist or not 0 < len(name) <= MAX_TEXT:
            continue
        if name in standard_fields.STANDARD_FIELDS:
            _set_standard(scene, profile, name, value, now)
        elif name in settings.forced_types:
            with suppress(Misfit):
                _put(custom, name, coerced_to(settings.forced_types[name], value))
        elif type(value) in _KEPT_AS_SENT:
            custom[name] = value
        elif all_dropped and is_nested(value):
            _dropped(scene, profile, name, value)
        else:
            held = custom.get(name)
            after = updated(held, value, merge=merge, settings=settings)
            if after is held and value is not held and value != held:
                _dropped(scene, profile, name, value)
            _put(custom, name, after)
    scene.directory.touch(profile)


def _is_sound(given: dict[str, Any]) -> bool:
    return all(
        is_nested_sound(value)
        for name, value in given.items()
        if name not in CONTROL_KEYS and name not in standard_fields.STANDARD_FIELDS
    )


def _dropped(scene: Scene, profile: Profile, name: str, value: Any) -> None:
    scene.writes.note("attributes", "dropped", {name: value}, profile.braze_id, _NOT_TAKEN)


def _set_standard(scene: Scene, profile: Profile, name: str, value: Any, now: float) -> None:
    if name == "subscription_groups":
        scene.subscriptions.set_by_track(profile, value or [], scene.directory, now)
        return
    try:
        after = standard_fields.stored(name, value)
    except standard_fields.Ignored:
        _dropped(scene, profile, name, value)
        return
    if name in identifiers.SECONDARY:
        scene.directory.refile(profile, name, profile.standard.get(name), after)
    _put(profile.standard, name, after)


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
