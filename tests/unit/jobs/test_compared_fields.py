"""What a look at Braze tells of a field, counted over many profiles."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.jobs.observing.comparison import EXAMPLES, FieldComparison

BASE = pl.col("base")


def pairs(*values):
    """Profiles with what is expected of them, and what Braze has."""
    return pl.DataFrame(
        [(f"p{n}", base, seen) for n, (base, seen) in enumerate(values)],
        schema={"@profile": pl.String, "base": pl.String, "@seen:tier": pl.String},
        orient="row",
    )


@pytest.mark.parametrize(
    ("base", "seen", "counted"),
    [
        ('"gold"', '"gold"', (1, 0, 0)),
        ('"gold"', '"blue"', (0, 1, 0)),
        ('"gold"', "null", (0, 1, 0)),
        (None, '"gold"', (0, 0, 1)),
        ("?", '"gold"', (0, 0, 1)),
        ('"gold"', None, (0, 0, 0)),
        ('["a","b"]', '["b","a"]', (1, 0, 0)),
    ],
)
def test_a_profile_counts_as_one_of_three_or_not_at_all(base, seen, counted):
    """Equal, changed, or new; what was not looked at is none of them."""
    found = FieldComparison("tier")
    changed = found.add(pairs((base, seen)), BASE)
    assert counted == (found.equal, found.changed, found.new)
    assert [found.changed == 1] == changed.to_list()


def test_the_order_of_a_list_counts_where_it_is_said():
    """For a field that is set whole, other than for one to which others add."""
    found = FieldComparison("tier")
    found.add(pairs(('["a","b"]', '["b","a"]')), BASE, ordered=True)
    assert (0, 1) == (found.equal, found.changed)


def test_a_few_examples_are_shown_of_all_parts():
    """They name the profile and both values; later parts add some only while there are too few."""
    found = FieldComparison("tier")
    found.add(pairs(('"x"', '"x"'), ('"gold"', '"blue"')), BASE)
    found.add(pairs(*[('"old"', '"new"')] * 5), BASE)
    assert (1, 6, EXAMPLES) == (found.equal, found.changed, len(found.examples))
    assert [('"gold"', '"blue"'), *[('"old"', '"new"')] * 2] == [one[1:] for one in found.examples]
