"""Nobody who is unsubscribed is subscribed by a file, unless the job says so."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.consent import as_last_seen, to_be_asked
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge, needs_lookup

SUBSCRIBED, UNSUBSCRIBED, OPTED_IN = '"subscribed"', '"unsubscribed"', '"opted_in"'


def rule(name="email_subscribe", merge="set", *, guarded=True, kind="string"):
    return Rule(name, name, kind, FieldConfig(merge=merge, type=kind), guarded=guarded)


def folded(one, given):
    frame = pl.DataFrame(
        {"@profile": ["p"], "@file": [0], "@row": [1], one.name: [given]},
        schema_overrides={"@file": pl.UInt32, "@row": pl.UInt32, one.name: pl.String},
    )
    if one.merge == "clear":
        frame = frame.with_columns(pl.lit(value=True).alias(f"@said:{one.name}"))
    return fold(frame, [one])


def held(one, text, *, exists: bool | None = True):
    return pl.DataFrame(
        {"@profile": ["p"], "@exists": [exists], one.name: [text]},
        schema_overrides={"@exists": pl.Boolean, one.name: pl.String},
    )


@pytest.mark.parametrize(
    ("strategy", "given", "has", "sent", "withheld"),
    [
        ("set", "subscribed", UNSUBSCRIBED, None, 1),
        ("set", "opted_in", UNSUBSCRIBED, None, 1),
        ("set", "anything", UNSUBSCRIBED, None, 1),
        ("set", "unsubscribed", UNSUBSCRIBED, None, 0),
        ("set", None, UNSUBSCRIBED, None, 0),
        ("set", "unsubscribed", SUBSCRIBED, UNSUBSCRIBED, 0),
        ("set", "unsubscribed", None, UNSUBSCRIBED, 0),
        ("set", "opted_in", SUBSCRIBED, OPTED_IN, 0),
        ("set", "subscribed", SUBSCRIBED, None, 0),
        ("set", "subscribed", "null", SUBSCRIBED, 0),
        ("set_if_empty", "subscribed", UNSUBSCRIBED, None, 0),
        ("set_if_empty", "subscribed", "null", SUBSCRIBED, 0),
        ("clear", None, UNSUBSCRIBED, None, 1),
        ("clear", None, SUBSCRIBED, "null", 0),
        ("clear", "subscribed", UNSUBSCRIBED, None, 1),
    ],
)
@pytest.mark.parametrize("name", ["email_subscribe", "push_subscribe"])
def test_a_state_over_a_state(  # noqa: PLR0917 - one row of a table
    name, strategy, given, has, sent, withheld
):
    """Whoever is unsubscribed stays so; every other change goes through."""
    one = rule(name, strategy)
    result = merge(folded(one, given), held(one, has), [one])
    assert ([sent] if sent else []) == result.wanted[f"send:{name}"].to_list()
    assert withheld == result.counts.fields_withheld
    assert ["p"] * withheld == result.withheld.to_list()


@pytest.mark.parametrize("given", ["subscribed", "opted_in"])
def test_a_job_that_says_so_may_subscribe(given):
    """Without the guard a state is a value like any other."""
    one = rule(guarded=False)
    result = merge(folded(one, given), held(one, UNSUBSCRIBED), [one])
    assert ([f'"{given}"'], 0) == (
        result.wanted["send:email_subscribe"].to_list(),
        result.counts.fields_withheld,
    )


@pytest.mark.parametrize(
    ("states", "withheld"),
    [(["unsubscribed"], 0), (["subscribed"], 1), (["unsubscribed", "subscribed"], 1), ([], 0)],
)
def test_groups_that_no_export_shows_are_only_left(states, withheld):
    """An attribute of subscription groups unsubscribes, and subscribes to none of them."""
    one = rule("subscription_groups", kind="json")
    groups = ",".join(
        f'{{"subscription_group_id":"g{n}","subscription_state":"{state}"}}'
        for n, state in enumerate(states)
    )
    result = merge(folded(one, f"[{groups}]"), held(one, None), [one])
    assert (1 - withheld, withheld) == (result.wanted.height, result.counts.fields_withheld)
    assert needs_lookup(folded(one, f"[{groups}]"), held(one, None), [one]).is_empty()


@pytest.mark.parametrize(
    ("strategy", "given", "has", "asked"),
    [
        ("set", "subscribed", None, True),
        ("set", "subscribed", "?", True),
        ("set", "unsubscribed", None, False),
        ("set", None, None, False),
        ("clear", None, None, True),
        ("set", "subscribed", SUBSCRIBED, False),
    ],
)
def test_an_unknown_state_is_looked_up_before_anybody_is_subscribed(strategy, given, has, asked):
    """To unsubscribe, nothing has to be known."""
    one = rule(merge=strategy)
    needed = needs_lookup(folded(one, given), held(one, has), [one])
    assert ([("p", "email_subscribe")] if asked else []) == needed.rows()


def test_who_was_never_seen_is_no_subscriber():
    """``baseline: assume_empty`` is about values, and tells nothing of consent."""
    one = rule()
    nobody = held(one, None).clear()
    given = folded(one, "subscribed")
    assert 1 == needs_lookup(given, nobody, [one], assume_empty=True).height
    assert 0 == needs_lookup(folded(one, "unsubscribed"), nobody, [one], assume_empty=True).height


@pytest.mark.parametrize(
    ("strategy", "given", "has", "exists", "asked"),
    [
        ("set", "opted_in", SUBSCRIBED, True, True),
        ("set", "subscribed", "null", True, True),
        ("set", "subscribed", SUBSCRIBED, True, False),
        ("set", "subscribed", UNSUBSCRIBED, True, False),
        ("set", "unsubscribed", SUBSCRIBED, True, False),
        ("set", "subscribed", None, True, False),
        ("set", "subscribed", None, False, True),
        ("set_if_empty", "subscribed", SUBSCRIBED, True, False),
        ("set_if_empty", "subscribed", "null", True, True),
        ("clear", None, SUBSCRIBED, True, True),
    ],
)
def test_an_old_state_is_asked_for_where_something_would_be_sent(
    strategy, given, has, exists, asked
):
    """People unsubscribe by themselves, so what was seen once subscribes nobody later."""
    one = rule(merge=strategy)
    known = held(one, has, exists=exists)
    assert (["p"] if asked else []) == to_be_asked(folded(one, given), known, [one]).to_list()


def test_what_was_seen_just_now_counts():
    """An old state is unknown, a fresh one is taken, and an old absence is as if never seen."""
    one = rule()
    known = pl.concat(
        [held(one, has, exists=there).with_columns(pl.lit(who).alias("@profile"))
         for who, has, there in (("old", SUBSCRIBED, True), ("new", SUBSCRIBED, True),
                                 ("gone", None, False), ("other", SUBSCRIBED, True))]
    )  # fmt: skip
    fresh = pl.concat(
        [held(one, has, exists=there).with_columns(pl.lit(who).alias("@profile"))
         for who, has, there in (("old", None, True), ("new", UNSUBSCRIBED, True),
                                 ("gone", None, None))]
    )  # fmt: skip
    asked = pl.Series("@profile", ["old", "new", "gone"])
    seen = as_last_seen(known, asked, fresh, [one]).select("@profile", one.name).rows()
    assert [("old", None), ("new", UNSUBSCRIBED), ("other", SUBSCRIBED)] == seen
