"""``/custom_attributes``: which there are, 50 per page by ``Link`` (braze-api.md 8)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.http.answers import Answer, Malformed
from exchanger.sandbox.http.paging import BadCursor, page_of
from exchanger.sandbox.json_text import is_number
from exchanger.sandbox.scene import Scene
from exchanger.sandbox.times import read_time

PATH = "/custom_attributes"
_FORCED = {"boolean": "Boolean", "number": "Number", "string": "String"}


def list_custom_attributes(scene: Scene, parameters: Any) -> Answer:
    """Answer ``/custom_attributes``: by name, each with the type of its newest value."""
    values: dict[str, Any] = {}
    for profile in scene.directory.profiles.values():
        values |= profile.custom
    listed = [_described(scene, name, values[name]) for name in sorted(values)]
    try:
        page, headers = page_of(listed, PATH, parameters.get("cursor"))
    except BadCursor as error:
        raise Malformed("cursor is not valid") from error
    return Answer(200, {"message": "success", "attributes": list(page)}, headers)


def _described(scene: Scene, name: str, value: Any) -> dict[str, Any]:
    settings = scene.settings
    kind = _FORCED[settings.forced_types[name]] if name in settings.forced_types else _kind(value)
    blocked = name in settings.blocklist
    return {
        "name": name,
        "data_type": kind,
        "array_length": settings.array_limit if kind == "Array" else None,
        "description": "",
        "status": "Blocklisted" if blocked else "Active",
        "tag_names": [],
    }


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if is_number(value):
        return "Number"
    if isinstance(value, dict):
        return "Object"
    if isinstance(value, list):
        nested = any(isinstance(member, dict) for member in value)
        return "Object Array" if nested else "Array"
    return "Time" if read_time(value) else "String"
