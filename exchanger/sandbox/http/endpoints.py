"""The Braze endpoints that are spoken: permission, rate limit, and who answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from exchanger.sandbox.attributes.listing import list_custom_attributes
from exchanger.sandbox.audiences.cohort_import import change_cohort, set_cohort
from exchanger.sandbox.catalogs import definitions, items, reading
from exchanger.sandbox.exporting.exporter import Exporter
from exchanger.sandbox.http.answers import Answer
from exchanger.sandbox.lifecycle import aliases, deletion, identify, merge, renames
from exchanger.sandbox.scene import Handler
from exchanger.sandbox.subscriptions import email, setting
from exchanger.sandbox.subscriptions import reading as states
from exchanger.sandbox.workspace import Workspace


@dataclass(frozen=True)
class Endpoint:
    """
    One Braze endpoint.

    Args:
        method: HTTP method.
        path: Without a trailing slash; ``{}`` stands for any one part.
        permission: What the key must be granted; empty where the keys stand in the body.
        pool: Which rate limit it counts against.
        handle: Makes the answer from the JSON body or the query parameters, and parts of the path.
    """

    method: str
    path: str
    permission: str
    pool: str
    handle: Callable[..., Answer]

    @property
    def has_body(self) -> bool:
        """Whether it takes JSON."""
        return self.method != "GET" and (self.method, self.path) != ("DELETE", "/catalogs/{}")


_SCENE_ENDPOINTS: tuple[tuple[str, str, str, str, Handler], ...] = (
    ("POST", "/users/alias/new", "users.alias.new", "identity", aliases.new_aliases),
    ("POST", "/users/alias/update", "users.alias.update", "identity", aliases.update_aliases),
    ("POST", "/users/identify", "users.identify", "identity", identify.identify_users),
    ("POST", "/users/merge", "users.merge", "identity", merge.merge_users),
    ("POST", "/users/delete", "users.delete", "identity", deletion.delete_users),
    ("POST", renames.RENAME, "users.external_ids.rename", "rename", renames.rename_external_ids),
    ("POST", renames.REMOVE, "users.external_ids.remove", "remove", renames.remove_external_ids),
    ("POST", setting.PATH, "subscription.status.set", "subscriptions", setting.set_states),
    (
        "POST", f"/v2{setting.PATH}", "subscription.status.set", "subscriptions",
        setting.set_states_of_groups,
    ),
    ("GET", "/subscription/status/get", "subscription.status.get", "shared", states.state_in_group),
    (
        "GET", "/subscription/user/status", "subscription.groups.get", "shared",
        states.groups_of_users,
    ),
    ("POST", "/email/status", "email.status", "shared", email.set_email_state),
    ("POST", "/email/blocklist", "email.blacklist", "shared", email.block_emails),
    ("POST", "/email/blacklist", "email.blacklist", "shared", email.block_emails),
    ("POST", "/catalogs", "catalogs.create", "catalogs", definitions.create_catalog),
    ("GET", "/catalogs", "catalogs.get", "catalogs", definitions.list_catalogs),
    ("DELETE", "/catalogs/{}", "catalogs.delete", "catalogs", definitions.delete_catalog),
    ("POST", "/catalogs/{}/items", "catalogs.add_items", "catalog_items", items.create_items),
    ("PATCH", "/catalogs/{}/items", "catalogs.update_items", "catalog_items", items.update_items),
    ("PUT", "/catalogs/{}/items", "catalogs.replace_items", "catalog_items", items.replace_items),
    ("DELETE", "/catalogs/{}/items", "catalogs.delete_items", "catalog_items", items.delete_items),
    ("GET", "/catalogs/{}/items", "catalogs.get_items", "catalog_reads", reading.list_items),
    ("GET", "/catalogs/{}/items/{}", "catalogs.get_item", "catalog_reads", reading.show_item),
    ("POST", "/partners/{}/cohorts", "", "cohorts", set_cohort),
    ("POST", "/partners/{}/cohorts/users", "", "cohorts", change_cohort),
    ("GET", "/custom_attributes", "custom_attributes.get", "listings", list_custom_attributes),
)  # fmt: skip
_WORKSPACE_PERMISSIONS = frozenset(
    {
        "users.track", "users.track.status", "users.export.ids", "users.export.segment",
        "segments.list", "segments.details", "segments.data_series",
    }
)  # fmt: skip
PERMISSIONS = _WORKSPACE_PERMISSIONS | {granted for _, _, granted, _, _ in _SCENE_ENDPOINTS} - {""}
"""What a key can be granted."""


class Endpoints:
    """The endpoints of a workspace, by method and path."""

    def __init__(self, workspace: Workspace, exporter: Exporter) -> None:
        self._exact: dict[tuple[str, str], Endpoint] = {}
        self._patterns: list[tuple[re.Pattern[str], Endpoint]] = []
        for known in _endpoints(workspace, exporter):
            if "{}" in known.path:
                pattern = re.compile(known.path.replace("{}", "([^/]+)"))
                self._patterns.append((pattern, known))
            else:
                self._exact[known.method, known.path] = known

    def at(self, method: str, path: str) -> tuple[Endpoint | None, tuple[str, ...]]:
        """Return the endpoint, if there is one, and the parts of the path that it asks for."""
        if known := self._exact.get((method, path)):
            return known, ()
        for pattern, known in self._patterns:
            if known.method == method and (found := pattern.fullmatch(path)):
                return known, found.groups()
        return None, ()


def _endpoints(workspace: Workspace, exporter: Exporter) -> Iterator[Endpoint]:
    space, shared = workspace, "shared"
    yield Endpoint("POST", "/users/track", "users.track", "track", space.track)
    yield Endpoint("GET", "/users/track/status", "users.track.status", "status", space.tell_group)
    yield Endpoint("POST", "/users/export/ids", "users.export.ids", "lookup", space.look_up)
    yield Endpoint("POST", "/users/export/segment", "users.export.segment", shared, exporter.start)
    yield Endpoint("POST", "/export/segment/cancel", "segments.list", shared, exporter.cancel)
    yield Endpoint("GET", "/segments/list", "segments.list", shared, space.list_segments)
    yield Endpoint("GET", "/segments/details", "segments.details", shared, space.describe_segment)
    yield Endpoint(
        "GET", "/segments/data_series", "segments.data_series", shared, space.size_segment
    )
    for method, path, permission, pool, handler in _SCENE_ENDPOINTS:
        yield Endpoint(method, path, permission, pool, space.serve(handler))
