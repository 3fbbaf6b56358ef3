"""``/catalogs``: create, list and delete (braze-api.md 16)."""

from __future__ import annotations

import re
from typing import Any

from exchanger.sandbox.catalogs.catalogs import Catalog, CatalogFault
from exchanger.sandbox.http.answers import Answer
from exchanger.sandbox.scene import Scene

MOST_FIELDS = 500
MAX_NAME = 250
TYPES = frozenset({"string", "number", "boolean", "time", "geo", "object", "array"})
NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def create_catalog(scene: Scene, body: dict[str, Any]) -> Answer:
    """Answer ``POST /catalogs``: one catalog per request."""
    given = body.get("catalogs")
    if not isinstance(given, list) or not given or not isinstance(given[0], dict):
        raise CatalogFault("catalog-array-invalid", "catalogs must be an array of objects")
    if len(given) > 1:
        message = "You can only create one catalog per request"
        raise CatalogFault("too-many-catalog-atoms", message)
    name, description = given[0].get("name"), given[0].get("description", "")
    _check_name(scene, name, description)
    fields = _fields(given[0].get("fields"))
    catalog = Catalog(str(name), str(description), fields, scene.now())
    scene.catalogs.known[catalog.name] = catalog
    return Answer(201, {"catalogs": [catalog.shown()], "message": "success"})


def list_catalogs(scene: Scene, _parameters: Any) -> Answer:
    """Answer ``GET /catalogs``."""
    shown = [catalog.shown() for catalog in scene.catalogs.known.values()]
    return Answer(200, {"catalogs": shown, "message": "success"})


def delete_catalog(scene: Scene, _body: Any, name: str) -> Answer:
    """Answer ``DELETE /catalogs/{name}``."""
    scene.catalogs.remove(scene.catalogs.named(name).name)
    return Answer(200, {"message": "success"})


def _check_name(scene: Scene, name: Any, description: Any) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        message = "Names may hold letters, digits, hyphens and underscores"
        raise CatalogFault("invalid-catalog-name", message, catalog_name=name)
    if len(name) > MAX_NAME:
        raise CatalogFault("catalog-name-too-large", "The name is too long", catalog_name=name)
    if name in scene.catalogs.known:
        message = "A catalog with that name already exists"
        raise CatalogFault("catalog-name-already-exists", message, catalog_name=name)
    if not isinstance(description, str) or len(description) > MAX_NAME:
        raise CatalogFault("description-too-long", "The description is too long")


def _fields(given: Any) -> dict[str, str]:
    if not isinstance(given, list) or not given or not all(isinstance(x, dict) for x in given):
        raise CatalogFault("invalid-fields", "fields must be an array of objects")
    names = [one.get("name") for one in given]
    kinds = [one.get("type") for one in given]
    if len(given) > MOST_FIELDS:
        raise CatalogFault("too-many-fields", f"A catalog has {MOST_FIELDS} fields at most")
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise CatalogFault("invalid-field-names", "Some field names are not valid")
    if any(len(name) > MAX_NAME for name in names):
        raise CatalogFault("field-names-too-large", "Some field names are too long")
    if len(set(names)) < len(names):
        raise CatalogFault("field-names-not-unique", "Some field names are not unique")
    if not all(isinstance(kind, str) and kind in TYPES for kind in kinds):
        raise CatalogFault("invalid-field-types", "Some field types are not valid")
    if (names[0], kinds[0]) != ("id", "string"):
        raise CatalogFault("id-not-first-column", "The first field must be the text id")
    return dict(zip(names, kinds, strict=True))
