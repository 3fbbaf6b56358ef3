"""
The run log: one numbered document for each run that planned something.

Creating a document is the moment its plan counts (law 3). Documents are created with
``If-None-Match`` and changed with ``If-Match``, so two processes never both think that they did.
Sequence numbers have no gaps.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from exchanger.config.taken import is_taken_name
from exchanger.errors import StateDamaged, StateOlder, StorageChanged, StorageMissing
from exchanger.notes import Note, as_plain, read_notes
from exchanger.state.documents import from_body, to_body
from exchanger.state.tenure import Tenure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.objects.kinds import ObjectKind
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames

RunLogState = Literal[
    "planned", "delivering", "settling", "settled", "held_back", "failed", "discarded"
]
FileOutcome = Literal[
    "applied",  # every row was planned
    "rejected",  # the whole file is in quarantine
    "equal_content",  # the same bytes were added before; waits in a run that is held back
    "replaced",  # a new version of a file that was added before; waits likewise
    "doubtful_type",  # a column of its run is text because of a few words; waits likewise
    "guarded",  # a guard found that its run would do too much; waits likewise
    "applied_elsewhere",  # another state of the bucket knows it; waits likewise
    "memory_lost",  # it may have been applied before our memory was lost; waits likewise
    "retried",  # some rows, which did not reach Braze in the run that read them first
    "corrected",  # its rows stand for rejected rows of another file, which is claimed beside it
    "tested",  # one row, given by itself; the file goes on waiting
    "undone",  # what a run gave of it was taken back, as far as that was possible
    "shadowed",  # planned by a run that sends nothing
    "discarded",  # dropped by a person; what had been sent of it stays
    "overtaken",  # a newer version of the file was applied meanwhile
    "left",  # some people are missing in it whom its job had before: the rows are these
    "superseded",  # not read, as a newer file of the job counts alone
    "known",  # has the content that was read before under its name; its ETag alone is another
    "unreadable",  # S3 does not give it out as it is; not claimed, so the next run tries again
]
LEFT_OUT: tuple[FileOutcome, ...] = ("superseded", "known")
"""Outcomes of files of which nothing is to be taken, and about which nobody has to decide."""
ENDED: frozenset[RunLogState] = frozenset({"settled", "discarded", "held_back"})
"""States that need nothing more from the next run."""
_NEWEST = "newest run"
_LISTED_AT_ONCE = 1_000
"""Objects in one page of a listing."""


def new_nonce() -> str:
    """Draw a name that no other process will draw."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class ClaimedFile:
    """
    One file version that a run claimed, and what became of it.

    Args:
        key, etag: The version.
        sha256: Of its content.
        outcome: What became of it.
        rows: Data rows that were read.
        sums: The summed fields that it fed.
        note: What an earlier version noted of it, in words.
        facts: What is noted of it.
        replaces: It gave only the difference to what earlier versions of its key had given.
        kept: The object that its rows are read from: a copy of ours, the place to which a run has
            moved it, or a file of corrected rows; empty if that is the file itself.
        correction: The version of that file of corrected rows; empty if they come from another.
        refused_in: The run that owes its rows, as Braze refused them; 0 if they come from the file.
        rejected: Of its rows, those that were not accepted.
        refused: Of its rows, those that Braze refused; known once the run is settled.
        row: The only row that was read, of a test; 0 otherwise.
        arrived: When it arrived, by S3's clock; ISO 8601, empty if that is not known.
    """

    key: str
    etag: str
    sha256: str
    outcome: FileOutcome
    rows: int = 0
    sums: tuple[str, ...] = ()
    note: str = ""
    replaces: bool = False
    kept: str = ""
    refused_in: int = 0
    rejected: int = 0
    refused: int = 0
    facts: tuple[Note, ...] = ()
    row: int = 0
    arrived: str = ""
    correction: str = ""

    @property
    def arrived_at(self) -> datetime | None:
        """When it arrived; None if that is not known."""
        return datetime.fromisoformat(self.arrived) if self.arrived else None

    @property
    def moved_to(self) -> str:
        """Where it lies since a run has moved or renamed it; empty if none has."""
        return self.kept if is_taken_name(self.kept) else ""


@dataclass(frozen=True)
class RunDocument:
    """
    One run, as the bucket remembers it.

    Args:
        seq: Its number, from 1.
        run_id: The name that people use.
        job: The job's name.
        state: Where it stands (protocol: planned, delivering, settling, settled).
        nonce: Drawn by the process that wrote this version last.
        counter: How often the document was written; equal bodies would have equal ETags.
        created_at: ISO 8601, UTC.
        files: What it claimed.
        outbox, contributions, rejected, dropped: Keys of its Parquet objects; empty if it has none.
        outbox_sha256: Checksum of the outbox.
        objects: Rows in the outbox.
        resumed: Another process may have sent objects whose acknowledgements it did not keep.
        taken_over: That process lost its lease without giving it up, so it may still be alive.
        fence: The fencing number of the lease under which the run is delivered.
        types: Types to keep for the job's columns.
        words: Of columns that are text because of a few words, these words.
        reads_as: What its job said of reading files, in short, if a column is why it waits.
        report: The report as far as it is known, final once settled.
        ack_parts: Keys of the frozen acknowledgements, from ``settling`` on.
        acked_at: When the last acknowledgement was written, by the bucket's clock; ISO 8601.
        fields: How each field was merged and as what: ``merge``, ``type``, ``scale``.
        hold: It waits for a person: nothing of it is sent.
        discarded: A person dropped it while it was under way.
        totals: What it would add to each summed field in all, as shown to that person.
        parent: The run that was held back, or whose quarantine is given again, if there is one.
        continued_by: The run that did so with this one.
        event_order: Key of where its rows stand in the order of ``order_by``; empty without.
        order_by: The column of that order; empty if the job has none.
        settled_contributions: Key of what its files really gave to summed and added fields.
        refused_rows: Key of what Braze refused, in a form that can be given again, once settled.
        group: The ``group_id`` of all its requests, if one process sent them and Braze tracks them.
        taken: As how many of them Braze may count at most.
        object: What its rows became.
        row_ids: Its job names each row.
        catalog: The catalog whose items it changes; empty if it changes none.
        named_catalogs: The catalogs of its items, where a column of the rows names them.
        removes: It deletes what it names.
        layout: How the job's CSV is written, to be kept.
        columns: The columns that the job's files had by then, if it says something of new ones.
        answers: What whoever dropped its files is to find, and where; empty if nothing.
        answered: That was written of the run as it stands.
        verify: How many percent of what it sends are to be read back; 0 for none.
        shadow: It is dropped from the first step on, and compared with what Braze has later.
        takes_back: The run whose changes it takes back; 0 if it takes none back.
        releases: The run in which the corrected rows waited that it gives; 0 if they did in none.
        members: Key of whom its job has by it, once it is settled; empty if it read no snapshot.
        member_count: How many these are.
        left: Key of whom its job had before, and has no more; empty if that is nobody.
        on_removed: What becomes of these, in a word: ``clear_fields``, ``delete``, ``event:NAME``.
        removed_by: The run that does so with them.
        leavers_of: The run whose ``left`` this one is about.
        filled: By field, of which share of the rows that it took it had a value, in percent.
        after: What becomes of its files once it is settled: ``prefix``, ``move_to``, ``suffix``
            and ``tag``; empty if they stay as they are.
        put_away: That was done.
        held_version: The version of the table of held values that has what it delivered.
        held_table: Which table that is; empty if it delivered nothing.
        ordered: Whether it has recorded how far it came in the order of ``order_by``.
        removal: What it does with them; also of a run that gives rows of such a one again.
        canary: So many objects are sent first, and read back; 0 if none are, or that was decided.
        rest_withheld: It was decided that the rest is not sent, as Braze did not keep what was.
    """

    seq: int
    run_id: str
    job: str
    state: RunLogState
    nonce: str
    counter: int
    created_at: str
    files: tuple[ClaimedFile, ...] = ()
    outbox: str = ""
    outbox_sha256: str = ""
    contributions: str = ""
    rejected: str = ""
    dropped: str = ""
    objects: int = 0
    resumed: bool = False
    taken_over: bool = False
    fence: int = 0
    types: dict[str, str] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    ack_parts: tuple[str, ...] = ()
    acked_at: str = ""
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    hold: bool = False
    discarded: bool = False
    totals: dict[str, str] = field(default_factory=dict)
    parent: int = 0
    continued_by: int = 0
    event_order: str = ""
    order_by: str = ""
    settled_contributions: str = ""
    refused_rows: str = ""
    words: dict[str, list[str]] = field(default_factory=dict)
    reads_as: str = ""
    group: str = ""
    taken: int = 0
    object: str = "attributes"
    row_ids: bool = False
    catalog: str = ""
    named_catalogs: tuple[str, ...] = ()
    removes: bool = False
    layout: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    answered: bool = False
    verify: float = 0.0
    shadow: bool = False
    takes_back: int = 0
    releases: int = 0
    members: str = ""
    member_count: int = 0
    left: str = ""
    on_removed: str = ""
    removed_by: int = 0
    leavers_of: int = 0
    removal: str = ""
    filled: dict[str, float] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    put_away: bool = False
    held_version: int = 0
    held_table: str = ""
    ordered: bool = False
    canary: int = 0
    rest_withheld: bool = False

    @property
    def catalogs(self) -> tuple[str, ...]:
        """The catalogs of whose items anything is sent; none if it is about profiles."""
        return (self.catalog,) if self.catalog else self.named_catalogs

    @property
    def takes_up(self) -> tuple[int, ...]:
        """The runs that are done with by this one: they waited, or it gives what they put aside."""
        return tuple(filter(None, (self.parent, self.releases)))

    @property
    def holds_corrections(self) -> bool:
        """Whether files of corrected rows wait in it for a person."""
        return self.hold and any(file.correction for file in self.files)

    @property
    def kind(self) -> ObjectKind:
        """What its rows became, whatever its job makes of rows by now."""
        # Loads polars, which the daemon stays clear of.
        from exchanger.objects.kinds import kind_named

        return kind_named(self.object)

    def to_bytes(self) -> bytes:
        """Render as stored."""
        return to_body(asdict(self, dict_factory=as_plain))

    @staticmethod
    def from_bytes(body: bytes, key: str) -> RunDocument:
        """
        Read what *to_bytes* wrote.

        Raises:
            StateDamaged: It is something else.
        """
        try:
            content = from_body(body, key)
            content["files"] = tuple(
                ClaimedFile(
                    **{
                        **item,
                        "sums": tuple(item["sums"]),
                        "facts": read_notes(item.get("facts", [])),
                    }
                )
                for item in content["files"]
            )
            content["ack_parts"] = tuple(content["ack_parts"])
            content["named_catalogs"] = tuple(content.get("named_catalogs", ()))
            return RunDocument(**content)
        except (ValueError, KeyError, TypeError) as error:
            raise StateDamaged(key, f"not a run document: {error}") from error


@dataclass(frozen=True)
class VersionedRun:
    """A run document together with the ETag that a change must match."""

    document: RunDocument
    etag: str


class RunLog:
    """
    The numbered documents of one connection.

    Args:
        bucket: Where they are.
        names: How they are named.
        tenure: Remembers the newest run while the lease is held.
    """

    def __init__(self, bucket: Bucket, names: StateNames, tenure: Tenure | None = None) -> None:
        self._bucket = bucket
        self._names = names
        self._tenure = tenure or Tenure()
        self._made: set[int] = set()

    def newest(self) -> VersionedRun | None:
        """
        Return the run with the highest number; None before the first run.

        Raises:
            StateOlder: Later ones were made, and are gone.
        """
        return self._tenure.known(_NEWEST, self._find_newest)

    def made_here(self, seq: int) -> bool:
        """Return whether a run was created through this very log, and so a moment ago."""
        return seq in self._made

    def _find_newest(self) -> VersionedRun | None:
        hint = self.last_made()
        seq = self._last_after(hint - 1)
        if not seq and hint > 1 and (left := self._last_after(0)):
            raise StateOlder(self._names.prefix, self._names.run(hint), left)
        return self.read(seq) if seq else None

    def _last_after(self, before: int) -> int:
        """Return the highest number of a run after run *before*; 0 if there is none."""
        after = self._names.run(before) if before > 0 else ""
        listed = self._bucket.list(self._names.runs, start_after=after)
        return max((self._names.seq_of(item.key) or 0 for item in listed), default=0)

    def read(self, seq: int) -> VersionedRun:
        """
        Read one run.

        Raises:
            StorageMissing: There is no run of that number.
        """
        key = self._names.run(seq)
        body, etag = self._bucket.read(key)
        return VersionedRun(RunDocument.from_bytes(body, key), etag)

    def age(self, seq: int) -> float:
        """Return, by S3's clock alone, for how many seconds a run's document has not changed."""
        age = self._bucket.head(self._names.run(seq)).age
        return age.total_seconds() if age else 0.0

    def written(self, seq: int) -> datetime:
        """Return when a run's document was written last, by S3's clock."""
        return self._bucket.head(self._names.run(seq)).last_modified

    def older_than(self, seconds: float, after: int, last: int) -> Iterator[int]:
        """
        Number the runs whose documents have not changed for so long, in order, up to the first one
        that has: by S3's clock alone.

        Args:
            seconds: For how long.
            after: Only later runs than this one.
            last: No later run than this one.
        """
        for item in self._bucket.list(self._names.runs, start_after=self._names.run(after)):
            seq = self._names.seq_of(item.key)
            if seq is None:
                continue
            if seq > last or item.age is None or item.age.total_seconds() < seconds:
                return
            yield seq

    def settled(self, grace: float) -> int:
        """
        Name the last run whose values Braze shows by now, and those of all runs before it.

        That is what an observation is stamped with, if it is asked for now.

        Args:
            grace: Seconds after its end in which Braze may still show the values before a run.

        Returns:
            Its number; 0 if there is none.
        """
        newest = self.newest()
        if newest is None:
            return 0
        last = newest.document.seq - (newest.document.state not in ENDED)
        return next((seq for seq, age in self._ages(last) if age >= grace), 0)

    def shown_in(self, grace: float) -> float:
        """
        Return in how many seconds Braze shows all that runs have sent; 0 if it does.

        Args:
            grace: As for *settled*.

        Returns:
            Infinity while a run is under way.
        """
        newest = self.newest()
        if newest is None:
            return 0.0
        if newest.document.state not in ENDED:
            return inf
        # S3 tells times in whole seconds.
        return max(grace + 1 - self.age(newest.document.seq), 0.0)

    def demand(self, seq: int, fence: int) -> None:
        """
        Check that a run is still delivered under our lease.

        Raises:
            StorageChanged: Another holder has taken it on.
        """
        if self.read(seq).document.fence != fence:
            key = self._names.run(seq)
            raise StorageChanged("deliver", self._bucket.name, key, "another holder took it on")

    def create(self, document: RunDocument) -> VersionedRun:
        """
        Commit a plan.

        Raises:
            StorageChanged: Another process created a run of this number first.
        """
        return self._write(document, None)

    def change(self, stored: VersionedRun, **changes: Any) -> VersionedRun:
        """
        Write the next version of a document.

        Raises:
            StorageChanged: Another process changed it since it was read.
        """
        document = replace(
            stored.document, nonce=new_nonce(), counter=stored.document.counter + 1, **changes
        )
        return self._write(document, stored.etag)

    def _write(self, document: RunDocument, etag: str | None) -> VersionedRun:
        key = self._names.run(document.seq)
        body = document.to_bytes()
        try:
            written = self._bucket.write(key, body, if_match=etag, if_none_match=etag is None)
        except StorageChanged:
            # The answer to our own first attempt may have been lost on the way.
            found = self.read(document.seq)
            if found.document.nonce != document.nonce:
                self._tenure.forget()
                raise
            return self._noted(found)
        if etag is None:
            self._made.add(document.seq)
            self._bucket.write(
                self._names.newest_run, to_body({"seq": document.seq, "nonce": new_nonce()})
            )
        return self._noted(VersionedRun(document, written))

    def _noted(self, stored: VersionedRun) -> VersionedRun:
        """Remember what was written, if it is the newest run."""
        newest = self._tenure.known(_NEWEST, lambda: None)
        if newest is None or stored.document.seq >= newest.document.seq:
            self._tenure.note(_NEWEST, stored)
        return stored

    def _ages(self, last: int) -> Iterator[tuple[int, float]]:
        """
        Return the ages of a run and of those before it, the newest first.

        Each listing answers for a thousand. Ages are seconds by S3's clock; 0 where the store does
        not say, or the run is not there.
        """
        while last > 0:
            before = max(last - _LISTED_AT_ONCE, 0)
            found: dict[int, float] = {}
            for item in self._bucket.list(self._names.runs, start_after=self._names.run(before)):
                seq = self._names.seq_of(item.key) or 0
                found[seq] = item.age.total_seconds() if item.age else 0.0
                if seq >= last:
                    break
            for seq in range(last, before, -1):
                yield seq, found.get(seq, 0.0)
            last = before

    def last_made(self) -> int:
        """Return the number of a run that was made, mostly the newest one; 0 if nobody knows."""
        try:
            body, _ = self._bucket.read(self._names.newest_run)
            return int(from_body(body, self._names.newest_run)["seq"])
        except (StorageMissing, ValueError, KeyError, TypeError):
            # Without it the whole folder is listed.
            return 0

    def begin_anew(self) -> None:
        """Forget which runs were made: all that they did is gone, and numbers begin with 1."""
        self._bucket.delete([self._names.newest_run])
