"""
How far old state was swept: up to which run each kind is gone, so that nothing is listed twice,
and up to which one what runs changed is in the table of changes.

Only who holds the lease sweeps, and a mark is written once all below it is gone. So what a process
writes late that has lost the lease makes others sweep again, and leaves nothing behind.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from exchanger.errors import StorageMissing
from exchanger.state.documents import read_document, to_body
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames


@dataclass(frozen=True)
class Marks:
    """
    The last run of which a kind of state is gone, or is recorded; 0 if none is.

    Args:
        outbox: Planned changes.
        acknowledgements: What Braze said of them, and what was begun.
        quarantine: What may be given again. Later runs may have such rows, earlier ones have not.
        contributions: What files gave to sums and lists.
        changes: What runs changed: the months before that of this run are gone.
        answers: What whoever dropped files was told; earlier versions knew none.
        recorded: Of which, and of all before it, the table of changes has what it changed. Of
            later ones it may have it, too: the table itself knows.
    """

    outbox: int = 0
    acknowledgements: int = 0
    quarantine: int = 0
    contributions: int = 0
    changes: int = 0
    answers: int = 0
    recorded: int = 0


class Swept:
    """The marks of one connection: one small document."""

    def __init__(self, bucket: Bucket, names: StateNames) -> None:
        self._bucket = bucket
        self._key = names.swept

    def load(self) -> Marks:
        """
        Read the marks.

        Raises:
            StateDamaged: The document is not what was written.
        """

        def marks(content: dict[str, Any]) -> Marks:
            return Marks(**{name: int(content.get(name, 0)) for name in asdict(Marks())})

        found = read_document(self._bucket, self._key, marks, "no marks in it")
        return found[0] if found else Marks()

    def age(self) -> float | None:
        """Return, by S3's clock alone, how many seconds ago it was swept; None if it never was."""
        try:
            age = self._bucket.head(self._key).age
        except StorageMissing:
            return None
        return age.total_seconds() if age else None

    def save(self, marks: Marks) -> None:
        """Write the marks, and with them when it was swept."""
        self._bucket.write(self._key, to_body({"nonce": new_nonce(), **asdict(marks)}))
