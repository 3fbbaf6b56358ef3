"""When runs of a job wait for a person, in words."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.findings import counted
from exchanger.config.models import Budget, Delivery, Guards

_SHARES = {
    "max_changed_percent": "{} % of the profiles that are known would lose a value that they have",
    "max_cleared_percent": (
        "{} % of the profiles that are known would lose a value and have none afterwards"
    ),
    "max_rejected_percent": "{} % of its rows would be rejected",
    "max_leavers_percent": "{} % of the people whom it had are missing in the newest file",
}


def describe_guards(guards: Guards, budget: Budget | None) -> Iterator[str]:
    """Describe what makes a run wait, one line for each guard, and for each budget."""
    for key, words in _SHARES.items():
        share = getattr(guards, key)
        if share is not None:
            yield f"waits for you if more than {words.format(f'{share:g}')}"
    if guards.max_fewer_rows_percent is not None:
        share = f"{guards.max_fewer_rows_percent:g}"
        yield f"waits for you if a file has over {share} % fewer rows than the file before"
    if guards.max_more_empty_percent is not None:
        share = f"{guards.max_more_empty_percent:g}"
        yield f"waits for you if a field lacks a value in over {share} % more rows than before"
    if guards.max_data_points is not None:
        yield f"waits for you if it would cost more than {guards.max_data_points:,} data points"
    if guards.empty_file == "hold":
        yield "waits for you if a file has no rows"
    yield from _spends(budget)


def describe_delivery(delivery: Delivery) -> Iterator[str]:
    """Describe how what a run sends is looked after."""
    if delivery.shadow:
        yield "sends nothing (shadow): what it plans is compared later with what Braze then holds"
        return
    if delivery.canary is not None:
        yield (
            f"sends the first {counted(delivery.canary, 'object')} of a run, and the rest only once"
            " Braze shows these as they were sent"
        )
    if delivery.verify is not None:
        yield f"reads back {delivery.verify.sample:g} % of what a run sent, once Braze must show it"


def _spends(budget: Budget | None) -> Iterator[str]:
    if budget is None:
        return
    for period in ("day", "month"):
        limit = getattr(budget.data_points, period)
        if limit is not None:
            yield (
                "waits for you if all runs of its connection would cost more than "
                f"{limit:,} data points in a {period} ({budget.timezone})"
            )
