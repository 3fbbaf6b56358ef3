"""An order of several rows, which becomes one ecommerce event of Braze."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from exchanger.config.models.base import ColumnName, FieldType, Strict
from exchanger.config.models.kinds.objects import Cell

SUM = ".sum"
"""Stands behind the name of an amount that lines add up to, where parts are named."""
METADATA = "metadata."
"""Goes before the name of an entry of an order's metadata, where parts are named."""
PRODUCT = "product."
"""Goes before the name of what is said of a line."""
AMOUNT_SCALE = 4
"""Decimal places of amounts that are added up, where the job says nothing else."""

_TYPES: dict[str, FieldType] = {
    "event": "string",
    "time": "datetime",
    "currency": "string",
    "source": "string",
    "total": "float",
    "subtotal": "float",
    "tax": "float",
    "shipping": "float",
    "total_discounts": "float",
    "discounts": "json",
    "cart_id": "string",
    "action": "string",
    "cancel_reason": "string",
}
_TYPES_OF_LINE: dict[str, FieldType] = {
    "id": "string",
    "name": "string",
    "variant": "string",
    "quantity": "integer",
    "price": "float",
    "image_url": "string",
    "product_url": "string",
    "type": "list",
}


class Amount(Cell):
    """An amount of money: the same in all lines of an order, or what these add up to."""

    sum: ColumnName | None = Field(
        default=None,
        description=(
            "the column that is added up over the lines, exactly, with `scale` decimal places (4 if"
            " left out)"
        ),
    )


class Product(Strict):
    """What a line is about. A text in place of a mapping names a column."""

    id: Cell = Field(description="the product's id: a column")
    name: Cell = Field(description="what it is called: a column")
    variant: Cell = Field(description="which size or colour; often the same column as `id`")
    quantity: Cell | None = Field(
        default=None, description="how many pieces; needed but for `product_viewed`"
    )
    price: Cell = Field(description="of one piece: a column")
    image_url: Cell | None = Field(default=None, description="an address of a picture")
    product_url: Cell | None = Field(default=None, description="an address of a page")
    type: Cell | None = Field(
        default=None,
        description="of `product_viewed`: a list of `price_drop` and `back_in_stock`",
    )
    metadata: dict[str, Cell] = Field(
        default={}, description="anything else about the line, by name; not of `product_viewed`"
    )


class Order(Strict):
    """
    An ecommerce event of which each row is a line. A text in place of a mapping names a column.

    Whatever is not of the product, and not added up, is the same in all lines of one order.
    """

    event: Cell = Field(
        description=(
            "which one: `product_viewed`, `cart_updated`, `checkout_started`, `order_placed`,"
            " `order_cancelled`, `order_refunded`, or `{from: COLUMN}`"
        )
    )
    id: ColumnName = Field(
        description=(
            "the column of what names the order (of `cart_updated` the cart, of"
            " `checkout_started` the checkout, of `product_viewed` the view): its lines become one"
            " event, which is sent once"
        )
    )
    time: Cell = Field(description="when it happened: a column")
    currency: Cell = Field(description="a code of ISO 4217: a text, or `{from: COLUMN}`")
    source: Cell = Field(description="where it happened, like `web`: a text, or `{from: COLUMN}`")
    total: Amount | None = Field(
        default=None,
        description="what the order is worth: a column, or `{sum: COLUMN}`; needed for most events",
    )
    subtotal: Amount | None = Field(default=None, description="without tax and shipping")
    tax: Amount | None = Field(default=None, description="the tax")
    shipping: Amount | None = Field(default=None, description="the cost of shipping")
    total_discounts: Amount | None = Field(default=None, description="all that was taken off")
    discounts: Cell | None = Field(default=None, description="a JSON list of what was taken off")
    cart_id: Cell | None = Field(
        default=None, description="the cart of `checkout_started` or `order_placed`"
    )
    action: Cell | None = Field(
        default=None, description="of `cart_updated`: `add`, `remove` or `replace`"
    )
    cancel_reason: Cell | None = Field(
        default=None, description="of `order_cancelled`, which needs it"
    )
    product: Product = Field(description="what a line is about")
    metadata: dict[str, Cell] = Field(default={}, description="anything else, by name")

    def parts(self) -> dict[str, dict[str, Any]]:
        """Return what is read of a row, by name, as keys and values of a field."""
        parts = dict(_named(self, _TYPES))
        parts |= {PRODUCT + name: part for name, part in _named(self.product, _TYPES_OF_LINE)}
        parts |= {METADATA + name: _written(cell) for name, cell in self.metadata.items()}
        own = self.product.metadata
        return parts | {PRODUCT + METADATA + name: _written(cell) for name, cell in own.items()}


def _named(spec: Order | Product, types: dict[str, FieldType]) -> Iterator[tuple[str, Any]]:
    for name, kind in types.items():
        cell = getattr(spec, name)
        if isinstance(cell, Amount) and cell.sum is not None:
            part = cell.as_type("decimal") | {"from": cell.sum}
            part.pop("sum")
            yield name + SUM, {"scale": AMOUNT_SCALE} | part
        elif isinstance(cell, Cell):
            yield name, cell.as_type(kind)


def _written(cell: Cell) -> dict[str, Any]:
    return cell.model_dump(by_alias=True, exclude_unset=True)
