from itertools import permutations

import polars as pl
import pytest

from exchanger.profiles.frames.columns import ITEM
from exchanger.state.runs.acknowledgements import PRECEDENCE, SCHEMA, Answers


def answers(*said):
    """Make answers about item 7 from outcomes; ``refused?`` is a refusal that is uncertain."""
    rows = [
        {ITEM: 7, "outcome": word.strip("?"), "reason": word, "uncertain": word.endswith("?")}
        for word in said
        if word != "ok"
    ]
    ok = pl.Series([7] * said.count("ok"), dtype=pl.UInt32).unique()
    return Answers(ok, pl.DataFrame(rows, schema=SCHEMA))


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        (("ok", "refused"), None),
        (("ok", "no_effect", "refused?"), "no_effect"),
        (("ok", "unknown", "withheld"), None),
        (("refused", "unknown"), "refused"),
        (("refused", "withheld"), "refused"),
        (("unknown", "withheld"), "unknown"),
        (("refused", "refused?"), "refused?"),
        (("withheld", "unknown?", "refused"), "refused"),
    ],
)
def test_of_several_outcomes_one_counts_whatever_was_read_first(said, counts):
    """The order of precedence is written down; of refusals the uncertain one counts."""
    for order in permutations(said):
        found = answers(*order)
        assert [7] == found.items.to_list()
        assert [counts] * (counts is not None) == found.others["reason"].to_list()


def test_every_outcome_has_its_place():
    """No outcome ranks by chance."""
    assert len(set(PRECEDENCE)) == len(PRECEDENCE) == 5
