"""
The configuration contract as models. Every key that a model accepts is built.

Models are frozen and forbid unknown keys. How text becomes models, and how problems are worded,
is in ``loading``; keys of the contract that this version does not build are in ``unsupported``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
)

from exchanger.braze.limits import LONGEST_LIST, LOOKUP_RATE, OBJECTS_PER_REQUEST, TRACK_RATE
from exchanger.config.durations import parse_duration
from exchanger.config.names import trimmed

ColumnName = Annotated[str, AfterValidator(trimmed)]
"""A column of a file, compared without the white space around it, as names in files are."""
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time, written ``10s``, ``5m``, ``2h`` or ``1d``."""

StrategyName = Literal["set", "add", "sum", "set_if_empty", "clear", "remove", "highest", "lowest"]
FieldType = Literal[
    "string", "integer", "float", "decimal", "boolean", "date", "datetime", "list", "json"
]
DriftPolicy = Literal["overwrite", "keep", "quarantine"]
"""What a run does to a field that somebody else changed in Braze since it was delivered."""
ItemType = Literal["string", "integer", "float", "boolean", "date", "datetime"]
Raw = Literal["remove", "keep"]
"""Whether Braze's own files of an export stay in the bucket once they were used."""
Priority = Literal["urgent", "normal", "low"]
"""Which of several waiting jobs the daemon starts first."""

NEEDS_HELD: frozenset[StrategyName] = frozenset(
    {"sum", "add", "remove", "set_if_empty", "highest", "lowest"}
)
"""Strategies whose result depends on what Braze has now (law 10)."""


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class RateLimit(Strict):
    """At most ``requests`` in any window of ``per``."""

    requests: Annotated[int, Field(ge=1)]
    per: Duration


LOOKUPS = RateLimit(requests=LOOKUP_RATE[0], per=LOOKUP_RATE[1])
"""What Braze lets an account ask of single profiles, unless the account is an old one."""


class BrazeConfig(Strict):
    """
    How to reach one Braze workspace, how fast, and how long to wait for it.

    ``hourly_limit`` counts requests to ``/users/track`` in each clock hour, of all processes of the
    connection. While Braze accepts
    nothing for ``give_up``, requests are tried again; after that, but not before six attempts of
    one request, the run fails with its outbox kept, and the next run goes on from there.
    """

    endpoint: str
    api_key: SecretStr
    batch_size: Annotated[int, Field(ge=1, le=OBJECTS_PER_REQUEST)] = OBJECTS_PER_REQUEST
    rate_limit: RateLimit = RateLimit(requests=TRACK_RATE[0], per=TRACK_RATE[1])
    hourly_limit: Annotated[int, Field(ge=1)] | None = None
    lookup_limit: RateLimit = LOOKUPS
    give_up: Duration = timedelta(0)
    spacing: Duration = timedelta(seconds=5)
    grace: Duration = timedelta(minutes=5)


class S3Config(Strict):
    """One bucket. Without keys, AWS's own credential chain is used."""

    bucket: str
    region: str | None = None
    endpoint_url: str | None = None
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    export_root: str = "segment-export"
    state_prefix: str | None = None


class Retention(Strict):
    """
    How long the bucket remembers what names people, counted from the end of a run.

    Run documents stay for good. Nothing goes that is still needed: ``outbox`` and
    ``acknowledgements`` stay while an earlier run has a quarantine that may be given again, and
    copies of files that wait for a person (``held_copies``) until it is decided about them.
    """

    outbox: Duration = timedelta(days=30)
    acknowledgements: Duration = timedelta(days=30)
    quarantine: Duration = timedelta(days=90)
    contributions: Duration = timedelta(days=400)
    held_copies: Literal["decided"] = "decided"


class Connection(Strict):
    """One Braze workspace and one bucket."""

    enabled: bool = True
    lease: Duration = timedelta(minutes=3)
    max_plan_age: Duration = timedelta(days=1)
    retention: Retention = Retention()
    braze: BrazeConfig
    s3: S3Config


class Schedule(Strict):
    """When a job runs: POSIX ``cron`` or ``every``, exactly one of them."""

    cron: str | None = None
    every: Duration | None = None
    timezone: str = "UTC"


class Expect(Strict):
    """
    How often a job is expected to take a file, or to publish a dataset.

    If nothing comes for longer, the job is overdue: ``exchanger status`` says so, and the daemon
    logs ``job.overdue``.
    """

    every: Duration


class Source(Strict):
    """
    Which files an import job reads, and how their text is understood.

    Texts that stand for a missing identifier (``null``, ``#N/A``, ``undefined``, a dash) and
    numbers that were rounded (``4.9E+12``) name nobody, unless ``placeholders`` is ``allow``.
    """

    prefix: str
    pattern: str = "**"
    format: Literal["auto", "parquet", "csv", "ndjson"] = "auto"
    order_by: ColumnName | None = None
    timezone: str = "UTC"
    nulls: tuple[str, ...] = ()
    placeholders: Literal["reject", "allow"] = "reject"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","


class Match(Strict):
    """Which column holds the identifier of a profile."""

    external_id: ColumnName


class FieldConfig(Strict):
    """
    How one Braze attribute is made from a column (or a static value) and merged.

    ``nulls`` are texts that mean that there is nothing, beside those of the source.
    """

    from_: ColumnName | None = Field(default=None, alias="from")
    value: str | int | float | bool | None = None
    merge: StrategyName = "set"
    type: FieldType | None = None
    scale: Annotated[int, Field(ge=0, le=15)] | None = None
    items: ItemType = "string"
    split: str | None = None
    trim: bool = False
    too_long: Literal["reject", "cut"] = "reject"
    nan: Literal["reject", "empty"] = "reject"
    nulls: tuple[str, ...] = ()
    ordered: bool = False
    on_drift: DriftPolicy = "overwrite"
    max_items: Annotated[int, Field(ge=1, le=LONGEST_LIST)] = LONGEST_LIST


class RemainingFields(Strict):
    """
    One rule for the columns that nothing else names. The first rule that matches wins.

    ``nulls`` are texts that mean that there is nothing, beside those of the source.
    """

    columns: str = "*"
    exclude: tuple[str, ...] = ()
    merge: StrategyName = "set"
    prefix: str = ""
    type: FieldType | None = None
    scale: Annotated[int, Field(ge=0, le=15)] | None = None
    nulls: tuple[str, ...] = ()
    on_drift: DriftPolicy = "overwrite"
    standard: bool = False


class Completion(Strict):
    """
    How to know that a segment export is complete, as Braze announces nothing.

    An export counts as complete when its files have not changed for ``quiet`` and, with
    ``confirm``, Braze no longer answers that an export of this segment is running.
    """

    poll: Duration = timedelta(seconds=10)
    quiet: Duration = timedelta(minutes=1)
    timeout: Duration = timedelta(hours=4)
    confirm: bool = True


class Baseline(Strict):
    """
    Where held values come from that a strategy needs, beyond looking up what is unknown.

    Values that were learnt longer ago than ``max_age`` count as unknown. What is unknown is filled
    by an export of ``segment`` where one is named. If that is ``complete``, profiles that are
    absent from it do not exist. Braze's own files of it are removed afterwards, unless ``raw`` is
    ``keep``.
    """

    max_age: Duration | None = None
    segment: str | None = None
    complete: bool = False
    raw: Raw = "remove"
    completion: Completion = Completion()


def _kind_of_baseline(content: Any) -> str:
    return "mapping" if isinstance(content, dict | Baseline) else "text"


class ImportJob(Strict):
    """Changed profile files from the bucket into Braze."""

    type: Literal["import"]
    connection: str | None = None
    enabled: bool = True
    description: str = ""
    labels: tuple[str, ...] = ()
    schedule: Schedule | None = None
    expect: Expect | None = None
    priority: Priority = "normal"
    object: Literal["attributes"] = "attributes"
    source: Source
    match: Annotated[tuple[Match, ...], Field(min_length=1, max_length=1)]
    create_missing: bool = True
    fields: dict[str, FieldConfig] = {}
    remaining_fields: tuple[RemainingFields, ...] = ()
    baseline: Annotated[
        Annotated[Literal["lookup", "assume_empty"], Tag("text")]
        | Annotated[Baseline, Tag("mapping")],
        Discriminator(_kind_of_baseline),
    ] = "lookup"
    max_rows_per_run: Annotated[int, Field(ge=1)] = 5_000_000

    @property
    def assumes_empty(self) -> bool:
        """Whether profiles never seen are taken for empty."""
        return self.baseline == "assume_empty"

    @property
    def max_age(self) -> timedelta | None:
        """How old a held value may be before it is looked up again; None: any age."""
        return self.baseline.max_age if isinstance(self.baseline, Baseline) else None


class ExportField(Strict):
    """One column of an export: a path into the exported profile, and its type."""

    from_: str = Field(alias="from")
    type: FieldType | None = None
    scale: Annotated[int, Field(ge=0, le=15)] | None = None


class RemainingExport(Strict):
    """Every custom attribute that no column names, under its own name behind ``prefix``."""

    prefix: str = ""


class Target(Strict):
    """
    Where an export is written, and as what.

    With ``keep``, published datasets of the job beyond the newest so many are removed.
    """

    prefix: str
    format: Literal["parquet", "csv", "ndjson"] = "parquet"
    mode: Literal["full"] = "full"
    rows_per_part: Annotated[int, Field(ge=1)] = 1_000_000
    keep: Annotated[int, Field(ge=1)] | None = None


class ExportJob(Strict):
    """
    One Braze segment into the bucket, as a dataset.

    An export that brings no file may mean an empty segment, or a folder that Braze does not write
    to. With ``empty: allow`` it becomes a dataset without rows, else the run fails. Braze's own
    files of the export are removed once the dataset is published, unless ``raw`` is ``keep``.
    """

    type: Literal["export"]
    connection: str | None = None
    enabled: bool = True
    description: str = ""
    labels: tuple[str, ...] = ()
    schedule: Schedule | None = None
    expect: Expect | None = None
    priority: Priority = "normal"
    segment: str
    empty: Literal["fail", "allow"] = "fail"
    raw: Raw = "remove"
    fields: dict[str, ExportField] = {}
    remaining_fields: RemainingExport | None = None
    target: Target
    completion: Completion = Completion()


Job = Annotated[ImportJob | ExportJob, Field(discriminator="type")]


class EngineConfig(Strict):
    """
    Who plans the parts of runs: a Dask cluster, named by the address of its scheduler.

    ``tcp://HOST:PORT``, or ``tls://`` with the certificates that Dask's own configuration names.
    """

    dask: str


class Config(Strict):
    """The whole configuration file."""

    engine: EngineConfig | None = None

    connections: Annotated[dict[str, Connection], Field(min_length=1)]
    jobs: dict[str, Job] = {}

    def connection_of(self, job: str) -> str:
        """Name the connection of a job: its own, or the only one there is."""
        return self.jobs[job].connection or next(iter(self.connections))
