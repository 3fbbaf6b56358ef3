"""What runs of a connection may cost in a day and a month, and what they have cost by now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from exchanger.config.prices import cost_of
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from exchanger.config.models import Budget
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.import_context import ImportContext


def budget_guards(call: ImportContext) -> list[Callable[[Exposure], Sequence[Note]]]:
    """
    List what looks at the budget of a connection, of any plan; nothing where there is no budget.

    What was spent is asked for only if a plan would spend something.
    """
    budget = call.context.budget
    if budget is None or (budget.data_points.day is None and budget.data_points.month is None):
        return []

    def guard(exposure: Exposure) -> Sequence[Note]:
        if not exposure.data_points:
            return []
        now = call.context.clock.now()
        costs = call.state.run_index.costs(since=_begin(now, budget, "month"))
        return notes_on_budget(budget, exposure.data_points, costs, now)

    return [guard]


def notes_on_budget(
    budget: Budget, points: int, costs: Sequence[tuple[datetime, int]], now: datetime
) -> list[Note]:
    """
    Note which budgets a run would go beyond.

    Args:
        budget: What may be spent.
        points: What the run would cost.
        costs: When each run of this month began, and what it cost.
        now: The time.
    """
    notes = []
    for period in ("day", "month"):
        limit = getattr(budget.data_points, period)
        begin = _begin(now, budget, period)
        spent = sum(cost for began, cost in costs if began >= begin)
        if limit is not None and spent + points > limit:
            notes.append(
                noted("budget_exceeded", period=period, points=points, spent=spent, limit=limit)
            )
    return notes


def note_price(budget: Budget | None, points: int, requests: int = 0) -> list[Note]:
    """Note what a run costs in money, where a price is given; and in requests if these count."""
    if budget is None:
        return []
    currency = budget.currency
    if budget.counts == "requests" and requests:
        cost = "" if budget.price is None else f"{cost_of(budget.price, requests):,.2f}"
        return [
            noted("requests_count", requests=requests, points=points, cost=cost, currency=currency)
        ]
    if budget.counts == "requests" or budget.price is None or not points:
        return []
    cost = f"{cost_of(budget.price, points):,.2f}"
    return [noted("would_cost", points=points, cost=cost, currency=currency)]


def _begin(now: datetime, budget: Budget, period: str) -> datetime:
    """Return when the day or the month began, where the budget counts."""
    day = now.astimezone(ZoneInfo(budget.timezone))
    day = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if period == "day" else day.replace(day=1)
