"""The table of what runs changed, in a folder."""

from datetime import UTC, datetime

import polars as pl
import pytest

from exchanger.outside.delta.table import Table
from exchanger.state.changes import Changes, month_of, months_between
from exchanger.state.names import StateNames

JULY, AUGUST = datetime(2026, 7, 31, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
LONG = ("seq", "@profile", "field", "before", "wanted", "outcome", "@file", "@row")


class Folder:
    """A bucket of tables alone."""

    def __init__(self, path):
        self.table = lambda prefix: Table(str(path / prefix), {})


@pytest.fixture
def changes(tmp_path):
    return Changes(Folder(tmp_path), StateNames("s/"))


def rows(*profiles, **sides):
    return pl.DataFrame(
        {"@profile": profiles, "outcome": ["accepted"] * len(profiles)}
        | {"@file": [0] * len(profiles), "@row": range(1, len(profiles) + 1)}
        | {name.replace("_", ":", 1): values for name, values in sides.items()},
        schema_overrides={"@file": pl.UInt32, "@row": pl.UInt32},
    ).with_columns(pl.col(name.replace("_", ":", 1)).cast(pl.String) for name in sides)


def test_a_run_is_recorded_once_and_read_field_by_field(changes):
    """Whatever one run speaks of, and another does not; names of fields may have any sign."""
    first = rows("a", "b", before_A=[None, "1"], wanted_A=["2", None])
    for _ in range(2):
        changes.record(lambda: iter([first]), seq=1, at=JULY)
    changes.record(lambda: iter([rows("a", before_a=["3"], wanted_a=["4"])]), seq=2, at=JULY)
    found = changes.of_profiles(pl.Series(["a", "b", "c"]), month="2026-07")
    assert LONG == tuple(found.columns)
    assert [
        (1, "a", "A", None, "2", "accepted", 0, 1),
        (2, "a", "a", "3", "4", "accepted", 0, 1),
    ] == found.rows()
    later = changes.of_profiles(pl.Series(["a"]), month="2026-07", after=1)
    assert [2] == later["seq"].to_list()
    [one] = changes.of_run(1, at=JULY, objects=2)
    assert ["A"] == one["field"].to_list()
    assert 2 == sum(part.height for part in changes.of_run(2, at=JULY, objects=10**6)) + 1


def test_a_month_has_a_table_of_its_own(changes):
    """A run is in the month in which it was answered, whenever it is recorded."""
    changes.record(lambda: iter([rows("a", before_a=["3"], wanted_a=["4"])]), seq=1, at=JULY)
    assert changes.of_profiles(pl.Series(["a"]), month="2026-08") is None
    assert ["2025-12", "2026-01", "2026-02"] == months_between("2025-12", "2026-03")
    assert [] == months_between(month_of(AUGUST), month_of(JULY))
