"""Writing items: understood at once, done later, and nothing is told of it (braze-api.md 16)."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

from exchanger.sandbox.catalogs.catalogs import Catalog, CatalogFault
from exchanger.sandbox.catalogs.definitions import NAME
from exchanger.sandbox.catalogs.values import changed_list, fitted, is_list_change
from exchanger.sandbox.http.answers import Answer
from exchanger.sandbox.scene import Queued, Scene, Step

MOST_ITEMS = 50
MAX_ID = 250
Way = Literal["create", "update", "replace", "delete"]


def create_items(scene: Scene, body: dict[str, Any], name: str) -> Queued:
    """Answer ``POST /catalogs/{name}/items``."""
    return _queued(scene, body, name, "create")


def update_items(scene: Scene, body: dict[str, Any], name: str) -> Queued:
    """Answer ``PATCH /catalogs/{name}/items``."""
    return _queued(scene, body, name, "update")


def replace_items(scene: Scene, body: dict[str, Any], name: str) -> Queued:
    """Answer ``PUT /catalogs/{name}/items``."""
    return _queued(scene, body, name, "replace")


def delete_items(scene: Scene, body: dict[str, Any], name: str) -> Queued:
    """Answer ``DELETE /catalogs/{name}/items``."""
    return _queued(scene, body, name, "delete")


def _queued(scene: Scene, body: dict[str, Any], name: str, way: Way) -> Queued:
    catalog = scene.catalogs.named(name)
    given = body.get("items")
    items = _checked(given)
    if way != "delete":
        if scene.catalogs.size >= scene.settings.catalog_bytes:
            message = "The company has reached the size limit of catalogs"
            raise CatalogFault("company-size-limit-already-reached", message)
        items = [_fitted(item, catalog, way) for item in items]

    def apply(scene: Scene, now: float) -> None:
        if scene.catalogs.known.get(name) is not catalog:
            return
        for item in items:
            _write(scene, catalog, item, way, now)

    return Queued(Answer(202, {"message": "success"}), (Step("catalog", apply),))


def _checked(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given or not all(isinstance(x, dict) for x in given):
        raise CatalogFault("item-array-invalid", "items must be an array of objects")
    if len(given) > MOST_ITEMS:
        message = f"A request may hold {MOST_ITEMS} items at most"
        raise CatalogFault("request-includes-too-many-items", message)
    if any("id" not in item for item in given):
        raise CatalogFault("items-missing-ids", "Some items have no id")
    ids = [item["id"] for item in given]
    if not all(isinstance(one, str) for one in ids):
        raise CatalogFault("ids-not-strings", "Some ids are no strings")
    if long := [one for one in ids if len(one) > MAX_ID]:
        raise CatalogFault("ids-too-large", "Some ids are too long", id=long[0])
    if wrong := [one for one in ids if not NAME.fullmatch(one)]:
        message = "Ids may hold letters, digits, hyphens and underscores"
        raise CatalogFault("invalid-ids", message, id=wrong[0])
    if twice := [one for one, count in Counter(ids).items() if count > 1]:
        raise CatalogFault("ids-not-unique", "Some ids are not unique", id=twice[0])
    return given


def _fitted(item: dict[str, Any], catalog: Catalog, way: Way) -> dict[str, Any]:
    if item.keys() - catalog.fields.keys():
        message = "Some of the fields given do not exist in the catalog"
        raise CatalogFault("invalid-fields", message, id=item["id"])
    made: dict[str, Any] = {}
    for name, value in item.items():
        kind = catalog.fields[name]
        if way == "update" and kind == "array" and is_list_change(value):
            made[name] = value
        else:
            made[name] = fitted(value, kind, id=item["id"], field=name)
    return made


def _write(scene: Scene, catalog: Catalog, item: dict[str, Any], way: Way, now: float) -> None:
    path, held = f"/catalogs/{catalog.name}/items", catalog.items.get(item["id"])
    written = scene.settings.catalog_conflicts == "written"
    if way == "delete":
        reason = None if scene.catalogs.drop(catalog, item["id"], now) else "no such item"
    elif way == "create" and held is not None and not written:
        reason = "the item exists"
    elif way == "update" and held is None and not written:
        reason = "no such item"
    else:
        reason = None
        base = (held or {}) if way == "update" else {}
        scene.catalogs.put(catalog, _after(base, item, catalog), now)
    outcome: Literal["skipped", "applied"] = "skipped" if reason else "applied"
    scene.writes.note(path, outcome, item, reason=reason or "")


def _after(held: dict[str, Any], item: dict[str, Any], catalog: Catalog) -> dict[str, Any]:
    after = dict(held)
    for name, value in item.items():
        changes = catalog.fields[name] == "array" and is_list_change(value)
        after[name] = changed_list(held.get(name), value) if changes else value
    return after
