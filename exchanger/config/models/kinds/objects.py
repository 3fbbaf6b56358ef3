"""What a row of an import becomes, where that is more than attributes: the objects of Braze."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from exchanger.config.models.base import ColumnName, FieldType, Strict, TimeFormat, text_or

ItemType = Literal["string", "integer", "float", "boolean", "date", "datetime"]
ObjectName = Literal[
    "attributes",
    "events",
    "purchases",
    "orders",
    "subscriptions",
    "email_state",
    "renames",
    "aliases",
    "merges",
    "identify",
    "deletions",
    "catalog_items",
    "audience",
]
ItemMode = Literal["upsert", "update", "replace", "delete"]
OnUnknown = Literal["hold", "resend", "ask"]
OnInvalid = Literal["quarantine", "drop_value", "stop"]

Scale = Annotated[
    int | None, Field(ge=0, le=15, description="decimal places of a `decimal`, which needs them")
]
OwnNulls = Annotated[
    tuple[str, ...],
    Field(description='texts that mean "empty" here alone, beside those of `source`'),
]


class Cell(Strict):
    """
    One value of an object: from a column, or the same in every object.

    ``split`` and ``items`` are of lists alone, ``too_long`` of text, ``nan`` of numbers.
    """

    from_: ColumnName | None = Field(
        default=None, alias="from", description="the column; that of the field's name if left out"
    )
    value: str | int | float | bool | None = Field(
        default=None, description="the same for everybody, in place of a column"
    )
    type: FieldType | None = Field(
        default=None,
        description=(
            "of the value; if left out that of Parquet, else it is told from the whole column"
            " and kept"
        ),
    )
    scale: Scale = None
    items: ItemType = Field(default="string", description="the type of a list's members")
    split: str | None = Field(
        default=None,
        description=(
            "separates the members of a list written as text; a cell that is a JSON list is read"
            " as one"
        ),
    )
    trim: bool = Field(default=False, description="takes white space off both ends")
    too_long: Literal["reject", "cut"] = Field(
        default="reject", description="what happens to text over 255 characters"
    )
    nan: Literal["reject", "empty"] = Field(
        default="reject", description="what happens to `NaN` and infinities"
    )
    nulls: OwnNulls = ()
    format: TimeFormat = Field(
        default=None,
        description=(
            "how a `date` or `datetime` is written as text, as of strptime: `%d.%m.%Y`; nothing"
            " else is one then"
        ),
    )
    true_: tuple[str, ...] = Field(
        default=(),
        alias="true",
        description="the texts that mean true, of a `boolean`, in any case; the usual if left out",
    )
    false_: tuple[str, ...] = Field(
        default=(), alias="false", description="the texts that mean false, likewise"
    )

    def as_type(self, kind: FieldType) -> dict[str, Any]:
        """Return what was written, as keys and values, of this type."""
        return self.model_dump(by_alias=True, exclude_unset=True) | {"type": kind}


class RemainingProperties(Strict):
    """The columns that nothing else names become properties, too."""

    columns: str = Field(
        default="*", description="which of them, by name: `*` stands for any signs, `?` for one"
    )
    exclude: tuple[str, ...] = Field(
        default=(), description="which of these not; a pattern, or a list of patterns"
    )
    prefix: str = Field(default="", description="goes before the column's name")


class Event(Strict):
    """A custom event, one for each row. A text in place of a mapping names a column."""

    name: Cell = Field(description="of the event: a text, or `{from: COLUMN}`")
    time: Cell = Field(description="when it happened: a column")
    properties: dict[str, Cell] = Field(default={}, description="by name: a column each")
    remaining_properties: RemainingProperties | None = Field(
        default=None, description="takes the columns that nothing else names; none if left out"
    )


class Purchase(Strict):
    """A purchase, one for each row. A text in place of a mapping names a column."""

    product: Cell = Field(description="the product's id: a column")
    price: Cell = Field(description="of one piece, a number: a column")
    currency: Cell = Field(description="a code of ISO 4217: a text, or `{from: COLUMN}`")
    quantity: Cell | None = Field(
        default=None, description="how many pieces: a column; one if left out"
    )
    time: Cell = Field(description="when it was bought: a column")
    properties: dict[str, Cell] = Field(default={}, description="by name: a column each")
    remaining_properties: RemainingProperties | None = Field(
        default=None, description="takes the columns that nothing else names; none if left out"
    )


WhenInvalid = Annotated[
    OnInvalid | None,
    Field(
        description=(
            "what happens to a value that cannot be used: `quarantine` rejects its row,"
            " `drop_value` leaves it out, lists it as a warning and applies the rest of the row,"
            " `stop` ends the run before anything is sent; left out, a value of an attribute that"
            " Braze would ignore is left out, and any other rejects its row"
        ),
    ),
]
RowId = Annotated[
    ColumnName | None,
    Field(
        description=(
            "the column of what names a row for good, so that it is sent exactly once, in whatever"
            " file it comes; left out, each file counts once, and copies and new versions wait"
        )
    ),
]
WhenUnknown = Annotated[
    OnUnknown,
    Field(
        description=(
            "what happens to an event, purchase or order of which nobody knows whether Braze took"
            " it: `hold` lists it, and `retry` gives it again; `resend` sends it again, so it may"
            " count twice; `ask` asks Braze for as long as the grace, where its beta of the status"
            " of requests is on, and lists what that does not tell"
        )
    ),
]


class CatalogColumn(Strict):
    """The column that names the catalog of each item, in place of one catalog for all."""

    from_: ColumnName = Field(alias="from", description="the column")


CatalogName = Annotated[
    Annotated[
        Annotated[str, Tag("text")] | Annotated[CatalogColumn, Tag("mapping")],
        text_or(CatalogColumn),
    ]
    | None,
    Field(
        description=(
            "of `object: catalog_items`: the name of the catalog in Braze, or the column that"
            " names it"
        )
    ),
]
Mode = Annotated[
    ItemMode,
    Field(
        description=(
            "of `object: catalog_items`: `upsert` makes items and changes fields of those that"
            " exist, `update` only changes, `replace` makes items of exactly these fields, `delete`"
            " removes the items"
        )
    ),
]
ItemId = Annotated[
    ColumnName | None,
    Field(description="of `object: catalog_items`: the column of the item's id"),
]
ConfirmDeletes = Annotated[
    bool,
    Field(
        description=(
            "must be `true` where a job deletes for good: `object: deletions`, `mode: delete` of"
            " catalog items, and `on_removed: delete` of snapshots"
        )
    ),
]
MayResubscribe = Annotated[
    bool,
    Field(
        description=(
            "with `true`, somebody who is unsubscribed may become subscribed by a file; otherwise"
            " such a state is not sent, and counted"
        )
    ),
]
