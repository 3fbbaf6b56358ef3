"""Where Braze takes what, and the permission that a key needs for it."""

from __future__ import annotations

TRACK = "/users/track"
"""Takes changes of profiles (braze-api.md 2)."""
EXPORT_SEGMENT = "/users/export/segment"
"""Begins an export of a segment (braze-api.md 4)."""
CANCEL_EXPORT = "/export/segment/cancel"
"""Stops the running exports of a segment; there is no ``/users`` before it (braze-api.md 4.3)."""
EXPORT_IDS = "/users/export/ids"
"""Returns single profiles (braze-api.md 5)."""
LIST_SEGMENTS = "/segments/list"
"""Returns the segments of the workspace, page by page (braze-api.md 8)."""
SIZE_SEGMENT = "/segments/data_series"
"""Returns the estimated size of a segment, day by day (braze-api.md 8)."""

PERMISSIONS = {
    TRACK: "users.track",
    EXPORT_SEGMENT: "users.export.segment",
    CANCEL_EXPORT: "segments.list",
    EXPORT_IDS: "users.export.ids",
    LIST_SEGMENTS: "segments.list",
    SIZE_SEGMENT: "segments.data_series",
}
"""The permission of each endpoint, as the dashboard names it (braze-api.md 2, 4, 4.3, 5, 8)."""
