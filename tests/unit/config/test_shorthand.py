"""What is written short, and what it says in full."""

import pytest
from support.config_texts import CONNECTION, export_job, field_of, import_job, read

from exchanger.config.models import ExportJob


@pytest.mark.parametrize(
    ("fields", "merge", "column"),
    [
        ("{a: set}", "set", "a"),
        ("{a: increment}", "sum", "a"),
        ("{a: set_or_clear}", "clear", "a"),
        ("{a: {merge: increment}}", "sum", "a"),
        ("{a: {from: b}}", "set", "b"),
        ("{a: {merge: clear}}", "clear", "a"),
        ("{a: {value: crm}}", "set", None),
    ],
)
def test_short_fields_are_written_out(fields, merge, column):
    """A strategy alone, a second spelling, and a field without ``from`` say what they mean."""
    field = field_of(fields)
    assert (merge, column) == (field.merge, field.from_)


@pytest.mark.parametrize("merge", ["add", "remove"])
def test_a_list_strategy_makes_a_list(merge):
    """The type of a field that adds or removes members is list."""
    assert field_of(f"{{a: {merge}}}").type == "list"


def test_short_blocks_are_written_out():
    """One block, one pattern and one identifier need no list around them."""
    extra = "remaining_fields: {exclude: internal_*, prefix: crm_}"
    text = (CONNECTION + import_job(extra=extra)).replace(
        "[{external_id: id}]", "{external_id: id}"
    )
    job = read(text).jobs["crm"]
    assert [block.exclude for block in job.remaining_fields] == [("internal_*",)]
    assert job.match[0].external_id == "id"


def test_an_export_column_may_be_a_path_alone():
    """A path alone is where a column comes from."""
    job = read(CONNECTION + export_job(fields="{tier: custom_attributes.tier}")).jobs["vip"]
    assert isinstance(job, ExportJob)
    assert job.fields["tier"].from_ == "custom_attributes.tier"
