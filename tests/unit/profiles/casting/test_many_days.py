from datetime import date, timedelta

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.json_values import canonical, fragment

FIRST = date(1999, 12, 30)
DENSE = [FIRST + timedelta(days=n % 5) for n in range(20)]
FAR = [date(1, 1, 1), date(3000, 12, 31)]


@pytest.mark.parametrize("days", [DENSE, FAR, [], [None], [*DENSE, None], [None, *FAR]])
def test_days_are_spelt_alike_however_close_they_are(days):
    """A day is sent as its ISO date and kept as its midnight, in dense columns and sparse ones."""
    rule = Rule("since", "since", "date", FieldConfig(merge="set", type="date"))
    column = pl.DataFrame({"since": days}, schema={"since": pl.Date})

    sent = column.select(sent=fragment(rule, pl.col("since")))
    kept = sent.select(canonical(rule, pl.col("sent"))).to_series()

    assert [d and f'"{d.isoformat()}"' for d in days] == sent["sent"].to_list()
    assert [d and f'"{d.isoformat()}T00:00:00.000Z"' for d in days] == kept.to_list()
