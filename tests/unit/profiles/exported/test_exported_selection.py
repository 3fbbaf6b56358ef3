"""Which columns an export has, and what is asked of Braze for them."""

from __future__ import annotations

import pytest

from exchanger.braze.attributes import EXPORTED
from exchanger.braze.limits import ATTRIBUTES_PER_EXPORT
from exchanger.config.models import ExportJob
from exchanger.profiles.exported.selection import (
    FieldsToExport,
    fields_to_export,
    selection_of,
)


def selected(fields: dict[str, str], remaining: bool = False):
    content = {
        "type": "export",
        "segment": "s",
        "fields": {name: {"from": path} for name, path in fields.items()},
        "target": {"prefix": "exports/"},
    }
    if remaining:
        content["remaining_fields"] = {"prefix": "c_"}
    return selection_of(ExportJob.model_validate(content))


@pytest.mark.parametrize(
    ("fields", "remaining", "asked"),
    [
        ({"e": "email"}, False, FieldsToExport(("braze_id", "email"))),
        (
            {"t": "custom_attributes.tier", "e": "email"},
            False,
            FieldsToExport(("braze_id", "email"), ("tier",)),
        ),
        (
            {"c": "custom_attributes.pref.color"},
            False,
            FieldsToExport(("braze_id",), ("pref", "pref.color")),
        ),
        (
            {"t": "custom_attributes.tier"},
            True,
            FieldsToExport(("braze_id", "custom_attributes")),
        ),
        (
            {"all": "custom_attributes", "t": "custom_attributes.tier"},
            False,
            FieldsToExport(("braze_id", "custom_attributes")),
        ),
    ],
)
def test_what_is_asked_for(fields, remaining, asked):
    """Only the fields and custom attributes that columns need are asked for, and braze_id."""
    assert asked == fields_to_export(selected(fields, remaining))


def test_more_attributes_than_a_request_may_name_asks_for_all():
    """Beyond 500 named custom attributes all of them are asked for."""
    fields = {f"a{n}": f"custom_attributes.a{n}" for n in range(ATTRIBUTES_PER_EXPORT + 1)}
    assert FieldsToExport(("braze_id", "custom_attributes")) == fields_to_export(selected(fields))


def test_every_exportable_field_can_be_named():
    """Each field of Braze's table is accepted as a path and gets its type."""
    columns = selected({name: name for name in EXPORTED}).columns
    assert EXPORTED == {column.name: column.type for column in columns}
