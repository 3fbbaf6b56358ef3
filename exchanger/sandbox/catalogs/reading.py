"""Reading items: in pages of 50, or one (braze-api.md 16)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.catalogs.catalogs import CatalogFault
from exchanger.sandbox.http.answers import Answer
from exchanger.sandbox.http.paging import BadCursor, page_of
from exchanger.sandbox.scene import Scene


def list_items(scene: Scene, parameters: Any, name: str) -> Answer:
    """Answer ``GET /catalogs/{name}/items``."""
    items = list(scene.catalogs.named(name).items.values())
    path = f"/catalogs/{name}/items"
    try:
        page, headers = page_of(items, path, parameters.get("cursor"))
    except BadCursor as error:
        raise CatalogFault("invalid-cursor", "The cursor is not valid") from error
    return Answer(200, {"items": list(page), "message": "success"}, headers)


def show_item(scene: Scene, _parameters: Any, name: str, item_id: str) -> Answer:
    """Answer ``GET /catalogs/{name}/items/{id}``."""
    item = scene.catalogs.named(name).items.get(item_id)
    if item is None:
        raise CatalogFault("item-not-found", "Could not find item", 404, item_id=item_id)
    return Answer(200, {"items": [item], "message": "success"})
