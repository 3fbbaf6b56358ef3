"""``/segments/list`` and ``/segments/details`` (braze-api.md 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exchanger.sandbox.audiences.segments import PAGE, Segment
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.times import spell_epoch


def list_segments(segments: Iterable[Segment], parameters: Mapping[str, str]) -> Answer:
    """Answer ``/segments/list``: 100 per page, oldest first unless asked otherwise."""
    page = parameters.get("page", "0")
    if not page.isdecimal():
        return refused(400, "page must be a non-negative integer")
    listed = [segment.listed() for segment in segments]
    if parameters.get("sort_direction") == "desc":
        listed.reverse()
    start = int(page) * PAGE
    return Answer(200, {"message": "success", "segments": listed[start : start + PAGE]})


def describe_segment(segment: Segment | None) -> Answer:
    """Answer ``/segments/details``."""
    if segment is None:
        return refused(400, "segment_id is not valid")
    created = spell_epoch(segment.created_at)
    return Answer(
        200,
        {
            "message": "success",
            "created_at": created,
            "updated_at": created,
            "name": segment.name,
            "description": "",
            "text_description": "",
            "tags": list(segment.tags),
            "teams": [],
        },
    )
