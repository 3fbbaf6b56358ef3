"""A connection: how Braze and the bucket are reached, and how long they are waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr

from exchanger.braze.limits import LOOKUP_RATE, OBJECTS_PER_REQUEST, TRACK_RATE
from exchanger.config.endpoints import store_of
from exchanger.config.models.base import Duration, Strict
from exchanger.config.models.guards import Budget


class RateLimit(Strict):
    """At most ``requests`` in any window of ``per``."""

    requests: int = Field(ge=1, description="most requests in that time")
    per: Duration = Field(description="in any such time")

    def seconds(self, requests: int) -> float:
        """Return how long so many requests take, of which those of the first window are free."""
        waiting = max(requests - self.requests, 0)
        return waiting / self.requests * self.per.total_seconds()


TRACKED = RateLimit(requests=TRACK_RATE[0], per=TRACK_RATE[1])
"""How fast Braze takes changes of profiles."""
LOOKUPS = RateLimit(requests=LOOKUP_RATE[0], per=LOOKUP_RATE[1])
"""What Braze lets an account ask of single profiles, unless the account is an old one."""


class BrazeConfig(Strict):
    """
    How to reach one Braze workspace, how fast, and how long to wait for it.

    ``hourly_limit`` counts requests to ``/users/track`` in each clock hour, of all processes of the
    connection; connections that share a workspace do not share it. While Braze accepts
    nothing for ``give_up``, requests are tried again; after that, but not before six attempts of
    one request, the run fails with its outbox kept, and the next run goes on from there.
    """

    endpoint: str = Field(
        description="the instance, such as `iad-01` or `fra-02`, or the address of its REST API"
    )
    api_key: SecretStr = Field(
        description="the key of Braze, as the name of a variable of the environment"
    )
    batch_size: int = Field(
        default=OBJECTS_PER_REQUEST,
        ge=1,
        le=OBJECTS_PER_REQUEST,
        description="most profiles in a request that updates them",
    )
    rate_limit: RateLimit = Field(
        default=TRACKED,
        description="most requests that update profiles in any such time",
    )
    hourly_limit: int | None = Field(
        default=None,
        ge=1,
        description=(
            "most requests to `/users/track` in a clock hour, for contracts that have such a"
            " limit; none if left out"
        ),
    )
    lookup_limit: RateLimit = Field(
        default=LOOKUPS,
        description=(
            "most look-ups in any such time; accounts made before 22 August 2024 may do 2,500"
            " a minute"
        ),
    )
    give_up: Duration = Field(
        default=timedelta(0),
        description=(
            "how long a run waits for a Braze that takes nothing, before it fails with"
            " everything kept"
        ),
    )
    spacing: Duration = Field(
        default=timedelta(seconds=5), description="pause before another value for the same profile"
    )
    grace: Duration = Field(
        default=timedelta(minutes=5),
        description=(
            "how long Braze may still show the value before an update; a take-over waits that"
            " long before it looks again"
        ),
    )


class S3Config(Strict):
    """
    One bucket. Without keys, AWS's own credential chain is used.

    ``access_key_id`` and ``secret_access_key`` go together. ``region``, ``endpoint_url`` and both
    keys count as left out where the variable that they name is empty.
    """

    bucket: str = Field(description="its name alone, without `s3://` and without a folder")
    region: str | None = Field(
        default=None,
        description=(
            "the region of the bucket; if left out, AWS is asked where it is (in China and"
            " GovCloud name it)"
        ),
    )
    endpoint_url: str | None = Field(
        default=None, description="the address of a store that is not AWS's; AWS if left out"
    )
    access_key_id: SecretStr | None = Field(
        default=None, description="the id of a key, as the name of a variable of the environment"
    )
    secret_access_key: SecretStr | None = Field(
        default=None, description="its secret, as the name of a variable of the environment"
    )
    export_root: str = Field(
        default="segment-export",
        description="the folder of the bucket in which Braze's segment exports arrive",
    )
    state_prefix: str | None = Field(
        default=None,
        description=(
            "the folder of what exchanger remembers; `_exchanger/CONNECTION/` if left out."
            " Letters a to z, digits, `-`, `_`, `.` and `=` are safe in it"
        ),
    )

    @property
    def place(self) -> tuple[str, str]:
        """The bucket and its store: equal where two connections share a bucket."""
        return self.bucket, store_of(self.endpoint_url)


class Retention(Strict):
    """
    How long the bucket remembers what names people, counted from the end of a run.

    Run documents stay for good. No length is shorter than ``1d``, and ``contributions`` and
    ``changes`` are kept for as long as ``quarantine`` at least. Nothing goes that is still needed:
    ``changes`` stay while an earlier run has a quarantine that may be given again, and copies of
    files that wait for a person (``held_copies``) until it is decided about them.
    """

    outbox: Duration = Field(default=timedelta(days=30), description="what runs planned to send")
    acknowledgements: Duration = Field(
        default=timedelta(days=30), description="what Braze answered"
    )
    quarantine: Duration = Field(
        default=timedelta(days=90), description="rejected and refused rows"
    )
    contributions: Duration = Field(
        default=timedelta(days=400), description="what files gave to sums and lists"
    )
    changes: Duration = Field(
        default=timedelta(days=400),
        description="what runs changed, with the values before; they go by the month",
    )
    held_copies: Literal["decided"] = Field(
        default="decided",
        description="copies of files that wait for a person stay until it is decided about them",
    )


class Connection(Strict):
    """One Braze workspace and one bucket."""

    enabled: bool = Field(
        default=True,
        description=(
            "with `false` the daemon passes its jobs by, `check --connect` does not try it, and"
            " `status` asks it only if it is named"
        ),
    )
    lease: Duration = Field(
        default=timedelta(minutes=3),
        description=(
            "how long a process that stands still keeps its turn; a third of it is also the"
            " longest that one request may take, at most 60 s"
        ),
    )
    max_plan_age: Duration = Field(
        default=timedelta(days=1),
        description=(
            "after so long, what a run had planned and nobody tried to send is looked up before"
            " it is sent: what Braze has already is left, what it has as before is sent, anything"
            " else follows `on_drift`"
        ),
    )
    retention: Retention = Field(
        default=Retention(), description="how long what names people is kept"
    )
    budget: Budget | None = Field(
        default=None,
        description="what all its runs may cost before they wait for you; anything if left out",
    )
    braze: BrazeConfig = Field(description="the workspace, and how fast it may be asked")
    s3: S3Config = Field(description="the bucket")
