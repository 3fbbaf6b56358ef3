"""What sending only differences has saved, against sending every row whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from exchanger.config.prices import price_of
from exchanger.jobs.runtime.recognition import recognise
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from exchanger.config.models import Budget
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.index import FieldCosts


@dataclass(frozen=True)
class Saving:
    """
    Data points of a field in a month, or of several together.

    Args:
        sent: What Braze accepted, which is what it bills.
        whole_rows: What it would have been if each row had been sent with all its values.
        worth: What the difference costs, to the cent; None without a price.
    """

    sent: int
    whole_rows: int
    worth: str | None = None

    @property
    def saved(self) -> int:
        """How many data points were not sent."""
        return self.whole_rows - self.sent

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        told = {"sent": self.sent, "whole_rows": self.whole_rows, "saved": self.saved}
        return told | {"worth": self.worth}


@dataclass(frozen=True)
class Savings:
    """
    What was saved on a connection.

    Args:
        connection: Its name.
        total: Of all that was counted.
        fields: By job, month (``2026-11``) and field, in this order.
        currency: Of the price; None without one.
        counted_since: When the first run began that was counted by its fields; None if none was.
        runs_uncounted: Runs that cost data points, and that an earlier version made, which did not
            count them.
    """

    connection: str
    total: Saving
    fields: dict[tuple[str, str, str], Saving]
    currency: str | None = None
    counted_since: datetime | None = None
    runs_uncounted: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as ``savings --json`` prints it."""
        since = self.counted_since
        return {
            "connection": self.connection,
            "counted_since": None if since is None else since.isoformat(),
            "runs_uncounted": self.runs_uncounted,
            "currency": self.currency,
            **self.total.to_dict(),
            "fields": [
                {"job": job, "month": month, "field": field} | saving.to_dict()
                for (job, month, field), saving in self.fields.items()
            ],
        }


def savings(context: JobContext, job: str | None = None, since: datetime | None = None) -> Savings:
    """
    Read what the runs of a connection have sent, and what sending every row whole would have cost.

    One table is read, however many runs there were. Nothing is written.

    Args:
        context: The outside.
        job: Only this job; all if left out.
        since: Only runs that began then or later.

    Raises:
        WorkspaceDiffers: What the state remembers is of another workspace.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    return added_up(context.connection, state.run_index.by_field(job, since), context.budget)


def added_up(connection: str, runs: Iterable[FieldCosts], budget: Budget | None) -> Savings:
    """
    Add up runs by job, month and field.

    Args:
        connection: Their connection.
        runs: What each has cost.
        budget: Has the price, and the time zone of months; UTC if left out.
    """
    zone = ZoneInfo("UTC" if budget is None else budget.timezone)
    sent: Counter[tuple[str, str, str]] = Counter()
    whole: Counter[tuple[str, str, str]] = Counter()
    began: list[datetime] = []
    uncounted = 0
    for run in runs:
        if run.by_field is None:
            uncounted += run.data_points > 0
            continue
        began.append(run.started_at)
        month = f"{run.started_at.astimezone(zone):%Y-%m}"
        for name, told in run.by_field.items():
            sent[run.job, month, name] += told.get("sent", 0)
            whole[run.job, month, name] += told.get("whole_rows", 0)
    keys = sorted(key for key in sent.keys() | whole.keys() if sent[key] or whole[key])
    fields = {key: _saving(sent[key], whole[key], budget) for key in keys}
    total = _saving(sent.total(), whole.total(), budget)
    return Savings(
        connection,
        total,
        fields,
        currency=None if budget is None or total.worth is None else budget.currency,
        counted_since=min(began, default=None),
        runs_uncounted=uncounted,
    )


def _saving(sent: int, whole: int, budget: Budget | None) -> Saving:
    return Saving(sent, whole, price_of(budget, whole - sent))
