import polars as pl
import pytest

from exchanger.profiles.spelling.canonical_reader import instants
from exchanger.profiles.spelling.times import SPELLING, read_braze_times, spell_times

DAYS = [
    "2026-09-15",
    "2024-02-29",
    "2023-02-29",
    "2000-02-29",
    "2100-02-29",
    "2026-04-30",
    "2026-04-31",
    "2026-02-30",
    "2026-12-31",
    "0999-01-01",
    "1000-01-01",
    "2026-13-01",
    "0000-01-01",
    "0001-01-01",
    "3000-12-31",
    "3001-01-01",
]
ENDS = [
    "",
    *(
        f"{mark}{clock}{end}"
        for mark in "T "
        for clock in ("10:00:00", "23:59:59", "24:00:00", "10:60:00", "10:00:60", "10:00")
        for end in ("", "Z", ".5Z", ".123Z", ".1234Z", ".123", "+02:00", ":123+0200", " ")
    ),
]
TEXTS = [
    *(f"{day}{end}" for day in DAYS for end in ENDS),
    "09/15/2026",
    "Tue 09 15 10:00:00.+02:00 2026",
    "2026-09-15T10:00:00.000Z and more",
    "",
]


def test_every_text_is_spelled_as_braze_would_spell_it_back():
    """A text that Braze reads as a time is spelled its way, quickly or not; others stay."""
    literals = pl.Series("sent", [f'"{text}"' for text in TEXTS])
    read = read_braze_times(pl.Series(TEXTS)).dt.strftime(SPELLING)
    expected = [
        literal if time is None else f'"{time}"'
        for literal, time in zip(literals, read, strict=True)
    ]

    assert expected == spell_times(literals).to_list()
    assert expected == [spell_times(pl.Series([literal])).item() for literal in literals]


@pytest.mark.parametrize("others", [[], [None, "null", "12", '["2026-09-15"]', '"a"']])
def test_what_is_no_text_stays_as_it_is(others):
    """Nulls, numbers and lists between times are not touched, and the column keeps its name."""
    column = pl.Series("sent", ['"2026-09-15"', *others], dtype=pl.String)
    spelled = spell_times(column)

    assert ['"2026-09-15T00:00:00.000Z"', *others] == spelled.to_list()
    assert ['"2026-09-15"', *others] == column.to_list()
    assert "sent" == spelled.name


def test_times_of_which_few_are_unusual_leave_what_they_were_made_of():
    """A column of times is spelled anew, whatever way each is read, and stays itself as it is."""
    texts = ['"2026-09-15T10:00:00.000Z"', '"2026-09-15T10:00:00.5Z"', '"2026-09-31"']
    column = pl.Series("sent", texts)

    spelled = spell_times(column)

    assert [texts[0], '"2026-09-15T10:00:00.500Z"', texts[2]] == spelled.to_list()
    assert texts == column.to_list()


def test_held_times_are_read_in_every_spelling():
    """What is held of a time is compared as that instant, in Braze's spelling and in any other."""
    held = pl.Series("held", [f'"{text}"' for text in TEXTS])
    read = read_braze_times(pl.Series(TEXTS))
    # What Braze has said is a time, however far away.
    known = read.is_not_null()

    assert read.filter(known).equals(instants(held).filter(known))
    assert instants(held).filter(~known).drop_nulls().dt.year().is_between(3001, 3001).all()
    assert "held" == instants(held).name
