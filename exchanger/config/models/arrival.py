"""When files of an import count as arrived, and how the daemon hears of them."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from exchanger.config.models.base import Duration, Strict

LISTED_EVERY = timedelta(minutes=15)
"""How often a job is due that hears of files by notices, and that has no schedule of its own."""


class CompleteWhen(Strict):
    """
    How to know that a file is complete, where S3 shows it before all of a delivery is there.

    Exactly one of the keys. Files that are not complete are left for a later run, which is told.
    """

    settled: Duration | None = Field(
        default=None, description="a file is, once it has not changed for so long"
    )
    marker: str | None = Field(
        default=None,
        description=(
            "a file is, once an object of this name, such as `_SUCCESS`, lies in its folder or in"
            " one around it, and is no older"
        ),
    )
    suffix: str | None = Field(
        default=None,
        description=(
            "a file is, once an object of its name and this ending, such as `.done`, lies beside"
            " it, and is no older"
        ),
    )
    manifest: str | None = Field(
        default=None,
        description=(
            "a file is, once a manifest names it and all that this manifest names is there; which"
            " objects are manifests, such as `*.manifest.json`"
        ),
    )


class Notices(Strict):
    """
    Where the daemon hears of new files, so that it looks for them at once.

    A notice only wakes it. The folder is listed by the job's schedule all the same, or every
    15 minutes if there is none, so that a lost notice only delays.
    """

    sqs: str = Field(
        description=(
            "the address of a queue of SQS with S3's event notices, directly or through SNS or"
            " EventBridge"
        )
    )
    endpoint_url: str | None = Field(
        default=None, description="where SQS is asked; the host of the queue's address if left out"
    )
