"""Which of several states of one workspace knows a value last."""

from datetime import UTC, datetime

import polars as pl
import pytest

from exchanger.state.held.reading import with_newer

EARLY, LATE, LAST = (datetime(2026, 9, 15, 10, n, tzinfo=UTC) for n in (1, 2, 3))


def said(value, at, profile="a"):
    """What a state holds of a profile; of a field never spoken of there is no time."""
    row = {"@profile": [profile], "@exists": [True], "n": [value]}
    return pl.DataFrame(row | ({"@time:n": [at]} if at else {}), schema_overrides={"n": pl.String})


def newest(ours, *theirs):
    known = ours.select("@profile", "@exists", "n")
    return dict(with_newer(known, ours, theirs).select("@profile", "n").iter_rows())


@pytest.mark.parametrize(
    ("ours", "theirs", "known"),
    [
        (("1", LATE), [("2", EARLY)], "1"),
        (("1", EARLY), [("2", LATE)], "2"),
        (("1", EARLY), [("?", LATE)], "?"),
        (("1", EARLY), [(None, None)], "1"),
        ((None, None), [("2", EARLY)], "2"),
        (("1", LATE), [("1", LATE)], "1"),
        (("1", LATE), [("2", LATE)], None),
        (("1", EARLY), [("3", LAST), ("2", LATE)], "3"),
        (("1", EARLY), [("2", LATE), ("3", LAST)], "3"),
        # What is too old to be believed has a time, and no value.
        ((None, LATE), [("2", EARLY)], None),
        (("1", EARLY), [(None, LATE)], None),
    ],
)
def test_the_last_one_to_learn_a_value_knows_it(ours, theirs, known):
    """Two that differ in the same second know nothing; whom we never met the others may know."""
    assert {"a": known} == newest(said(*ours), *(said(*one) for one in theirs))


def test_whom_we_never_met_the_others_may_know():
    """Of a stranger, what they know is all there is."""
    assert {"a": "1", "b": "2"} == newest(said("1", EARLY), said("2", EARLY, "b"))
    nobody = said("1", EARLY).clear()
    assert {"b": "2"} == newest(nobody, said("2", EARLY, "b"))


def test_who_was_not_there_is_there_once_another_state_has_sent_them():
    """Of a value that is known later, there is somebody who has it."""
    ours = said(None, None).with_columns(pl.lit(value=False).alias("@exists"))
    [row] = with_newer(ours, ours, [said("2", LATE)]).to_dicts()
    assert (True, "2") == (row["@exists"], row["n"])
