"""Words of what is noted where somebody asks why a value is what it is, or takes a run back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _given_not_kept(*, run: int) -> str:
    return f"What files gave in run {run} is not kept any more (retention.contributions)."


def _quarantines_not_searched(*, searched: int) -> str:
    return (
        f"Rows that were put aside were looked for in the last {searched} runs of the job that had "
        "any: there are more."
    )


CHANGE_NOTES: Mapping[str, Callable[..., str]] = {
    "given_not_kept": _given_not_kept,
    "quarantines_not_searched": _quarantines_not_searched,
}
"""By code, what says it; its parameters are the facts."""
