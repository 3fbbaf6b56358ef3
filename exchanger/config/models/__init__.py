"""
The configuration contract as models. Every key that a model accepts is built.

Models are frozen and forbid unknown keys. What a key means is said beside it, for
``exchanger schema`` and ``docs/configuration.md``. How text becomes models, and how problems are
worded, is in ``loading``; keys of the contract that this version does not build are in
``loading/unsupported.py``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from exchanger.config.models.arrival import LISTED_EVERY, CompleteWhen, Notices
from exchanger.config.models.base import ColumnName, Duration, FieldType, Priority, Raw, Strict
from exchanger.config.models.connections import (
    LOOKUPS,
    TRACKED,
    BrazeConfig,
    Connection,
    RateLimit,
    Retention,
    S3Config,
)
from exchanger.config.models.delivery import Delivery, Verify
from exchanger.config.models.exports import ExportField, ExportJob, RemainingExport, Target
from exchanger.config.models.guards import Budget, DataPoints, Guards
from exchanger.config.models.imports import (
    ITEM_FIELD,
    ITEM_GONE,
    NEEDS_HELD,
    NESTED,
    PROPERTY,
    Baseline,
    DriftPolicy,
    EntryField,
    FieldConfig,
    ImportJob,
    ItemField,
    RemainingFields,
    StrategyName,
    kept_by_braze,
)
from exchanger.config.models.jobs import Completion, Expect, Schedule
from exchanger.config.models.kinds.audiences import (
    ACTION,
    COMES,
    GOES,
    Action,
    Audience,
    AudienceCohort,
    AudienceEvents,
    AudienceTarget,
    MemberValues,
)
from exchanger.config.models.kinds.consent import EmailState, GroupState, Subscription
from exchanger.config.models.kinds.lifecycle import CALLS, Identify, NewAlias, PersonMerge, Rename
from exchanger.config.models.kinds.objects import (
    Cell,
    Event,
    ItemMode,
    ItemType,
    ObjectName,
    OnInvalid,
    OnUnknown,
    Purchase,
)
from exchanger.config.models.kinds.orders import METADATA, PRODUCT, SUM, Amount, Order, Product
from exchanger.config.models.matching import Alias, LabelColumn, Match
from exchanger.config.models.notifications import TROUBLES, Notification, Telling, Trouble
from exchanger.config.models.sources import CsvOptions, LeaverEvent, SchemaContract, Source

__all__ = [
    "ACTION",
    "CALLS",
    "COMES",
    "GOES",
    "ITEM_FIELD",
    "ITEM_GONE",
    "LOOKUPS",
    "METADATA",
    "NEEDS_HELD",
    "NESTED",
    "PRODUCT",
    "PROPERTY",
    "SUM",
    "TRACKED",
    "TROUBLES",
    "Action",
    "Alias",
    "Amount",
    "Audience",
    "AudienceCohort",
    "AudienceEvents",
    "AudienceTarget",
    "Baseline",
    "BrazeConfig",
    "Budget",
    "Cell",
    "ColumnName",
    "CompleteWhen",
    "Completion",
    "Config",
    "Connection",
    "CsvOptions",
    "DataPoints",
    "Delivery",
    "DriftPolicy",
    "Duration",
    "EmailState",
    "EngineConfig",
    "EntryField",
    "Event",
    "Expect",
    "ExportField",
    "ExportJob",
    "FieldConfig",
    "FieldType",
    "GroupState",
    "Guards",
    "Identify",
    "ImportJob",
    "ItemField",
    "ItemMode",
    "ItemType",
    "Job",
    "LabelColumn",
    "LeaverEvent",
    "Match",
    "MemberValues",
    "NewAlias",
    "Notices",
    "Notification",
    "ObjectName",
    "OnInvalid",
    "OnUnknown",
    "Order",
    "PersonMerge",
    "Priority",
    "Product",
    "Purchase",
    "RateLimit",
    "Raw",
    "RemainingExport",
    "RemainingFields",
    "Rename",
    "Retention",
    "S3Config",
    "Schedule",
    "SchemaContract",
    "Source",
    "StrategyName",
    "Strict",
    "Subscription",
    "Target",
    "Telling",
    "Trouble",
    "Verify",
    "kept_by_braze",
]

Job = Annotated[ImportJob | ExportJob, Field(discriminator="type")]


class EngineConfig(Strict):
    """
    Who plans the parts of runs: a Dask cluster, named by the address of its scheduler.

    ``tcp://HOST:PORT``, or ``tls://`` with the certificates that Dask's own configuration names.
    """

    dask: str = Field(description="the address of the scheduler, such as `tcp://HOST:8786`")


class Config(Strict):
    """The whole configuration file."""

    engine: EngineConfig | None = Field(
        default=None,
        description="who plans the parts of runs; the process of the run itself if left out",
    )

    notifications: tuple[Notification, ...] = Field(
        default=(), description="who is told of what: `docs/alerts.md`"
    )
    connections: dict[str, Connection] = Field(
        min_length=1, description="each by a name of letters, digits, `.`, `_` and `-`"
    )
    jobs: dict[str, Job] = Field(
        default={}, description="imports and exports, each by a name likewise"
    )

    def connection_of(self, job: str) -> str:
        """Name the connection of a job: its own, or the only one there is."""
        return self.jobs[job].connection or next(iter(self.connections))

    def jobs_of(self, connection: str) -> dict[str, Job]:
        """Return the jobs of a connection by name."""
        jobs = self.jobs.items()
        return {name: job for name, job in jobs if self.connection_of(name) == connection}

    def imports_of(self, connection: str) -> dict[str, ImportJob]:
        """Return the imports among the jobs of a connection by name."""
        jobs = self.jobs_of(connection).items()
        return {name: job for name, job in jobs if isinstance(job, ImportJob)}

    def option_of(self, connection: str) -> str:
        """Return what names a connection in a command, where there are several."""
        return f" --connection {connection}" if len(self.connections) > 1 else ""

    def told_of(self, job: str) -> tuple[Notification, ...]:
        """Return the channels that are told of a job."""
        return tuple(one for one in self.notifications if one.hears_of(job))

    def schedule_of(self, job: str) -> Schedule | None:
        """Return when a job is due: what notices wake is so every so often, as one may be lost."""
        entry = self.jobs[job]
        if entry.schedule is None and isinstance(entry, ImportJob) and entry.source.notices:
            return Schedule(every=LISTED_EVERY)
        return entry.schedule
