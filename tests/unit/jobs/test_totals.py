"""Whether what would be added by now goes beyond what a person was shown."""

from __future__ import annotations

import pytest

from exchanger.app.messages.notes.words import in_words
from exchanger.jobs.intake.totals import exceed, note_totals

CASES = [
    # shown, by now, whether it goes beyond
    ({"spend": "10"}, {"spend": "10"}, False),
    ({"spend": "10"}, {"spend": "9.99"}, False),
    ({"spend": "10"}, {"spend": "0"}, False),
    ({"spend": "10"}, {"spend": "10.01"}, True),
    ({"spend": "10"}, {"spend": "-1"}, True),
    ({"spend": "-10"}, {"spend": "-10"}, False),
    ({"spend": "-10"}, {"spend": "-3"}, False),
    ({"spend": "-10"}, {"spend": "-11"}, True),
    ({"spend": "-10"}, {"spend": "1"}, True),
    ({"spend": "0"}, {"spend": "0.5"}, True),
    ({}, {"spend": "0"}, False),
    ({}, {"spend": "1"}, True),
    ({"spend": "10", "visits": "2"}, {"spend": "10", "visits": "3"}, True),
    ({"spend": "10", "visits": "2"}, {}, False),
    ({"spend": "9223372036854775808"}, {"spend": "9223372036854775809"}, True),
]


@pytest.mark.parametrize(("shown", "now", "beyond"), CASES)
def test_totals_between_nothing_and_what_was_shown_are_agreed_to(shown, now, beyond):
    """Less in the same direction is fine; more, the other direction, or a new field is not."""
    assert beyond is exceed(now, shown)


def test_each_total_is_a_sentence():
    """A person reads the field and the number as it would be added."""
    [note] = note_totals({"spend": "12.5"})
    assert "spend: 12.5 would be added in all, over all profiles." == in_words(note)
