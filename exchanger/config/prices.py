"""What data points and requests cost, by the price that a connection has agreed on."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchanger.config.models import Budget


def price_of(budget: Budget | None, points: int, requests: int | None = None) -> str | None:
    """
    Return what a run costs, in ``currency`` and to the cent.

    Args:
        budget: Has the price.
        points: Its data points.
        requests: Its requests; None of a part of a run, which has none of its own.

    Returns:
        None without a price, or of a part where requests count.
    """
    if budget is None or budget.price is None:
        return None
    counted = requests if budget.counts == "requests" else points
    return None if counted is None else f"{cost_of(budget.price, counted):.2f}"


def cost_of(price: float, counted: int) -> Decimal:
    """Return a price so many times, exactly."""
    return Decimal(str(price)) * counted
