"""The catalogs of a workspace, and how their faults are told (braze-api.md 16)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from exchanger.sandbox.http.answers import Answer, Malformed
from exchanger.sandbox.json_text import render
from exchanger.sandbox.times import spell_epoch


class CatalogFault(Malformed):
    """
    A request that is refused as a whole; no item is singled out by its index.

    Args:
        fault: The id of the error, such as ``ids-not-unique``.
        message: What is wrong.
        status: HTTP status.
        **parameters: What the error is about.
    """

    def __init__(self, fault: str, message: str, status: int = 400, **parameters: Any) -> None:
        super().__init__(message)
        self._status = status
        self._error = {
            "id": fault,
            "message": message,
            "parameters": list(parameters),
            "parameter_values": list(parameters.values()),
        }

    @property
    def answer(self) -> Answer:
        """What the endpoint answers."""
        message = "Not Found" if self._status == 404 else "Invalid Request"
        return Answer(self._status, {"errors": [self._error], "message": message})


@dataclass
class Catalog:
    """
    One catalog.

    Args:
        name: Unique in the workspace.
        description: What it is for.
        fields: Field to its type; the first is ``id``.
        updated_at: Epoch seconds of the last write.
        items: Its items by id, in order of creation.
    """

    name: str
    description: str
    fields: dict[str, str]
    updated_at: float
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Return the element of ``GET /catalogs``."""
        return {
            "name": self.name,
            "description": self.description,
            "fields": [{"name": name, "type": kind} for name, kind in self.fields.items()],
            "num_items": len(self.items),
            "updated_at": spell_epoch(self.updated_at),
        }


class Catalogs:
    """All catalogs by name, and how large their items are together."""

    def __init__(self) -> None:
        self.known: dict[str, Catalog] = {}
        self.size = 0

    def named(self, name: str) -> Catalog:
        """
        Return a catalog.

        Raises:
            CatalogFault: There is none of that name.
        """
        if name in self.known:
            return self.known[name]
        message = "Could not find catalog"
        raise CatalogFault("catalog-not-found", message, 404, catalog_name=name)

    def put(self, catalog: Catalog, item: dict[str, Any], now: float) -> None:
        """Write an item, in place of the one with its id."""
        held = catalog.items.get(item["id"])
        self.size += len(render(item)) - (0 if held is None else len(render(held)))
        catalog.items[item["id"]] = item
        catalog.updated_at = now

    def drop(self, catalog: Catalog, item_id: str, now: float) -> bool:
        """Remove an item; return whether it was there."""
        held = catalog.items.pop(item_id, None)
        if held is None:
            return False
        self.size -= len(render(held))
        catalog.updated_at = now
        return True

    def remove(self, name: str) -> None:
        """Remove a catalog with its items."""
        catalog = self.known.pop(name)
        self.size -= sum(len(render(item)) for item in catalog.items.values())
