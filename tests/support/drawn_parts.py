"""Runs as Hypothesis draws them: what holds for all parts, and some parts with all they need."""

from dataclasses import dataclass

import polars as pl
from hypothesis import strategies as st

from exchanger.profiles.merging.contributions import corrected, negated
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import needs_lookup
from exchanger.profiles.planning.part import PartInput, PlanOptions
from support.merge_cases import PROFILES, cases, given_frame, held_frame, rules_of

NOTHING_BACK = pl.DataFrame(schema={"@profile": pl.String, "@file": pl.UInt32})
orders = st.none() | st.integers(-3, 3)
maybe = st.sampled_from((True, False, None))


@dataclass(frozen=True)
class DrawnRun:
    """A run in parts, which begin with different files but follow the same rules."""

    terms: PlanOptions
    parts: list[PartInput]


@st.composite
def runs(draw):
    """One to four parts, whose rules have a field for every strategy."""
    first = draw(cases())
    specs = first[0]
    drawn = [first, *draw(st.lists(cases(specs), max_size=3))]
    terms = PlanOptions(rules_of(specs), draw(st.booleans()), draw(st.booleans()))
    ordered = draw(st.booleans())
    parts = [draw(partitions(case, terms, ordered=ordered)) for case in drawn]
    return DrawnRun(terms, parts)


@st.composite
def partitions(draw, case, terms, *, ordered):
    """Rows, what is taken back, what is held, what was looked up, and the orders before."""
    specs, rows, held, answers = case
    given = given_frame(specs, rows)
    applied = None
    if ordered:
        given = given.with_columns(column("@order", draw, orders, given.height, pl.Int64))
        applied = pl.DataFrame(
            [
                pl.Series("@profile", PROFILES),
                column("@order", draw, orders, len(PROFILES), pl.Int64),
                column("order:set", draw, st.sampled_from((True, None)), len(PROFILES)),
            ]
        )
    corrections = draw(st.just(NOTHING_BACK) | taken_back(given))
    folded = corrected(fold(given, terms.rules), corrections, terms.rules)
    exists = column("@exists", draw, maybe, len(PROFILES))
    known = held_frame(specs, held).with_columns(exists)
    asked = needs_lookup(folded, known, terms.rules, assume_empty=terms.assume_empty)
    looked_up = held | {pair: answers[pair] for pair in asked.iter_rows()}
    seen = held_frame(specs, looked_up).with_columns(exists)
    return PartInput(given, corrections, folded, known, seen, applied)


@st.composite
def taken_back(draw, given):
    """What earlier versions of the last file gave to the sum, taken back."""
    amounts = st.none() | st.integers(-5, 5)
    gave = column("sum", draw, amounts, len(PROFILES), given.schema["sum"])
    return negated(pl.DataFrame([pl.Series("@profile", PROFILES), gave]), position=2)


def column(name, draw, values, height, dtype=pl.Boolean):
    """Draw a column."""
    cells = draw(st.lists(values, min_size=height, max_size=height))
    return pl.Series(name, cells, dtype=dtype, strict=False)
