import itertools
from datetime import date

import pytest

from exchanger.config.cron import CronError, CronExpression


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("* * * * *", "minutes", set(range(60))),
        ("*/15 * * * *", "minutes", {0, 15, 30, 45}),
        ("0,30,30 * * * *", "minutes", {0, 30}),
        ("7 * * * *", "minutes", {7}),
        ("0 8-18/2 * * *", "hours", {8, 10, 12, 14, 16, 18}),
        ("0 0-5,22-23 * * *", "hours", {0, 1, 2, 3, 4, 5, 22, 23}),
        ("0 0 1,15 * *", "days_of_month", {1, 15}),
        ("0 0 * jan,Mar-MAY *", "months", {1, 3, 4, 5}),
        ("0 0 * */3 *", "months", {1, 4, 7, 10}),
        ("0 0 * * 0", "days_of_week", {0}),
        ("0 0 * * 7", "days_of_week", {0}),
        ("0 0 * * sun", "days_of_week", {0}),
        ("0 0 * * 1-5", "days_of_week", {1, 2, 3, 4, 5}),
        ("0 0 * * MON-FRI", "days_of_week", {1, 2, 3, 4, 5}),
        ("0 0 * * FRI-SUN", "days_of_week", {5, 6, 0}),
        ("0 0 * * 6-7", "days_of_week", {6, 0}),
        ("0 0 * * SUN-TUE", "days_of_week", {0, 1, 2}),
        ("0 0 * * 0-7", "days_of_week", set(range(7))),
        ("0 0 * * */2", "days_of_week", {0, 2, 4, 6}),
        ("\t0  0 * *   * ", "hours", {0}),
    ],
)
def test_a_field_holds_the_numbers_that_it_names(text, field, expected):
    """Lists, ranges, steps, names in any case and both Sundays become plain numbers."""
    assert expected == set(getattr(CronExpression.parse(text), field))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write five fields"),
        ("@daily", "write five fields"),
        ("0 3 * *", "this has 4"),
        ("0 0 3 * * *", "this has 6"),
        ("60 * * * *", "minute: 60 is not in 0-59"),
        ("0 24 * * *", "hour: 24 is not in 0-23"),
        ("0 0 0 * *", "day of month: 0 is not in 1-31"),
        ("0 0 * 13 *", "month: 13 is not in 1-12"),
        ("0 0 * * 8", "day of week: 8 is not in 0-7"),
        ("0 0 * FOO *", "month: 'FOO' is no name of a month"),
        ("MON * * * *", "minute: 'MON' is no name of a minute"),
        ("5/15 * * * *", "write 5-59/15"),
        ("59/15 * * * *", "a step of 15 does not fit into 59-59; write 59 alone"),
        ("5/90 * * * *", "a step of 90 does not fit into 5-59; write a step from 1 to 55"),
        ("*/0 * * * *", "a step of 0 does not fit into 0-59; write a step from 1 to 60"),
        ("*/90 * * * *", "0-59; write a step from 1 to 60, or 'every: 90m' in place of 'cron'"),
        ("0 */36 * * *", "0-23; write a step from 1 to 24, or 'every: 36h' in place of 'cron'"),
        ("0 0 */45 * *", "1-31; write a step from 1 to 31, or 'every: 45d' in place of 'cron'"),
        ("0 0 * */13 *", "a step of 13 does not fit into 1-12; write a step from 1 to 12"),
        ("0 8-18/20 * * *", "a step of 20 does not fit into 8-18; write a step from 1 to 11"),
        ("30-10 * * * *", "the range 30-10 runs backwards; write 30-59,0-10"),
        ("59-0 * * * *", "the range 59-0 runs backwards; write 59,0"),
        ("30-10/15 * * * *", "the range 30-10 runs backwards; write 30,45,0"),
        ("0 22-6 * * *", "hour: the range 22-6 runs backwards; write 22-23,0-6"),
        ("0 0 25-5 * *", "the range 25-5 runs backwards; write 25-31,1-5"),
        ("0 0 * NOV-FEB *", "the range NOV-FEB runs backwards; write 11-12,1-2"),
        ("0 0 * * FRI-MON", "the range FRI-MON runs backwards; write 5-6,0-1"),
        ("0 0 * * 7-2", "the range 7-2 runs backwards; write 0-2"),
        ("0 0 L * *", "is none of"),
        ("0,,5 * * * *", "'' is none of"),
        ("-5 * * * *", "is none of"),
        ("\u0661 * * * *", "is none of"),
        ("0 0 31 2 *", "has a day 31, so this would never run; write 28 or less, or name another"),
        ("0 0 30,31 FEB *", "has a day 30"),
        ("0 0 31 4,6,9,11 *", "has a day 31, so this would never run; write 30 or less"),
        ("0 0 31 2 */2", "has a day 31"),
    ],
)
def test_a_slip_is_refused_in_words(text, words):
    """What cron would misread or never run is an error that names the field and the way out."""
    with pytest.raises(CronError, match=r"\w") as caught:
        CronExpression.parse(text)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("place", "low", "size"), [(0, 0, 60), (1, 0, 24), (2, 1, 31), (3, 1, 12), (4, 0, 7)]
)
def test_what_to_write_for_a_backward_range_is_what_it_meant(place, low, size):
    """The advice on a range that runs backwards is taken, and goes on past the end of its field."""
    names = ["minutes", "hours", "days_of_month", "months", "days_of_week"]
    for first in range(low + 1, low + size):
        for last, step in itertools.product(range(low, first), (1, 2, 7)):
            words = ["0", "0", "*", "*", "*"]
            words[place] = f"{first}-{last}/{step}"
            with pytest.raises(CronError, match="; write ") as caught:
                CronExpression.parse(" ".join(words))
            words[place] = str(caught.value).partition("; write ")[2]
            length = (last - first) % size + 1
            expected = {low + (first - low + at) % size for at in range(0, length, step)}

            assert expected == set(getattr(CronExpression.parse(" ".join(words)), names[place]))


@pytest.mark.parametrize("text", ["0 0 29 2 *", "0 0 31 * *", "0 0 31 2 1", "0 0 30 2,3 *"])
def test_a_rare_date_is_accepted(text):
    """A date that exists in some year, or a weekday beside an impossible date, may be named."""
    assert text == CronExpression.parse(text).text


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("0 0 13 * FRI", date(2026, 11, 13), True),  # a Friday, the 13th
        ("0 0 13 * FRI", date(2026, 11, 20), True),  # a Friday
        ("0 0 13 * FRI", date(2026, 10, 13), True),  # a Tuesday, the 13th
        ("0 0 13 * FRI", date(2026, 10, 14), False),
        ("0 0 13 * *", date(2026, 11, 20), False),
        ("0 0 * * FRI", date(2026, 10, 13), False),
        ("0 0 */2 * FRI", date(2026, 11, 13), True),  # begins with *: both must match
        ("0 0 */2 * FRI", date(2026, 11, 20), False),
        ("0 0 1-31 * FRI", date(2026, 11, 19), True),  # written out, so restricted
        ("0 0 13 11 FRI", date(2026, 10, 13), False),  # the month binds both
        ("0 0 * * 7", date(2026, 11, 22), True),  # a Sunday
        ("0 0 * * 0", date(2026, 11, 22), True),
        ("0 0 * * 0", date(2026, 11, 23), False),
    ],
)
def test_the_two_day_fields_are_joined_by_or_when_both_are_restricted(text, day, expected):
    """Either day field is enough when both are restricted; else both hold, the month always."""
    assert expected == CronExpression.parse(text).includes(day)
