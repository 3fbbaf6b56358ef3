from collections import Counter

import pytest
from hypothesis import given, settings
from support import oracle
from support.merge_cases import (
    CELLS,
    SAME_EVERY_TIME,
    advance,
    cases,
    check,
    comparable_text,
    given_frame,
    held_frame,
    plain_or_empty,
    rules_of,
    small,
)

from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge


@settings(SAME_EVERY_TIME, max_examples=40)
@given(cases())
def test_files_one_by_one_end_where_files_together_end(case):
    """Applying a file, holding the result and applying the next equals applying both at once."""
    specs, rows, held, answers = case
    rows = small(rows)
    roomy = {
        name: oracle.Field(name, spec.type, spec.scale, ordered=spec.ordered)
        for name, spec in specs.items()
    }
    rules = rules_of(roomy)
    start = held_frame(roomy, {pair: plain_or_empty(answers[pair]) for pair in held})
    together = advance(start, merge(fold(given_frame(roomy, rows), rules), start, rules))
    state = start
    for file in range(3):
        part = [row for row in rows if row[1] == file]
        if part:
            state = advance(state, merge(fold(given_frame(roomy, part), rules), state, rules))
    for name, spec in roomy.items():
        one, other = (
            [comparable_text(text, spec) for text in frame[name]] for frame in (together, state)
        )
        assert one == other, name


@settings(SAME_EVERY_TIME, max_examples=40)
@given(cases())
def test_merging_again_changes_nothing(case):
    """What was wanted and is now held needs nothing more, but for sums and removals."""
    specs, rows, held, answers = case
    rules = [rule for rule in rules_of(specs) if rule.merge != "sum"]
    known = {
        pair: answers[pair] if value is oracle.UNKNOWN else value for pair, value in held.items()
    }
    folded = fold(given_frame(specs, rows), rules)
    start = held_frame(specs, known)
    again = merge(folded, advance(start, merge(folded, start, rules)), rules)
    assert 0 == again.counts.fields_changed


@pytest.mark.long(31)
def test_merge_equals_the_oracle_in_every_cell_of_the_table():
    """
    Folding and merging whole frames gives what plain Python gives row by row, and every strategy
    met held values that are unknown, empty, of another type and over a limit.
    """
    met = Counter()

    @settings(SAME_EVERY_TIME, max_examples=150)
    @given(cases())
    def law(case):
        check(case, met)

    law()
    assert set() == CELLS - set(met)
