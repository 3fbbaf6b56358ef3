"""Words of what guards and budgets say of a run, and of what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.app.messages.words import Words


GUARD_NOTES: Mapping[str, Words] = {
    "budget_exceeded": (
        "It would cost {points:,} data points, and {spent:,} were spent this {period} already; "
        "the budget of the connection is {limit:,} a {period}."
    ),
    "empty_file": "{file} has no rows (empty_file: hold).",
    "fewer_rows": (
        "{file} has {rows:,} rows, {percent:g} % fewer than {before}, the file before, with "
        "{of:,}; {allowed:g} % fewer may be (max_fewer_rows_percent)."
    ),
    "field_emptier": (
        "{field} has no value in {empty:g} % of the rows, and had none in {empty_before:g} % of "
        "those before; {allowed:g} % more may be (max_more_empty_percent)."
    ),
    "guards_differ": (
        "More would be done by now than a person was shown, so nothing was sent. To look at it: "
        "exchanger show {run}. To take it all the same: exchanger approve {run}. To drop it: "
        "exchanger discard {run}"
    ),
    "guards_would_hold": (
        "So a run would wait for you, and nothing of it would be sent until you approve it."
    ),
    "too_many_changed": (
        "Of {of:,} profiles that are known, {profiles:,} ({percent:g} %) would lose a value that "
        "they have; {allowed:g} % may (max_changed_percent)."
    ),
    "too_many_cleared": (
        "Of {of:,} profiles that are known, {profiles:,} ({percent:g} %) would lose a value and "
        "have none afterwards; {allowed:g} % may (max_cleared_percent)."
    ),
    "too_many_leavers": (
        "Missing in the newest file: {leavers:,} of {of:,} people whom this job had ({percent:g} "
        "%); {allowed:g} % may be (max_leavers_percent)."
    ),
    "too_many_points": (
        "It would cost {points:,} data points; a run may cost {limit:,} (max_data_points)."
    ),
    "too_many_rejected": (
        "Of {of:,} rows, {rows:,} ({percent:g} %) would be rejected; {allowed:g} % may "
        "(max_rejected_percent)."
    ),
    "requests_count": lambda *, requests, points, cost, currency: (
        f"The contract counts requests: this takes {requests:,} of them, for {points:,} data points"
        f"{f', and costs {cost} {currency}' if cost else ''}."
    ),
    "would_cost": "{points:,} data points would cost {cost} {currency}.",
}
