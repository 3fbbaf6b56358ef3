"""An import job: files of the bucket into Braze, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, Tag

from exchanger.braze.limits import LONGEST_LIST
from exchanger.braze.objects import RESERVED
from exchanger.config.models.after import After, Masked
from exchanger.config.models.base import Duration, FieldType, Raw, Strict, text_or
from exchanger.config.models.delivery import Delivery
from exchanger.config.models.guards import Guards
from exchanger.config.models.jobs import AnyJob, Completion
from exchanger.config.models.kinds.audiences import ACTION, Action, Audience, AudienceCohort
from exchanger.config.models.kinds.consent import EmailState, GroupState, Subscription
from exchanger.config.models.kinds.lifecycle import CALLS, Identify, NewAlias, PersonMerge, Rename
from exchanger.config.models.kinds.objects import (
    CatalogColumn,
    CatalogName,
    Cell,
    ConfirmDeletes,
    Event,
    ItemId,
    MayResubscribe,
    Mode,
    ObjectName,
    OwnNulls,
    Purchase,
    RowId,
    Scale,
    WhenInvalid,
    WhenUnknown,
)
from exchanger.config.models.kinds.orders import METADATA, PRODUCT, Order
from exchanger.config.models.matching import Match, OnAmbiguous
from exchanger.config.models.sources import Source

StrategyName = Literal[
    "set", "add", "sum", "set_if_empty", "clear", "remove", "highest", "lowest", "deep", "rows"
]
DriftPolicy = Literal["overwrite", "keep", "quarantine"]
"""What a run does to a field that somebody else changed in Braze since it was delivered."""
NEEDS_HELD: frozenset[StrategyName] = frozenset(
    {"sum", "add", "remove", "set_if_empty", "highest", "lowest", "deep", "rows"}
)
"""Strategies whose result depends on what Braze has now (law 10)."""
NESTED: frozenset[StrategyName] = frozenset({"deep", "rows"})
"""Strategies that change parts of JSON, and leave the rest of it as it is."""

Merge = Annotated[
    StrategyName, Field(description="how it is combined with what Braze has: the strategy")
]
OnDrift = Annotated[
    DriftPolicy,
    Field(description="what happens where somebody else changed the value in Braze"),
]


class FieldConfig(Cell):
    """
    How one Braze attribute is made from a column (or a static value) and merged.

    A text in its place is the strategy alone: ``first_name: set``. ``add`` and ``remove`` always
    have lists. ``split``, ``items``,
    ``max_items`` and ``ordered`` are of lists alone, ``too_long`` of text, ``nan`` of numbers,
    ``key`` and ``complete`` of ``rows``. ``deep`` and ``rows`` always have JSON.
    """

    merge: Merge = "set"
    key: str | None = Field(
        default=None,
        description=(
            "of `merge: rows`, which needs it: the key of each object of the array that tells it"
            " from the others"
        ),
    )
    complete: bool = Field(
        default=False,
        description=(
            "with `true` the array of `merge: rows` is the whole truth: objects that it lacks are"
            " removed"
        ),
    )
    ordered: bool = Field(
        default=False,
        description=(
            "whether another order of the same members is a change; not with `add` and `remove`"
        ),
    )
    on_drift: OnDrift = "overwrite"
    max_items: int = Field(
        default=LONGEST_LIST,
        ge=1,
        le=LONGEST_LIST,
        description="how many members a list keeps; beyond that the oldest go",
    )


class ItemField(FieldConfig):
    """A field of a catalog item: configured alike, and with the limits of catalogs."""


class EntryField(FieldConfig):
    """An array attribute of which one entry is given: it is there, or it is not."""


class RemainingFields(Strict):
    """
    One rule for the columns that nothing else names. The first rule that matches wins.

    Identifiers are never taken.
    """

    columns: str = Field(
        default="*", description="which of them, by name: `*` stands for any signs, `?` for one"
    )
    exclude: tuple[str, ...] = Field(
        default=(), description="which of these not; a pattern, or a list of patterns"
    )
    merge: Merge = "set"
    prefix: str = Field(default="", description="goes before the column's name")
    type: FieldType | None = Field(default=None, description="of all of them, as of a field")
    scale: Scale = None
    nulls: OwnNulls = ()
    on_drift: OnDrift = "overwrite"
    standard: bool = Field(default=False, description="takes Braze's standard attributes, too")


class Baseline(Strict):
    """
    Where held values come from that a strategy needs, beyond looking up what is unknown.

    Values that were learnt longer ago than ``max_age`` count as unknown. What is unknown is filled
    by an export of ``segment`` where one is named. If that is ``complete``, profiles that are
    absent from it do not exist. Braze's own files of it are removed afterwards, unless ``raw`` is
    ``keep``. ``complete``, ``raw`` and ``completion`` are about the segment, so they need one.
    """

    max_age: Duration | None = Field(
        default=None, description="how old a value may be; any age if left out"
    )
    segment: str | None = Field(
        default=None, description="its name or id; if left out, everybody is looked up"
    )
    complete: bool = Field(
        default=False, description="with `true`, who is not in the segment does not exist"
    )
    raw: Raw = Field(
        default="remove",
        description="what becomes of the files that Braze itself wrote for the export",
    )
    completion: Completion = Field(
        default=Completion(), description="how to know that the export is complete"
    )


PROPERTY = "properties."
"""Goes before the name of a property, where the parts of an object are named."""
ITEM_FIELD = "fields."
"""Likewise before that of a field of a catalog item: it is none of Braze's own attributes."""
ITEM_GONE = "deleted"
"""What a row of a job that deletes items says of each; no field of an item is called so."""
_TYPES: dict[str, FieldType] = {
    "name": "string",
    "product": "string",
    "price": "float",
    "currency": "string",
    "quantity": "integer",
    "time": "datetime",
}
"""The parts of an event and a purchase, and what each is."""


def kept_by_braze(prefix: str, object_: ObjectName) -> list[str]:
    """List patterns of columns that cannot be a property under their own name."""
    return [] if prefix else [*sorted(RESERVED.get(object_, ())), "$*"]


def _cells_of_state(spec: Subscription | None, state: GroupState) -> dict[str, FieldConfig]:
    """Name what is read of a row that is about a state: the group, if there are any, and it."""
    cells = {"state": FieldConfig.model_validate({"from": state.from_, "type": "string"})}
    if spec is None:
        return cells
    group = FieldConfig.model_validate(spec.group.as_type("string"))
    return {"group": group, **cells}


class ImportJob(AnyJob):
    """Changed profile files from the bucket into Braze."""

    type: Literal["import"] = Field(description="what kind of job this is")
    object: ObjectName = Field(default="attributes", description="what a row becomes")
    event: Event | None = Field(default=None, description="of `object: events`: the event")
    purchase: Purchase | None = Field(
        default=None, description="of `object: purchases`: the purchase"
    )
    catalog: CatalogName = None
    mode: Mode = "upsert"
    item_id: ItemId = Field(default=None, alias="id")
    confirm_deletes: ConfirmDeletes = False
    order: Order | None = Field(default=None, description="of `object: orders`: the order")
    alias: NewAlias | None = Field(
        default=None, description="of `object: aliases`: the name that a person gets"
    )
    identify: Identify | None = Field(
        default=None, description="of `object: identify`: the external id that a person gets"
    )
    merge: PersonMerge | None = Field(
        default=None, description="of `object: merges`: which profile is left, and which goes"
    )
    rename: Rename | None = Field(
        default=None, description="of `object: renames`: from which external id to which"
    )
    subscription: Subscription | None = Field(
        default=None, description="of `object: subscriptions`: the group and the state"
    )
    state: EmailState | None = Field(
        default=None,
        description="of `object: email_state`: the column of the state, and its words",
    )
    audience: Audience | None = Field(
        default=None, description="of `object: audience`: what membership becomes"
    )
    action: Action | None = Field(
        default=None,
        description="of `object: audience`: the column that says who comes and who goes, its words",
    )
    row_id: RowId = None
    on_unknown: WhenUnknown = "hold"
    on_invalid: WhenInvalid = None
    source: Source = Field(description="which files, and how their text is understood")
    match: tuple[Match, ...] = Field(
        default=(),
        description=(
            "which columns name the profile, in order: the first with a value does; needed, but"
            " not with `object: catalog_items`"
        ),
    )
    on_ambiguous: OnAmbiguous = Field(
        default="reject",
        description=(
            "what happens to a row whose e-mail address or phone number several profiles have:"
            " `reject` looks up those that nobody knows yet, `most_recent` leaves the choice to"
            " Braze"
        ),
    )
    create_missing: bool = Field(
        default=True,
        description="with `false`, only profiles that Braze has are updated, and none is created",
    )
    may_resubscribe: MayResubscribe = False
    only_if: dict[str, str | tuple[str | int | float | bool, ...]] = Field(
        default={},
        description=(
            "by attribute, values of which Braze must have one, so that a row counts; others are"
            " skipped, and so are people whom Braze does not know. A text as `segment` is the"
            " segment that they must be in"
        ),
    )
    fields: dict[str, FieldConfig] = Field(
        default={}, description="how each attribute of Braze is made and merged, by its name"
    )
    remaining_fields: tuple[RemainingFields, ...] = Field(
        default=(), description="rules for the columns that nothing else names; not taken if none"
    )
    baseline: Annotated[
        Annotated[Literal["lookup", "assume_empty"], Tag("text")]
        | Annotated[Baseline, Tag("mapping")],
        text_or(Baseline),
    ] = Field(
        default="lookup",
        description=(
            "where values come from that a strategy needs and nobody knows: `lookup` asks Braze,"
            " `assume_empty` takes profiles that were never seen for empty"
        ),
    )
    guards: Guards = Field(
        default=Guards(),
        description="what a run may do before it waits for a person; anything if left out",
    )
    after: After = Field(
        default=After(), description="what is written for whoever dropped a file, beside its folder"
    )
    mask: Masked = ()
    delivery: Delivery = Field(
        default=Delivery(), description="how what a run sends is looked after"
    )
    max_rows_per_run: int = Field(
        default=5_000_000, ge=1, description="a run takes whole files until it has so many rows"
    )

    @property
    def watched_by(self) -> Guards:
        """The guards of the job, those included that watch snapshots unless the job says so."""
        usual = {"max_leavers_percent": 20.0, "empty_file": "hold"}
        missing = {k: v for k, v in usual.items() if k not in self.guards.model_fields_set}
        return self.guards.model_copy(update=missing if self.source.is_snapshot else {})

    @property
    def match_columns(self) -> tuple[str, ...]:
        """All columns that name profiles, or items, each once."""
        named = [column for each in self.match for column in each.columns]
        of_item = filter(None, (self.catalog_column, self.item_id))
        return tuple(dict.fromkeys([*named, *of_item]))

    @property
    def one_catalog(self) -> str:
        """The catalog of all items; empty if a column names that of each, or if there are none."""
        return self.catalog if isinstance(self.catalog, str) else ""

    @property
    def catalog_column(self) -> str | None:
        """The column that names the catalog of each item; None if there is no such column."""
        return self.catalog.from_ if isinstance(self.catalog, CatalogColumn) else None

    @property
    def row_name(self) -> str | None:
        """The column of what is sent exactly once: the row, or the order that it is a line of."""
        return self.row_id if self.order is None else self.order.id

    @property
    def by_external_id(self) -> bool:
        """Whether one ``external_id`` alone names the profiles."""
        return len(self.match) == 1 and self.match[0].external_id is not None

    @property
    def gates(self) -> Mapping[str, tuple[str | int | float | bool, ...]]:
        """The values of ``only_if`` by attribute, without the segment."""
        return {name: values for name, values in self.only_if.items() if isinstance(values, tuple)}

    @property
    def gate_segment(self) -> str | None:
        """The segment of ``only_if``; None if it names none."""
        return next((name for name in self.only_if.values() if isinstance(name, str)), None)

    @property
    def cells(self) -> Mapping[str, FieldConfig]:
        """What is read of a row, by name: its attributes, or the parts of its object."""
        if self.order is not None:
            named_parts = self.order.parts().items()
            return {name: FieldConfig.model_validate(part) for name, part in named_parts}
        if self.call is not None:
            return {
                name: FieldConfig.model_validate({**part, "type": "string", "trim": "from" in part})
                for name, part in self.call.cells.items()
            }
        words = self._words
        if words is not None:
            return words
        spec = self.event or self.purchase
        if self.object == "catalog_items":
            gone = {ITEM_GONE: ItemField(value=True)} if self.mode == "delete" else {}
            return gone | {ITEM_FIELD + name: self._item_field(name) for name in self.fields}
        if spec is None:
            return self.fields
        named = {name: cell for name in _TYPES if (cell := getattr(spec, name, None)) is not None}
        parts = {name: cell.as_type(_TYPES[name]) for name, cell in named.items()}
        parts |= {
            PROPERTY + name: cell.model_dump(by_alias=True, exclude_unset=True)
            for name, cell in spec.properties.items()
        }
        return {name: FieldConfig.model_validate(part) for name, part in parts.items()}

    @property
    def _words(self) -> Mapping[str, FieldConfig] | None:
        """What is read of a row that says something in words; None of any other."""
        if self.action is not None:
            told = {"from": self.action.from_, "type": "string"}
            return {ACTION: FieldConfig.model_validate(told)}
        state = self.subscription.state if self.subscription is not None else self.state
        return None if state is None else _cells_of_state(self.subscription, state)

    def does_without(self, name: str) -> bool:
        """Return whether what a row becomes is whole without one of its ``cells``."""
        if self.object in ("attributes", "catalog_items"):
            return self.mode != "replace"
        return name.startswith((PROPERTY, METADATA, PRODUCT + METADATA))

    def _item_field(self, name: str) -> ItemField:
        """Read a field of an item; where items are replaced, an empty cell is no value."""
        field = self.fields[name]
        said = field.model_dump(by_alias=True, exclude_unset=True)
        if field.value is None:
            said["from"] = field.from_ or name
            said |= {"merge": "clear"} if self.mode == "replace" else {}
        return ItemField.model_validate(said)

    @property
    def remaining_cells(self) -> tuple[RemainingFields, ...]:
        """Rules for the columns that ``cells`` does not name."""
        spec = self.event or self.purchase
        if self.object == "catalog_items":
            forced = {"merge": "clear"} if self.mode == "replace" else {}
            return tuple(
                block.model_copy(
                    update={"prefix": ITEM_FIELD + block.prefix, "standard": True, **forced}
                )
                for block in self.remaining_fields
            )
        if spec is None:
            return self.remaining_fields
        rest = spec.remaining_properties
        if rest is None:
            return ()
        block = RemainingFields(
            columns=rest.columns,
            exclude=(*rest.exclude, *kept_by_braze(rest.prefix, self.object)),
            prefix=PROPERTY + rest.prefix,
            standard=True,
        )
        return (block,)

    @property
    def call(self) -> Rename | NewAlias | PersonMerge | Identify | None:
        """What a row does with people as such; None if it becomes something else."""
        return self.rename or self.alias or self.merge or self.identify

    @property
    def calls_people(self) -> bool:
        """Whether a row does something with people as such."""
        return self.object in CALLS or self.object == "deletions"

    @property
    def kind(self) -> str:
        """What a row becomes, where one kind of object is several: what membership becomes."""
        if self.audience is not None and self.audience.events is not None:
            return f"{self.object}_events"
        if self.audience is not None and self.cohort is not None:
            return f"{self.object}_cohort" if self.cohort_alone else f"{self.object}_and_cohort"
        return self.object

    @property
    def cohort_alone(self) -> bool:
        """Whether it gives people to a cohort, and writes nothing else."""
        return self.cohort is not None and self.audience is not None and not self.audience.names

    @property
    def cohort(self) -> AudienceCohort | None:
        """The cohort that it gives people to; None if there is none."""
        return self.audience.cohort if self.audience is not None else None

    @property
    def written(self) -> frozenset[str]:
        """The attributes that it names to be written."""
        return frozenset([*self.fields, *(self.audience.names if self.audience else ())])

    @property
    def creates(self) -> bool:
        """Whether what Braze does not have is made."""
        return self.create_missing and self.mode != "update" and self.cohort is None

    @property
    def assumes_empty(self) -> bool:
        """Whether profiles never seen are taken for empty."""
        return self.baseline == "assume_empty"

    @property
    def max_age(self) -> timedelta | None:
        """How old a held value may be before it is looked up again; None: any age."""
        return self.baseline.max_age if isinstance(self.baseline, Baseline) else None
