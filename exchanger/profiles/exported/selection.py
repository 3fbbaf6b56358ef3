"""
What an export job asks of Braze, and which columns it makes of the answer.

Terminology:
  - PATH: where a value is found in an exported user, ``email`` or ``custom_attributes.pref.color``.
  - NAMED column: one that the job's ``fields`` names.
  - REMAINING column: a custom attribute that nothing names, under its own name.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchanger.braze.attributes import EXPORTED
from exchanger.braze.limits import ATTRIBUTES_PER_EXPORT
from exchanger.config.models import ExportField, ExportJob, FieldType

CUSTOM = "custom_attributes"
BRAZE_ID = "braze_id"


@dataclass(frozen=True)
class ExportColumn:
    """
    One named column of a dataset.

    Args:
        name: The column.
        path: Where its value is found in an exported user.
        type: The type that its values must fit; None: whatever is observed.
        scale: Decimal places of a ``decimal`` column.
    """

    name: str
    path: str
    type: FieldType | None = None
    scale: int = 0

    @property
    def field(self) -> str:
        """The exported field that holds the value: the first word of the path."""
        return self.path.partition(".")[0]

    @property
    def inner(self) -> str:
        """The rest of the path; empty when the column is the entire field."""
        return self.path.partition(".")[2]


@dataclass(frozen=True)
class Selection:
    """
    The columns of a dataset.

    Args:
        columns: The named columns, in order.
        remaining_prefix: Before the names of remaining columns; None: there are none.
    """

    columns: tuple[ExportColumn, ...]
    remaining_prefix: str | None = None

    def covers(self, attribute: str) -> bool:
        """Return whether a named column is this entire custom attribute."""
        return any(c.field == CUSTOM and c.inner == attribute for c in self.columns)


@dataclass(frozen=True)
class FieldsToExport:
    """What to put into the request (braze-api.md 4.1), each list sorted."""

    fields: tuple[str, ...]
    custom_attributes: tuple[str, ...] = ()


def selection_of(job: ExportJob) -> Selection:
    """Return the columns of an export job."""
    columns = tuple(_column(column, field) for column, field in job.fields.items())
    remaining = job.remaining_fields
    return Selection(columns, None if remaining is None else remaining.prefix)


def fields_to_export(selection: Selection) -> FieldsToExport:
    """
    List what to ask Braze for: what the columns need, and ``braze_id`` to find duplicates by.

    All custom attributes are asked for when a column needs them all, or when there are too many
    to name. An attribute's own name may hold a dot, so for ``custom_attributes.pref.color`` both
    ``pref`` and ``pref.color`` are asked for.
    """
    fields = {c.field for c in selection.columns} | {BRAZE_ID}
    inner = [c.inner for c in selection.columns if c.field == CUSTOM]
    attributes = {name for path in inner for name in (path, path.partition(".")[0])}
    everything = selection.remaining_prefix is not None or "" in attributes
    if everything or len(attributes) > ATTRIBUTES_PER_EXPORT:
        return FieldsToExport(tuple(sorted(fields | {CUSTOM})))
    return FieldsToExport(tuple(sorted(fields - {CUSTOM})), tuple(sorted(attributes)))


def _column(name: str, field: ExportField) -> ExportColumn:
    expected = EXPORTED.get(field.from_)
    return ExportColumn(name, field.from_, field.type or expected, field.scale or 0)
