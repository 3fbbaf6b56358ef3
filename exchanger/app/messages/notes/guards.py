"""Words of what guards and budgets say of a run, and of what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _changed(*, profiles: int, of: int, percent: float, allowed: float) -> str:
    return (
        f"Of {of:,} profiles that are known, {profiles:,} ({percent:g} %) would lose a value that "
        f"they have; {allowed:g} % may (max_changed_percent)."
    )


def _cleared(*, profiles: int, of: int, percent: float, allowed: float) -> str:
    return (
        f"Of {of:,} profiles that are known, {profiles:,} ({percent:g} %) would lose a value and "
        f"have none afterwards; {allowed:g} % may (max_cleared_percent)."
    )


def _rejected(*, rows: int, of: int, percent: float, allowed: float) -> str:
    return (
        f"Of {of:,} rows, {rows:,} ({percent:g} %) would be rejected; {allowed:g} % may "
        "(max_rejected_percent)."
    )


def _fewer_rows(  # noqa: PLR0913 - a fact each
    *, file: str, rows: int, before: str, of: int, percent: float, allowed: float
) -> str:
    return (
        f"{file} has {rows:,} rows, {percent:g} % fewer than {before}, the file before, with "
        f"{of:,}; {allowed:g} % fewer may be (max_fewer_rows_percent)."
    )


def _points(*, points: int, limit: int) -> str:
    return f"It would cost {points:,} data points; a run may cost {limit:,} (max_data_points)."


def _budget(*, period: str, points: int, spent: int, limit: int) -> str:
    return (
        f"It would cost {points:,} data points, and {spent:,} were spent this {period} already; "
        f"the budget of the connection is {limit:,} a {period}."
    )


def _emptier(*, field: str, empty: float, empty_before: float, allowed: float) -> str:
    return (
        f"{field} has no value in {empty:g} % of the rows, and had none in {empty_before:g} % of "
        f"those before; {allowed:g} % more may be (max_more_empty_percent)."
    )


def _leavers(*, leavers: int, of: int, percent: float, allowed: float) -> str:
    return (
        f"Missing in the newest file: {leavers:,} of {of:,} people whom this job had ({percent:g} "
        f"%); {allowed:g} % may be (max_leavers_percent)."
    )


GUARD_NOTES: Mapping[str, Callable[..., str]] = {
    "budget_exceeded": _budget,
    "empty_file": lambda *, file: f"{file} has no rows (empty_file: hold).",
    "fewer_rows": _fewer_rows,
    "field_emptier": _emptier,
    "guards_differ": lambda *, run: (
        "More would be done by now than a person was shown, so nothing was sent. To look at it: "
        f"exchanger show {run}. To take it all the same: exchanger approve {run}. To drop it: "
        f"exchanger discard {run}"
    ),
    "guards_would_hold": lambda: (
        "So a run would wait for you, and nothing of it would be sent until you approve it."
    ),
    "too_many_changed": _changed,
    "too_many_cleared": _cleared,
    "too_many_leavers": _leavers,
    "too_many_points": _points,
    "too_many_rejected": _rejected,
    "requests_count": lambda *, requests, points, cost, currency: (
        f"The contract counts requests: this takes {requests:,} of them, for {points:,} data points"
        f"{f', and costs {cost} {currency}' if cost else ''}."
    ),
    "would_cost": lambda *, points, cost, currency: (
        f"{points:,} data points would cost {cost} {currency}."
    ),
}
