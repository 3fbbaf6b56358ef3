"""
The name of every object we write below the state prefix, and what may never be taken for a drop.

Sequence numbers are padded so that names sort as numbers do.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote

from exchanger.config.loading.shorthand import REGISTER

_RUN = re.compile(r"runs/(\d{9})\.json$")
_KEPT = re.compile(r"held-back/(\d{9})-[^/]+$")
_PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789_-."


@dataclass(frozen=True)
class StateNames:
    """
    Names below one connection's state prefix.

    Args:
        prefix: The state prefix; ends in ``/``.
    """

    prefix: str

    @property
    def runs(self) -> str:
        """The folder of run documents."""
        return f"{self.prefix}runs/"

    def run(self, seq: int) -> str:
        """The run document of a sequence number."""
        return f"{self.runs}{seq:09d}.json"

    def seq_of(self, key: str) -> int | None:
        """Read the sequence number back from a run document's key; None for any other key."""
        found = _RUN.search(key)
        return int(found[1]) if found else None

    @property
    def newest_run(self) -> str:
        """The hint at the newest run document, beside the state: it outlives what is put back."""
        return f"{REGISTER}newest/{digest_of(self.prefix)}.json"

    @property
    def register_entry(self) -> str:
        """The copy of whose memory this is, by which other states find it."""
        return f"{REGISTER}{digest_of(self.prefix)}.json"

    def outbox(self, seq: int, nonce: str) -> str:
        """The planned changes of a run."""
        return f"{self.prefix}outbox/{seq:09d}-{nonce}.parquet"

    def outboxes(self, seq: int) -> str:
        """What the names begin with of all that was planned under a number, by any process."""
        return f"{self.prefix}outbox/{seq:09d}-"

    def contributions(self, seq: int, nonce: str) -> str:
        """What each file gave to summed and added fields."""
        return f"{self.prefix}outbox/{seq:09d}-{nonce}-contributions.parquet"

    def rejected(self, seq: int, nonce: str) -> str:
        """The rows that planning rejected, until they are written to quarantine."""
        return f"{self.prefix}outbox/{seq:09d}-{nonce}-rejected.parquet"

    def planned_dropped(self, seq: int, nonce: str) -> str:
        """The values that were left out of rows, until they are written beside the quarantine."""
        return f"{self.prefix}outbox/{seq:09d}-{nonce}-dropped.parquet"

    def planned_event_order(self, seq: int, nonce: str) -> str:
        """Where the winning rows of a run stand in the order of their job."""
        return f"{self.prefix}outbox/{seq:09d}-{nonce}-event-order.parquet"

    def acks(self, seq: int) -> str:
        """The folder of a run's acknowledgements."""
        return f"{self.prefix}acks/{seq:09d}/"

    def ack(self, seq: int, nonce: str, part: int) -> str:
        """One part of a run's acknowledgements, written by the process that drew *nonce*."""
        return f"{self.acks(seq)}{nonce}-{part:05d}.parquet"

    def begun_folder(self, seq: int) -> str:
        """The folder of marks of what was begun in a run."""
        return f"{self.prefix}begun/{seq:09d}/"

    def begun(self, seq: int, nonce: str, window: int, first: int, last: int) -> str:
        """The mark that a window of a run was begun, with its first and last item."""
        return f"{self.begun_folder(seq)}{nonce}-{window:05d}-{first}-{last}.json"

    def quarantine(self, job: str, seq: int) -> str:
        """The rows of a run that were rejected or refused, with reasons."""
        return f"{self.prefix}quarantine/{job}/{seq:09d}.csv"

    def dropped(self, job: str, seq: int) -> str:
        """The values that were left out while the rest of their rows was applied, with reasons."""
        return f"{self.prefix}quarantine/{job}/{seq:09d}-dropped.csv"

    def refused_rows(self, job: str, seq: int) -> str:
        """What Braze refused of a run, in a form that can be given again."""
        return f"{self.prefix}quarantine/{job}/{seq:09d}.parquet"

    def settled_contributions(self, seq: int) -> str:
        """What the files of a run really gave to summed and added fields."""
        return f"{self.prefix}contributions/{seq:09d}.parquet"

    def kept_file(self, seq: int, nonce: str, position: int) -> str:
        """The content of a file that waits in a run which is held back."""
        return f"{self.prefix}held-back/{seq:09d}-{nonce}-{position:05d}"

    @property
    def kept_files(self) -> str:
        """The folder of the contents of files that wait."""
        return f"{self.prefix}held-back/"

    def seq_of_kept_file(self, key: str) -> int | None:
        """Read back in which run a file waits; None for any other key."""
        found = _KEPT.search(key)
        return int(found[1]) if found else None

    def column_types(self, job: str) -> str:
        """The types that were inferred for the columns of a job, and are kept."""
        return f"{self.prefix}column-types/{job}.json"

    def export(self, job: str) -> str:
        """The segment export that a job waits for."""
        return f"{self.prefix}exports/{job}.json"

    @property
    def first_deliveries(self) -> str:
        """Which attributes were ever delivered, and what is yet to be read back of them."""
        return f"{self.prefix}first-deliveries.json"

    @property
    def swept(self) -> str:
        """How far old state was swept."""
        return f"{self.prefix}swept.json"

    @property
    def forgotten(self) -> str:
        """In which slices of profiles somebody was forgotten."""
        return f"{self.prefix}forgotten.json"

    @property
    def heartbeats(self) -> str:
        """The folder of documents by which daemons show that they are alive."""
        return f"{self.prefix}heartbeat/"

    def heartbeat(self, daemon: str) -> str:
        """The document of one daemon."""
        return f"{self.heartbeats}{daemon}.json"

    @property
    def alerts(self) -> str:
        """What people were told of the troubles of jobs, and what is yet to be told."""
        return f"{self.prefix}alerts.json"

    @property
    def hour(self) -> str:
        """How many requests of this clock hour are reserved."""
        return f"{self.prefix}hour.json"

    @property
    def group_status(self) -> str:
        """Whether Braze tells when it is done with requests."""
        return f"{self.prefix}group-status.json"

    @property
    def workspace(self) -> str:
        """Whose memory this is."""
        return f"{self.prefix}workspace.json"

    @property
    def lease(self) -> str:
        """Who may write."""
        return f"{self.prefix}lease.json"

    @property
    def held(self) -> str:
        """The Delta table of held values."""
        return f"{self.prefix}held"

    def held_items(self, catalog: str) -> str:
        """The Delta table of what is held of the items of a catalog."""
        return f"{self.prefix}held-items/{_folder(catalog)}"

    def high_water_marks(self, job: str, column: str) -> str:
        """The Delta table of how far a job has come in the order of a column."""
        return f"{self.prefix}high-water-marks/{_folder(job)}/{_folder(column)}"

    def row_ledger(self, job: str) -> str:
        """The Delta table of rows that a job has taken up."""
        return f"{self.prefix}row-ledger/{_folder(job)}"

    @property
    def all_members(self) -> str:
        """The folder of whom jobs have by their snapshots."""
        return f"{self.prefix}members/"

    def members_of(self, job: str) -> str:
        """The folder of whom one job has by its snapshots."""
        return f"{self.all_members}{_folder(job)}/"

    def members(self, job: str, seq: int, nonce: str) -> str:
        """Whom a job has by the snapshot that a run read."""
        return f"{self.members_of(job)}{seq:09d}-{nonce}.parquet"

    def more_members(self, job: str, seq: int, nonce: str) -> str:
        """Whom a job has since then by a run that gave rows of the snapshot again."""
        return f"{self.members_of(job)}{seq:09d}-{nonce}-more.parquet"

    def leavers(self, job: str, seq: int, nonce: str) -> str:
        """Whom a job had before, and who is missing in the snapshot that a run read."""
        return f"{self.members_of(job)}{seq:09d}-{nonce}-left.parquet"

    def changes(self, month: str) -> str:
        """The Delta table of what the runs of a month changed."""
        return f"{self.prefix}changes/{month}"

    @property
    def file_ledger(self) -> str:
        """The Delta table of applied files."""
        return f"{self.prefix}file-ledger"

    @property
    def run_index(self) -> str:
        """The Delta table of finished runs."""
        return f"{self.prefix}run-index"


def digest_of(prefix: str) -> str:
    """Name a state, in the register, by its prefix."""
    return hashlib.sha256(prefix.encode()).hexdigest()[:24]


def _folder(name: str) -> str:
    # Readers of tables take percent signs in a path for escapes.
    return table_column(name).replace("%", "~")


def table_column(field: str) -> str:
    """
    Name the column of an attribute in a Delta table.

    Delta compares column names without case and forbids some characters, so everything outside
    ``a-z 0-9 _ - .`` is percent-encoded, with lower-case digits.
    """
    return "".join(
        c if c in _PLAIN else "".join(f"%{byte:02x}" for byte in c.encode()) for c in field
    )


def field_of(column: str) -> str:
    """Turn a column name of a Delta table back into the attribute's name."""
    return unquote(column)


def items_of_mark(key: str) -> tuple[int, int]:
    """Return the first and last item of a window, by the name of the mark that it was begun."""
    *_, first, last = key.removesuffix(".json").rsplit("-", 2)
    return int(first), int(last)
