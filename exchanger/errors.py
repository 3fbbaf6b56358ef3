"""
Everything that can go wrong, as facts.

An error carries facts as attributes, knows whether trying again may help, and which exit code it
is. It does not carry sentences for people: ``exchanger.app.messages.errors`` turns an error into
words, with the next thing to type. ``str(error)`` is for logs and tracebacks.

Each kind is a dataclass of its facts, which may be passed by their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import get_annotations
from typing import dataclass_transform


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class ExchangerError(Exception):
    """The root of every error that this program raises on purpose."""

    retryable = False
    exit_code = 1
    summary = ""
    """A line for logs, in which facts stand by their names."""
    option = ""
    """What names its connection in a command, where there are several."""

    def __init_subclass__(cls) -> None:
        if get_annotations(cls):
            dataclass(eq=False, repr=False)(cls)

    def __post_init__(self) -> None:
        super().__init__(self._summary())

    def _summary(self) -> str:
        return self.summary.format(**vars(self))


@dataclass(frozen=True)
class Problem:
    """
    One thing that is wrong in the configuration.

    Args:
        path: Where, as the reader sees it: ``jobs.crm.fields.first_name``.
        message: What is wrong, in words that a marketer understands.
        guess: What was probably meant, ready to paste; empty if there is no good guess.
        line: The line in the file, from 1; 0 if it is not known.
    """

    path: str
    message: str
    guess: str = ""
    line: int = 0

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line else ""
        return f"{line}{self.path}: {self.message}" if self.path else f"{line}{self.message}"


class ConfigError(ExchangerError):
    """The configuration cannot be used. Holds every problem, not only the first."""

    exit_code = 3
    problems: list[Problem]
    source: str = ""

    def _summary(self) -> str:
        return "; ".join(f"{p.path}: {p.message}" for p in self.problems)


class StorageError(ExchangerError):
    """
    S3 did not do what was asked.

    Args:
        action: What was being done, as a verb.
        bucket: The bucket's name.
        key: The object's key, or a prefix; empty if it is about the bucket.
        detail: What S3 says, free of secrets.
        code: S3's own word for it, such as ``AccessDenied``; empty if there was no answer.
    """

    exit_code = 6
    action: str
    bucket: str
    key: str = ""
    detail: str = ""
    code: str = field(default="", kw_only=True)

    def _summary(self) -> str:
        where = f"s3://{self.bucket}/{self.key}"
        return f"{self.action} {where}: {self.detail or type(self).__name__}"


class StorageDenied(StorageError):
    """The credentials are missing, wrong, or lack a permission for *action*."""


class StorageMissing(StorageError):
    """There is no such bucket (``key`` is empty) or no such object."""


class StorageUnreachable(StorageError):
    """S3 gave no usable answer after all retries."""

    retryable = True


class StorageChanged(StorageError):
    """``If-Match`` or ``If-None-Match`` did not hold: somebody else wrote the object."""


class StorageCorrupt(StorageError):
    """A body was cut short or does not match its checksum."""

    retryable = True


class StorageUnreadable(StorageError):
    """S3 has the object and does not give it out as it is: it is archived, or needs a key."""


class TableUnusable(StorageError):
    """A table of our state is damaged, or something in it is as no version of ours writes it."""


class BrazeError(ExchangerError):
    """
    Braze did not do what was asked.

    Args:
        endpoint: The path, such as ``/users/track``.
        status: The HTTP status; 0 if there was no answer.
        detail: Braze's message, already free of secrets.
        uncertain: Whether an attempt of this request may have taken effect all the same.
        lost: Attempts of this request whose answer was lost.
    """

    exit_code = 7
    endpoint: str
    status: int = 0
    detail: str = ""
    uncertain: bool = field(default=False, kw_only=True)
    lost: int = field(default=0, kw_only=True)

    def _summary(self) -> str:
        return f"{self.endpoint} answered {self.status or 'nothing'}: {self.detail}"


class BrazeKeyRefused(BrazeError):
    """401: the key is unknown, or belongs to another instance or workspace."""


class BrazeForbidden(BrazeError):
    """403: the key is known but lacks the permission for this endpoint."""


class BrazeUnreachable(BrazeError):
    """No answer, a 5xx or a 429, after all retries."""

    retryable = True


class BrazeRefused(BrazeError):
    """A 4xx that is about the request and will not change by sending it again."""


class SegmentMissing(BrazeError):
    """
    The workspace has no segment of that name or id, or several of that name.

    ``known`` holds the names that exist, ``near`` those of them that are spelt much the same, and
    ``ambiguous`` the ids that share the name.
    """

    exit_code = 3

    def __init__(
        self,
        wanted: str,
        known: list[str],
        ambiguous: list[str] | None = None,
        near: list[str] | None = None,
    ) -> None:
        self.wanted = wanted
        self.known = known
        self.near = near or []
        self.ambiguous = ambiguous or []
        super().__init__("/segments/list", 200, f"no single segment {wanted!r}")


class CatalogMissing(BrazeError):
    """The company has no catalog of that name; ``known`` holds the names that exist."""

    exit_code = 3

    def __init__(self, wanted: str, known: list[str]) -> None:
        self.wanted = wanted
        self.known = known
        super().__init__("/catalogs", 200, f"no catalog {wanted!r}")


class CatalogDiffers(BrazeError):
    """
    A catalog does not have the fields that a job writes.

    Args:
        catalog: Its name.
        lacking: Fields that it does not have.
        retyped: Fields that it has as another type: ours, and its own.
        known: The fields that it has.
    """

    exit_code = 3

    def __init__(
        self,
        catalog: str,
        lacking: list[str],
        retyped: Mapping[str, tuple[str, str]],
        known: list[str],
    ) -> None:
        self.catalog = catalog
        self.lacking = lacking
        self.retyped = retyped
        self.known = known
        super().__init__("/catalogs", 200, f"catalog {catalog!r} has other fields")


class CohortMissing(BrazeError):
    """Nobody knows the keys of the cohort *key* (partner, slash, id), which a run sends to."""

    exit_code = 3

    def __init__(self, endpoint: str, key: str) -> None:
        self.key = key
        super().__init__(endpoint, 0, f"no keys of the cohort {key!r}")


class ExportRunning(BrazeError):
    """
    Braze answered 429 to the start of a segment export.

    Mostly: an export of this segment is running. It can also be a rate limit, or too many exports
    at once; Braze does not say which (braze-api.md 4.3).
    """

    retryable = True

    def __init__(self, segment: str, detail: str = "") -> None:
        self.segment = segment
        super().__init__("/users/export/segment", 429, detail)


class ExportIncomplete(BrazeError):
    """
    A segment export did not complete in the time allowed; the next run waits for it again.

    Args:
        empty_folder: Where its files were awaited, if none came.
    """

    retryable = True
    empty_folder: str = field(default="", kw_only=True)


class ExportEmpty(BrazeError):
    """
    No user came in a segment export: the segment is empty, or its files went somewhere else.

    Args:
        segment: Its name.
        folder: Where its files were awaited; empty if it was downloaded.
        estimate: How many users Braze estimates; None if that is not known.
        unknown_because: Why it is not.
        files: How many files came, without a user.
        may_be_allowed: Whether the job can say that an empty segment is fine.
    """

    def __init__(  # noqa: PLR0913 (each is a fact of its own)
        self,
        segment: str,
        folder: str,
        *,
        estimate: int | None = None,
        unknown_because: str = "",
        files: int = 0,
        may_be_allowed: bool = False,
    ) -> None:
        self.segment = segment
        self.folder = folder
        self.estimate = estimate
        self.unknown_because = unknown_because
        self.files = files
        self.may_be_allowed = may_be_allowed
        super().__init__("/users/export/segment", 0, f"no user of {segment!r} came: {self.seen}")

    @property
    def seen(self) -> str:
        """What came, and what Braze estimates, as half a sentence."""
        came = f"its {self.files} files in" if self.files else "no file came to"
        watched = f"{came} {self.folder}" if self.folder else "the archive that Braze offered"
        held = " hold no user" if self.files else "" if self.folder else " holds no user"
        return f"{watched}{held}, and {self._estimated}"

    @property
    def _estimated(self) -> str:
        if self.estimate is None:
            return f"how many users Braze estimates is not known ({self.unknown_because})"
        return f"Braze estimates {self.estimate:,} users"


class QueueError(ExchangerError):
    """
    A queue of notices did not do what was asked. Nothing is lost: folders are listed all the same.

    Args:
        action: What was being done, as a verb.
        queue: Its address.
        detail: What SQS says, free of secrets.
        code: Its own word for it; empty if there was no answer.
    """

    exit_code = 6
    action: str
    queue: str
    detail: str = ""
    code: str = field(default="", kw_only=True)

    def _summary(self) -> str:
        return f"{self.action} {self.queue}: {self.detail or type(self).__name__}"


class EngineError(ExchangerError):
    """
    The cluster that plans parts of a run did not do so; nothing of the run was sent.

    Args:
        address: Of its scheduler.
        detail: What happened.
    """

    exit_code = 6
    address: str
    detail: str = ""

    def _summary(self) -> str:
        return f"{self.address}: {self.detail or type(self).__name__}"


class EngineUnreachable(EngineError):
    """The scheduler does not answer, or it has no worker."""

    retryable = True


class EngineDiffers(EngineError):
    """
    A worker has other versions than this process, so it might decide otherwise.

    Args:
        address: Of the scheduler.
        worker: Its address; empty if it is not known which.
        theirs: What the worker has, by name; an empty version where it lacks it.
        ours: What this process has.
    """

    def __init__(
        self, address: str, worker: str, theirs: dict[str, str], ours: dict[str, str]
    ) -> None:
        self.worker = worker
        self.theirs = theirs
        self.ours = ours
        super().__init__(address, f"{worker or 'a worker'} has {theirs}, we have {ours}")


class EngineGaveUp(EngineError):
    """A part was begun by several workers, and each was lost with it."""

    def __init__(self, address: str, workers: int) -> None:
        self.workers = workers
        super().__init__(address, f"{workers} workers were lost with the same part")


class EngineSilent(EngineError):
    """A worker has a part, and nothing comes of it."""

    retryable = True

    def __init__(self, address: str, minutes: float) -> None:
        super().__init__(address, f"a part has not come back for {minutes:g} minutes")


class EngineMissing(EngineError):
    """The package to speak with a cluster is not installed."""

    exit_code = 3


class NoRoom(ExchangerError):
    """
    The folder for temporary files has no room for what a run writes there.

    Args:
        folder: The folder.
        free: Bytes that are free there.
        used: Bytes that the run had there.
        limit: The most bytes that a file of this process may have; None if there is no limit.
        detail: What the system says.
    """

    exit_code = 6
    summary = "{folder}: {detail}"
    folder: str
    free: int
    used: int
    limit: int | None
    detail: str


class FileRejected(ExchangerError):
    """
    One file cannot be used at all; other files are not affected.

    Args:
        key: The file's key in the bucket, or its name.
        reason: A stable word for the kind of problem, such as ``not_parquet``.
        message: What is wrong and what to do, in words.
        row: The data row where it was seen, from 1; 0 if it is about the whole file.
        column: The column it is about, if one.
    """

    exit_code = 4
    summary = "{key}: {message}"
    key: str
    reason: str
    message: str
    row: int = 0
    column: str = ""


class InvalidRow(ExchangerError):
    """
    A row cannot be used, and its job stops then: nothing of the run was sent.

    Args:
        job: The job.
        key: The row's file.
        row: Its number there, from 1.
        field: What it is about; empty if it is about the whole row.
        message: What is wrong with it, for a person.
    """

    exit_code = 4
    summary = "{key}, row {row}: {message}"
    job: str
    key: str
    row: int
    field: str
    message: str


class SchemaBroken(ExchangerError):
    """
    The columns of a file are not what its job demands (``source.schema``), so nothing is sent.
    """

    exit_code = 4
    summary = "{key}: {message}"
    key: str
    message: str


class JobBusy(ExchangerError):
    """Another process holds the job."""

    exit_code = 8
    job: str
    holder: str = ""

    def _summary(self) -> str:
        return f"{self.job} is held by {self.holder or 'another process'}"


class LeaseLost(ExchangerError):
    """This process can no longer prove that it is the only writer, so it stops sending."""

    exit_code = 8
    retryable = True
    summary = "{holder} lost its lease"
    holder: str


class StateDamaged(ExchangerError):
    """An object below the state prefix is missing or is not what was written."""

    summary = "{key}: {detail}"
    key: str
    detail: str


class StateNewer(StateDamaged):
    """
    A newer version of exchanger wrote an object of the state.

    Args:
        key: The object.
        written: Its format.
        known: The newest format that this version reads.
    """

    def __init__(self, key: str, written: int, known: int) -> None:
        self.written = written
        self.known = known
        super().__init__(key, f"it has format {written}, and this version reads {known}")


class StateMissing(StateDamaged):
    """An object below the state prefix is gone: retention removed it, or somebody else did."""

    def __init__(self, key: str) -> None:
        super().__init__(key, "it is gone, and its run cannot end without it")


class StateOlder(StateDamaged):
    """
    Runs that were made are gone, and other things of the state are not.

    Args:
        state: The state prefix.
        key: The document of a run that is gone.
        left: The newest run that is left; 0 if none is.
    """

    def __init__(self, state: str, key: str, left: int) -> None:
        self.state = state
        self.left = left
        super().__init__(key, "it is gone, and what its run did may be known to nobody")


class TableOlder(StateDamaged):
    """
    A table of the state lacks what a run has written to it.

    Args:
        key: The folder of the table.
        seq: The run.
        setting: What a job does without for a run if the table cannot be had back; empty if what it
            says can be looked up in Braze.
    """

    def __init__(self, key: str, seq: int, setting: str = "") -> None:
        self.seq = seq
        self.setting = setting
        super().__init__(key, f"it lacks what run {seq} has written")


class WorkspaceDiffers(ExchangerError):
    """
    A state was made with another Braze workspace, or nobody can tell that it was made with this.

    Args:
        connection: The connection that uses it now.
        state: Where the state is: bucket and prefix.
        was: The instance that it was made with; empty if the state does not say whose it is.
        now: The instance of the connection.
        unclear: It may be the same workspace, under a key that was never used with this state.
    """

    exit_code = 3
    connection: str
    state: str
    was: str
    now: str
    unclear: bool = field(kw_only=True)

    def _summary(self) -> str:
        return f"{self.state} was made with {self.was or 'nobody knows what'}, not with {self.now}"


class NothingToAdopt(ExchangerError):
    """
    There is no state that a connection could take over, or nothing says which one is meant.

    Args:
        connection: The connection.
        detail: Why not.
        states: The prefixes that could be meant.
    """

    exit_code = 2
    summary = "{connection}: {detail}"
    connection: str
    detail: str
    states: list[str] = field(default_factory=list)


class Stopped(ExchangerError):
    """The process was asked to stop before anything of a run counted."""

    exit_code = 4


class NotConfigured(ExchangerError):
    """
    The configuration names no such job, connection, or anything else.

    Args:
        kind: What was looked for: a job, a connection.
        name: By this name.
        known: The names that there are.
    """

    exit_code = 2
    summary = "no {kind} {name}"
    kind: str
    name: str
    known: list[str]


class NotAnImport(ExchangerError):
    """What was asked of a job can be asked of imports alone."""

    exit_code = 2
    summary = "{job} is an export"
    job: str


class NotAnExport(ExchangerError):
    """What was asked of a job can be asked of exports alone."""

    exit_code = 2
    summary = "{job} is an import"
    job: str


class WhichConnection(ExchangerError):
    """There are several connections, and none was named."""

    exit_code = 2
    summary = "{connections}"
    connections: list[str]


class SegmentUnnamed(ExchangerError):
    """A job is to learn from a segment, and neither it nor who asked names one."""

    exit_code = 2
    summary = "{job} names no segment"
    job: str


class RunMissing(ExchangerError):
    """There is no run of that id or number."""

    exit_code = 2
    summary = "no run {run}"
    run: str


class RunAmbiguous(ExchangerError):
    """Several connections have a run of that number."""

    exit_code = 2
    run: str
    connections: list[str]

    def _summary(self) -> str:
        return f"run {self.run} of {', '.join(self.connections)}"


class RunUnsuitable(ExchangerError):
    """
    A run is in no state for what was asked.

    Args:
        run: Its id or number.
        verb: What was asked for: ``approve``, ``discard`` or ``retry``.
        detail: Why it cannot be done.
    """

    exit_code = 2
    summary = "{verb} {run}: {detail}"
    run: str
    verb: str
    detail: str


class CannotTest(ExchangerError):
    """A row cannot be given by itself."""

    exit_code = 2
    summary = "{job}: {detail}"
    job: str
    detail: str


class NothingToBackfill(ExchangerError):
    """
    A backfill was asked for without a range that its job can have.

    Args:
        job: The job.
        detail: Why.
        instead: What to do; everything can be taken if left out.
    """

    exit_code = 2
    summary = "{job}: {detail}"
    job: str
    detail: str
    instead: str = ""


class PlanUnusable(ExchangerError):
    """A saved plan cannot be written or read."""

    exit_code = 2
    summary = "{path}: {detail}"
    path: str
    detail: str


class PlanMoved(ExchangerError):
    """A saved plan is not run, as something is not as it was when the plan was made."""

    exit_code = 5
    summary = "{job}: {detail}"
    job: str
    detail: str
