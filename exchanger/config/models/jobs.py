"""What import and export jobs share."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from exchanger.config.models.base import Duration, Priority, Strict


class Schedule(Strict):
    """When a job runs: POSIX ``cron`` or ``every``, exactly one of them."""

    cron: str | None = Field(
        default=None,
        description="five fields: minute, hour, day of month, month, day of week",
    )
    every: Duration | None = Field(
        default=None, description="so long after the last start of the job"
    )
    timezone: str = Field(default="UTC", description="of the hours that `cron` names")


class Expect(Strict):
    """
    How often a job is expected to take a file, or to publish a dataset.

    If nothing comes for longer, the job is overdue: ``exchanger status`` says so, and the daemon
    logs ``job.overdue``.
    """

    every: Duration = Field(description="how long nothing may come; `26h` for a daily file")


class Completion(Strict):
    """
    How to know that a segment export is complete, as Braze announces nothing.

    An export counts as complete when its files have not changed for ``quiet`` and, with
    ``confirm``, Braze no longer answers that an export of this segment is running.
    """

    poll: Duration = Field(default=timedelta(seconds=10), description="how often it looks")
    quiet: Duration = Field(
        default=timedelta(minutes=1),
        description="how long nothing may change; shorter than `timeout`",
    )
    timeout: Duration = Field(default=timedelta(hours=4), description="when it gives up")
    confirm: bool = Field(
        default=True, description="also ask Braze whether an export of this segment still runs"
    )


class AnyJob(Strict):
    """What every job says of itself, whatever it does."""

    type: str = Field(description="what kind of job this is")
    connection: str | None = Field(
        default=None, description="which connection it uses; needed where there are several"
    )
    enabled: bool = Field(
        default=True,
        description=(
            "with `false` the daemon passes it by; `exchanger run JOB` still runs it, and says so"
        ),
    )
    description: str = Field(
        default="", description="a text of your own; `exchanger jobs` shows it"
    )
    labels: tuple[str, ...] = Field(
        default=(), description="words of your own; `exchanger jobs --json` shows them"
    )
    schedule: Schedule | None = Field(
        default=None, description="when the daemon runs it; only by hand if left out"
    )
    expect: Expect | None = Field(
        default=None,
        description="after how long without anything it is overdue; never if left out",
    )
    priority: Priority = Field(
        default="normal", description="which of several waiting jobs the daemon starts first"
    )
