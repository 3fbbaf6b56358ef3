"""Guards and budgets: what they must say, and of which kinds of jobs they are."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.checks.timezones import check_timezone
from exchanger.config.findings import Finding, Where
from exchanger.config.models import Budget, ImportJob

_READ_BACK = ("attributes", "audience", "subscriptions", "email_state")
_OF_VALUES = ("max_changed_percent", "max_cleared_percent")


def check_guards(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find guards of a job that could never say anything."""
    if job.guards.max_leavers_percent is not None and not job.source.is_snapshot:
        message = "this is of snapshots alone: who is missing in a file of changes has not left"
        place: Where = (*where, "guards", "max_leavers_percent")
        yield Finding(place, message, beside=("source", "mode"))
    if job.kind in ("attributes", "audience"):
        return
    for key in _OF_VALUES:
        if getattr(job.guards, key) is not None:
            message = "this is of attributes alone: nothing else takes the place of a value"
            yield Finding((*where, "guards", key), message, beside=("object",))


def check_delivery(job: ImportJob, where: Where) -> Iterator[Finding]:
    """Find out whether what a job sends can be looked after as it says."""
    if job.delivery.verify is not None and job.kind not in _READ_BACK:
        message = "only attributes and states of subscriptions can be read back as they were sent"
        yield Finding((*where, "delivery", "verify"), message, beside=("object",))
    if job.delivery.canary is not None and job.kind != "attributes":
        message = "this is of attributes alone: nothing else is read back before the rest is sent"
        yield Finding((*where, "delivery", "canary"), message, beside=("object",))
    if "compare_after" in job.delivery.model_fields_set and not job.delivery.shadow:
        message = "this is of shadow runs: write shadow: true, or leave it out"
        yield Finding((*where, "delivery", "compare_after"), message, beside=("shadow",))


def check_budget(budget: Budget, where: Where) -> Iterator[Finding]:
    """Find out whether a budget says something, and nothing that cannot be."""
    points = budget.data_points
    if points.day is None and points.month is None and budget.price is None:
        message = "say how many data points a day or a month may cost, or what one costs"
        yield Finding(where, message, missed=("data_points", "price"))
    if points.day is not None and points.month is not None and points.day > points.month:
        message = "a day cannot cost more than its month"
        yield Finding((*where, "data_points", "day"), message, beside=("month",))
    if not budget.currency.strip():
        yield Finding((*where, "currency"), "name the currency of the price", "USD")
    yield from check_timezone(budget.timezone, (*where, "timezone"))
