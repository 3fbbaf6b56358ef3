"""Who passes a gate, and of whom it has to be looked up."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.profiles.people.gates import gates_of, shut_out, unknown_gates

GATES = gates_of({"state": ["opted_in", "subscribed"], "level": [2, 3.5, True]})


def known(state, level, exists: bool | None = True):
    return pl.DataFrame(
        {"@profile": ["p"], "@exists": [exists], "state": [state], "level": [level]},
        schema_overrides={"@exists": pl.Boolean, "state": pl.String, "level": pl.String},
    )


@pytest.mark.parametrize(
    ("state", "level", "exists", "passes", "asked"),
    [
        ('"opted_in"', "2", True, True, []),
        ('"subscribed"', "3.5", None, True, []),
        ('"subscribed"', "true", True, True, []),
        ('"unsubscribed"', "2", True, False, []),
        ('"opted_in"', "null", True, False, []),
        ('"opted_in"', '"2"', True, False, []),
        ("null", "null", False, False, []),
        ('"opted_in"', "2", False, False, []),
        (None, "2", True, False, ["state"]),
        ("?", "2", True, False, ["state"]),
        (None, None, None, False, ["state", "level"]),
    ],
)
def test_a_profile_at_its_gates(state, level, exists, passes, asked):
    """Every gate wants one of its values; what is unknown is asked for, and lets nobody pass."""
    folded = pl.DataFrame({"@profile": ["p"]})
    held = known(state, level, exists)
    assert passes == shut_out(folded, held, GATES).is_empty()
    assert [("p", name) for name in asked] == unknown_gates(folded, held, GATES).rows()


def test_a_stranger_is_looked_up():
    """Of whom nothing is held, everything is asked; without gates everybody passes."""
    folded = pl.DataFrame({"@profile": ["p"]})
    nobody = known(None, None).clear()
    assert 2 == unknown_gates(folded, nobody, GATES).height
    assert ["p"] == shut_out(folded, nobody, GATES).to_list()
    assert shut_out(folded, nobody, ()).is_empty()
