"""An import job: files of the bucket into Braze, field by field."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from exchanger.braze.limits import LONGEST_LIST
from exchanger.config.models.base import ColumnName, Duration, FieldType, Raw, Strict
from exchanger.config.models.jobs import (
    Completion,
    Description,
    Enabled,
    Expected,
    Labels,
    Scheduled,
    Urgency,
    UsedConnection,
)
from exchanger.config.models.matching import Match, OnAmbiguous

StrategyName = Literal["set", "add", "sum", "set_if_empty", "clear", "remove", "highest", "lowest"]
DriftPolicy = Literal["overwrite", "keep", "quarantine"]
"""What a run does to a field that somebody else changed in Braze since it was delivered."""
ItemType = Literal["string", "integer", "float", "boolean", "date", "datetime"]

NEEDS_HELD: frozenset[StrategyName] = frozenset(
    {"sum", "add", "remove", "set_if_empty", "highest", "lowest"}
)
"""Strategies whose result depends on what Braze has now (law 10)."""

Merge = Annotated[
    StrategyName, Field(description="how it is combined with what Braze has: the strategy")
]
Scale = Annotated[
    int | None, Field(ge=0, le=15, description="decimal places of a `decimal`, which needs them")
]
OwnNulls = Annotated[
    tuple[str, ...],
    Field(description='texts that mean "empty" here alone, beside those of `source`'),
]
OnDrift = Annotated[
    DriftPolicy,
    Field(description="what happens where somebody else changed the value in Braze"),
]


class Source(Strict):
    """
    Which files an import job reads, and how their text is understood.

    Texts that stand for a missing identifier (``null``, ``#N/A``, ``undefined``, a dash) and
    numbers that were rounded (``4.9E+12``) name nobody, unless ``placeholders`` is ``allow``.
    """

    prefix: str = Field(description="the folder of the bucket")
    pattern: str = Field(
        default="**",
        description=(
            "which names below the folder count: `*` stays within a folder, `**` goes through"
            " folders"
        ),
    )
    format: Literal["auto", "parquet", "csv", "ndjson"] = Field(
        default="auto", description="of files where neither the name nor the content tells"
    )
    order_by: ColumnName | None = Field(
        default=None,
        description=(
            "the column by which rows of one profile apply; the order in which files arrive and"
            " in the file if left out"
        ),
    )
    timezone: str = Field(default="UTC", description="of times without one")
    nulls: tuple[str, ...] = Field(
        default=(), description='texts that mean "empty", such as `NULL`'
    )
    placeholders: Literal["reject", "allow"] = Field(
        default="reject",
        description=(
            "`allow` takes `null`, `#N/A`, `undefined`, `4.9E+12` and the like as identifiers"
        ),
    )
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="of CSV")


class FieldConfig(Strict):
    """
    How one Braze attribute is made from a column (or a static value) and merged.

    A text in its place is the strategy alone: ``first_name: set``. ``split``, ``items``,
    ``max_items`` and ``ordered`` are of lists alone, ``too_long`` of text, ``nan`` of numbers.
    """

    from_: ColumnName | None = Field(
        default=None, alias="from", description="the column; that of the field's name if left out"
    )
    value: str | int | float | bool | None = Field(
        default=None, description="the same for everybody, in place of a column"
    )
    merge: Merge = "set"
    type: FieldType | None = Field(
        default=None,
        description=(
            "of the value; if left out that of Parquet, else it is told from the whole column"
            " and kept. `add` and `remove` always have `list`"
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


def _kind_of_baseline(content: Any) -> str:
    return "mapping" if isinstance(content, dict | Baseline) else "text"


class ImportJob(Strict):
    """Changed profile files from the bucket into Braze."""

    type: Literal["import"] = Field(description="what kind of job this is")
    connection: UsedConnection = None
    enabled: Enabled = True
    description: Description = ""
    labels: Labels = ()
    schedule: Scheduled = None
    expect: Expected = None
    priority: Urgency = "normal"
    object: Literal["attributes"] = Field(default="attributes", description="what is imported")
    source: Source = Field(description="which files, and how their text is understood")
    match: tuple[Match, ...] = Field(
        min_length=1,
        description="which columns name the profile, in order: the first with a value does",
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
    fields: dict[str, FieldConfig] = Field(
        default={}, description="how each attribute of Braze is made and merged, by its name"
    )
    remaining_fields: tuple[RemainingFields, ...] = Field(
        default=(), description="rules for the columns that nothing else names; not taken if none"
    )
    baseline: Annotated[
        Annotated[Literal["lookup", "assume_empty"], Tag("text")]
        | Annotated[Baseline, Tag("mapping")],
        Discriminator(_kind_of_baseline),
    ] = Field(
        default="lookup",
        description=(
            "where values come from that a strategy needs and nobody knows: `lookup` asks Braze,"
            " `assume_empty` takes profiles that were never seen for empty"
        ),
    )
    max_rows_per_run: int = Field(
        default=5_000_000, ge=1, description="a run takes whole files until it has so many rows"
    )

    @property
    def match_columns(self) -> tuple[str, ...]:
        """All columns that name profiles, each once."""
        return tuple(dict.fromkeys(column for each in self.match for column in each.columns))

    @property
    def by_external_id(self) -> bool:
        """Whether one ``external_id`` alone names the profiles."""
        return len(self.match) == 1 and self.match[0].external_id is not None

    @property
    def assumes_empty(self) -> bool:
        """Whether profiles never seen are taken for empty."""
        return self.baseline == "assume_empty"

    @property
    def max_age(self) -> timedelta | None:
        """How old a held value may be before it is looked up again; None: any age."""
        return self.baseline.max_age if isinstance(self.baseline, Baseline) else None
