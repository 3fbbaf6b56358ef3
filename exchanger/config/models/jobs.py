"""What import and export jobs share, and what runs of a job may do without a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from exchanger.config.models.base import Duration, LargeNumber, Percent, Priority, Strict


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


class Guards(Strict):
    """
    What a run of files may do before it waits for a person, and nothing of it is sent.

    Each guard is off until it is named, but for that of deletions. They watch imports and
    backfills; that of deletions, and budgets, also what is given again.
    """

    max_changed_percent: Percent | None = Field(
        default=None,
        description=(
            "of the profiles of a run that are known, how many may lose a value that they have,"
            " to another one or to none"
        ),
    )
    max_cleared_percent: Percent | None = Field(
        default=None,
        description="of these profiles, how many may lose a value and have none afterwards",
    )
    max_rejected_percent: Percent | None = Field(
        default=None, description="of the rows of a run, how many may be rejected"
    )
    max_fewer_rows_percent: Percent | None = Field(
        default=None,
        description=(
            "how many rows fewer a file may have than the file before, which is the one that the"
            " job applied last, or the one before it in the same run"
        ),
    )
    max_data_points: LargeNumber | None = Field(
        default=None, description="how many data points a run may cost"
    )
    max_deletes: int = Field(
        default=0, ge=0, description="profiles that a run of `object: deletions` may delete"
    )
    empty_file: Literal["hold", "ignore"] = Field(
        default="ignore", description="what happens to a file that has no rows"
    )


UsedConnection = Annotated[
    str | None, Field(description="which connection it uses; needed where there are several")
]
Enabled = Annotated[
    bool,
    Field(
        description=(
            "with `false` the daemon passes it by; `exchanger run JOB` still runs it, and says so"
        )
    ),
]
Description = Annotated[str, Field(description="a text of your own; `exchanger jobs` shows it")]
Labels = Annotated[
    tuple[str, ...], Field(description="words of your own; `exchanger jobs --json` shows them")
]
Scheduled = Annotated[
    Schedule | None, Field(description="when the daemon runs it; only by hand if left out")
]
Expected = Annotated[
    Expect | None,
    Field(description="after how long without anything it is overdue; never if left out"),
]
Urgency = Annotated[
    Priority, Field(description="which of several waiting jobs the daemon starts first")
]
