"""Words of what is noted where somebody asks why a value is what it is, or takes a run back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.app.messages.words import Words

_WHY = {
    "as_before": "they are back already",
    "cannot_tell": "what its files gave is not what it changed, so nobody can tell its part",
    "consent": "they would subscribe somebody: give that in a file (may_resubscribe)",
    "done": "they were taken back already",
    "gone": "Braze does not have these profiles any more",
    "in_doubt": "nobody knows whether Braze took them in that run",
    "later": "they were changed again since",
    "later_in_doubt": "a later run may have changed them, and nobody knows",
    "met": "only now it is known of whom they are: ask for the undo again",
    "others": "somebody else changed them in Braze since",
    "several_keys": "the run changed them by several identifiers of one person",
    "unknown_before": "nobody knows the value before",
    "unknown_now": "Braze does not tell what they are now",
}
_RUNS = 3
"""Runs that one sentence names."""


def _value_stays(*, field: str, values: int, why: str, runs: Sequence[int]) -> str:
    what = "1 value stays as it is" if values == 1 else f"{values:,} values stay as they are"
    reason = _WHY.get(why, why)
    if values == 1:
        reason = reason.replace("they are", "it is").replace("they were", "it was")
        reason = reason.replace("they would", "it would").replace(" them", " it")
        reason = reason.replace("these profiles", "the profile")
        reason = reason.replace("what they are", "what it is")
    named = ", ".join(f"{run}" for run in runs[-_RUNS:])
    more = f" and {len(runs) - _RUNS} more" if len(runs) > _RUNS else ""
    by = f" (run{'s' if len(runs) > 1 else ''} {named}{more})" if runs else ""
    return f"{field}: {what}: {reason}{by}."


def _not_searched(*, job: str, run: int) -> str:
    return (
        f"What {job} sent in run {run} and before it was not looked at, as the newest runs alone "
        f"are. To look there: --before {run + 1}"
    )


def _quarantines_not_searched(*, searched: int, run: int) -> str:
    return (
        f"Rows that were put aside were looked for in {searched} runs of the job that had any. To "
        f"look in run {run} and before it: --before {run + 1}"
    )


CHANGE_NOTES: Mapping[str, Words] = {
    "calls_not_kept": (
        "What runs up to {run} did with people (renames, merges, deletions) is not kept any more "
        "(retention.outbox): it may be why a value is uncertain."
    ),
    "changes_not_kept": (
        "What run {run} changed is not kept any more, so nobody can tell whether it changed "
        "anything here."
    ),
    "given_not_kept": (
        "What files gave in run {run} is not kept any more (retention.contributions)."
    ),
    "nothing_to_undo": "Nothing would go back.",
    "quarantines_not_searched": _quarantines_not_searched,
    "run_not_ended": (
        "Run {run} of {job} has not ended: what it changes and sends is told once it has."
    ),
    "sent_gone": (
        "What run {run} of {job} sent is not kept any more, so nobody can tell whether anything of "
        "it was about this one."
    ),
    "sent_not_kept": (
        "What runs up to {run} sent is not kept any more (retention.outbox), so nobody can tell "
        "whether anything of it was about this one. Which run took a file: exchanger files KEY; "
        "what Braze has, it shows in the profile."
    ),
    "sent_not_searched": _not_searched,
    "sent_not_told": (
        "Run {run} of {job} sent more than is told here, and older runs of it were not looked at."
    ),
    "takes_back": "It takes back what run {run} changed.",
    "undo_again": (
        "What Braze refused is not back yet; once the reason is gone: exchanger undo {run}"
    ),
    "value_stays": _value_stays,
}
"""By code, what says it; its parameters are the facts."""
