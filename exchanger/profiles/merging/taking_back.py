"""
What a run changed goes back, field by field: to which value, or why it stays as it is.

Terminology:
  - OURS: the change of the run that is taken back, from *before* to *wanted*.
  - LATER: changes of runs after it, of the same field and profile. What was changed and taken back
    again is none (``in_effect``).
  - HELD: what Braze has now.

Whatever has one value goes back to the one before, if no later run changed it. A sum subtracts its
own part from today's value, and a list loses and regains the members that the run brought or took,
whatever later runs of the same kind did to others. Where held values show that somebody else
changed the value, it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from exchanger.braze.limits import LONGEST_LIST
from exchanger.profiles.frames.columns import EXISTS, PROFILE
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.consent import subscribes
from exchanger.profiles.merging.drift import differs
from exchanger.profiles.merging.fields import LARGEST
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN, members, read_held
from exchanger.profiles.spelling.json_values import EMPTY, canonical, fragment

CHANGED = pl.Schema(
    {
        PROFILE: pl.String,
        "field": pl.String,
        "before": pl.String,
        "wanted": pl.String,
        "accepted": pl.Boolean,
        "doubt": pl.Boolean,
    }
)
"""
A row for each changed field of a profile: whether Braze took the change, or may have. Of neither,
it did not happen.
"""
LATER = pl.Schema(
    [
        *CHANGED.items(),
        ("seq", pl.Int64()),
        ("strategy", pl.String()),
        ("takes_back", pl.Int64()),
    ]
)
"""Likewise, with its run, how that merged the field, and which run it took back; 0 for none."""
DECIDED = pl.Schema(
    {
        PROFILE: pl.String,
        "before": pl.String,
        "wanted": pl.String,
        "why": pl.String,
        "run": pl.Int64,
    }
)
"""
A row for each profile: the value now and the one that it goes back to, or ``why`` it stays as it
is, and because of which later run.
"""

_MEMBERS = pl.List(pl.String)
_ADDED, _LISTED = ("sum",), ("add", "remove")
"""Strategies that leave room for what others of the same kind did."""
_HELD, _BEFORE, _WANTED = pl.col("held"), pl.col("before"), pl.col("wanted")


def in_effect(later: pl.DataFrame, run: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Find what later runs changed and nobody took back.

    Args:
        later: ``LATER``.
        run: The run that is to be taken back.

    Returns:
        The rows of ``LATER`` that are left, without those that took back the run itself, and these.
    """
    takes_back = later.filter(pl.col("takes_back") > 0).select("seq", "takes_back").unique()
    pair = [PROFILE, "field"]
    for seq, other in takes_back.sort("seq", descending=True).iter_rows():
        sure = pl.col("accepted")
        theirs = later.filter(sure, seq=seq).select(pair)
        both = later.filter(sure, seq=other).select(pair).join(theirs, on=pair)
        gone = pl.col("seq").is_in([seq, other]) & sure
        rows = later.filter(gone).join(both, on=pair, how="anti")
        later = pl.concat([later.filter(~gone), rows])
    of_ours = pl.col("takes_back") == run
    return later.filter(~of_ours), later.filter(of_ours)


def taken_back(rule: Rule, ours: pl.DataFrame, later: pl.DataFrame, run: int) -> pl.DataFrame:
    """
    Decide about one field.

    Args:
        rule: The field, as the run merged it.
        ours: ``CHANGED`` of the run, all of this field: several of a person whom it named by
            several keys, in an order that nobody knows; with ``held`` (canonical; null is
            unknown), ``@exists``, ``met``: whether it is only known now who is meant, and of a
            sum ``gave``: what files gave, typed; null if it is not known.
        later: ``LATER``, all of this field.
        run: The run.

    Returns:
        ``DECIDED``, in the order of *ours*.
    """
    of_kind = _ADDED if rule.merge in _ADDED else _LISTED if rule.merge in _LISTED else ()
    left, done = in_effect(later, run)
    told = _summary(left, done, later, of_kind)
    cells = ours.join(told, on=PROFILE, how="left", maintain_order="left").with_columns(
        pl.coalesce("expected", "wanted").alias("expected")
    )
    alone = pl.col("beside").is_null() & ~_differs(rule, _WANTED, _HELD)
    target = TARGETS.get(rule.merge, _of_value)(rule, alone)
    held = pl.when(_HELD != UNCERTAIN).then(_HELD)
    doubtful = pl.col("doubted").is_not_null() & (
        pl.col("beside").is_not_null() | _differs(rule, _WANTED, _HELD)
    )
    subscribing = subscribes(rule, pl.col("target")) if rule.guarded else pl.lit(value=False)
    reasons: Mapping[str, pl.Expr] = {
        "in_doubt": pl.col("doubt"),
        "done": pl.col("done").is_not_null(),
        "several_keys": pl.len().over(PROFILE) > 1,
        "unknown_before": _BEFORE.is_null(),
        "gone": ~pl.col(EXISTS).fill_null(value=True),
        "later": pl.col("over").is_not_null(),
        "met": pl.col("met"),
        "unknown_now": held.is_null(),
        "later_in_doubt": doubtful,
        "as_before": pl.col("target") == held,
        "others": _differs(rule, pl.col("expected"), held),
        "cannot_tell": pl.col("target").is_null(),
        "consent": subscribing,
    }
    why = pl.lit(None, pl.String)
    for reason, holds in reversed([*reasons.items()]):
        why = pl.when(holds.fill_null(value=False)).then(pl.lit(reason)).otherwise(why)
    if of_kind == _LISTED:
        taken_over = (pl.col("target") == "") & why.is_null()
        why = pl.when(taken_over).then(pl.lit("later")).otherwise(why)
    decided = cells.with_columns(target.alias("target")).with_columns(why.alias("why"))
    whose = {"done": "done", "later": "last", "later_in_doubt": "doubted"}
    run_of = pl.lit(None, pl.Int64)
    for reason, column in whose.items():
        run_of = pl.when(pl.col("why") == reason).then(pl.col(column)).otherwise(run_of)
    return decided.select(
        PROFILE,
        held.alias("before"),
        pl.when(pl.col("why").is_null()).then(pl.col("target")).alias("wanted"),
        "why",
        run_of.alias("run"),
    )


def _differs(rule: Rule, one: pl.Expr, other: pl.Expr) -> pl.Expr:
    return differs(one, other, ordered=rule.config.ordered)


def _summary(
    left: pl.DataFrame, done: pl.DataFrame, every: pl.DataFrame, of_kind: tuple[str, ...]
) -> pl.DataFrame:
    """
    Fold later changes to one row for each profile.

    Columns: ``over``, the last run that changed the value otherwise than as *of_kind* does;
    ``beside``, the last that did as it does; ``last``, the later of both; ``doubted``, the last
    that may have; ``touched``, the members that any of them brought or took; ``expected``, the
    value that all of them left; and ``done``, the run that took the change back.
    """
    kind = pl.col("strategy").is_in(of_kind).fill_null(value=False)
    sure = pl.col("accepted")
    seq = pl.col("seq")
    touched = (
        pl.concat_list(
            _without(_list("wanted"), _list("before")), _without(_list("before"), _list("wanted"))
        )
        if of_kind == _LISTED
        else pl.lit([], _MEMBERS)
    )
    folded = (
        pl.concat([left, done.filter("doubt")])
        .with_columns(touched=touched)
        .sort("seq", maintain_order=True)
        .group_by(PROFILE)
        .agg(
            over=seq.filter(sure & ~kind).last(),
            beside=seq.filter(sure & kind).last(),
            last=seq.filter(sure).last(),
            doubted=seq.filter(pl.col("doubt")).last(),
            touched=pl.col("touched").filter(sure).explode().drop_nulls().unique(),
        )
    )
    values = every.filter(sure).sort("seq", maintain_order=True).group_by(PROFILE)
    expected = values.agg(expected=pl.col("wanted").last())
    ordered = done.filter(sure).sort("seq", maintain_order=True)
    takers = ordered.group_by(PROFILE).agg(done=seq.last())
    joined = expected.join(folded, on=PROFILE, how="full", coalesce=True)
    return joined.join(takers, on=PROFILE, how="full", coalesce=True)


def _of_value(_rule: Rule, _alone: pl.Expr) -> pl.Expr:
    return _BEFORE


def _of_sum(rule: Rule, alone: pl.Expr) -> pl.Expr:
    """Subtract the run's own part, if that is what its files gave."""
    held, before, wanted = (_number(rule, name) for name in ("held", "before", "wanted"))
    part = wanted - before
    left = held - part
    fits = left.is_between(-LARGEST - 1, LARGEST) if rule.type != "float" else left.is_finite()
    value = canonical(rule, fragment(rule, pl.when(fits).then(left)))
    told = pl.lit(value=True) if rule.type == "float" else pl.col("gave") == part
    return pl.when(told).then(pl.when(alone).then(_BEFORE).otherwise(value))


def _number(rule: Rule, name: str) -> pl.Expr:
    text = pl.col(name)
    read = read_held(rule, pl.when(text != EMPTY).then(text))
    return pl.when(text == EMPTY).then(pl.lit(0)).otherwise(read)


def _of_list(_rule: Rule, alone: pl.Expr) -> pl.Expr:
    """
    Take out what the run brought, and bring back what it took; later runs' members stay theirs.

    Returns:
        An empty text where later runs brought or took all of them.
    """
    before, wanted, held = _list("before"), _list("wanted"), _list("held")
    touched = pl.col("touched").fill_null(pl.lit([], _MEMBERS))
    brought = _without(_without(wanted, before), touched)
    took = _without(_without(before, wanted), touched)
    kept = _without(held, brought)
    back = kept.list.concat(took).list.unique(maintain_order=True).list.head(LONGEST_LIST)
    text = (
        pl.when(brought.list.len() + took.list.len() == 0)
        .then(pl.lit(""))
        .when(back.list.len() == 0)
        .then(pl.lit(EMPTY))
        .otherwise(filled("[{}]", back.list.join(",")))
    )
    return pl.when(alone).then(_BEFORE).otherwise(text)


def _list(name: str) -> pl.Expr:
    return pl.col(name).map_batches(members, return_dtype=_MEMBERS, is_elementwise=True)


def _without(base: pl.Expr, removed: pl.Expr) -> pl.Expr:
    """Return what a list has besides another one, in its order; neither repeats a member."""
    union = removed.list.concat(base).list.unique(maintain_order=True)
    return union.list.slice(removed.list.len())


TARGETS: Mapping[str, Callable[[Rule, pl.Expr], pl.Expr]] = {
    "sum": _of_sum,
    "add": _of_list,
    "remove": _of_list,
}
"""
Where a value goes back to that is more than the one before: for a rule, and where the run is the
last that changed it; null where nobody can tell.
"""
