"""
What was told from a job's files, and is kept: the types of its columns, and how its CSV is written.

Types are inferred once, kept, and only ever widened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from exchanger.errors import StorageChanged
from exchanger.state.documents import read_document, to_body
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames

_ATTEMPTS = 5
"""How often a change is tried again because another process wrote meanwhile."""


@dataclass(frozen=True)
class KeptColumns:
    """
    What is kept of a job's columns.

    Args:
        types: Their types.
        words: Of columns that are text because of a few words, these words.
        layout: How the job's CSV is written: ``encoding``, ``delimiter``.
        columns: The columns that its files had, if the job says something of new ones.
        forgotten: Columns that a person has reset, with the last run that there was by then.
        seq: The run that settled on the types.
        nonce: Drawn anew for each version; equal bodies would have equal ETags.
    """

    types: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    layout: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    forgotten: dict[str, int] = field(default_factory=dict)
    seq: int = 0
    nonce: str = ""


class ColumnTypes:
    """Column types by job, one small document each."""

    def __init__(self, bucket: Bucket, names: StateNames) -> None:
        self._bucket = bucket
        self._names = names

    def of(self, job: str) -> dict[str, str]:
        """
        Read the kept types of a job's columns; empty before its first run.

        Raises:
            StateDamaged: The document is not what was written.
        """
        return self.columns(job).types

    def columns(self, job: str) -> KeptColumns:
        """Read all that is kept of a job's columns; raises as *of* does."""
        return self._read(job)[0]

    def keep(  # noqa: PLR0913 - all that is kept
        self,
        job: str,
        types: Mapping[str, str],
        *,
        seq: int,
        words: Mapping[str, Iterable[str]] | None = None,
        layout: Mapping[str, str] | None = None,
        columns: Iterable[str] = (),
    ) -> None:
        """
        Write the types that run *seq* settled on; writing them again changes nothing.

        What a later run has settled on stays, and so does that a person reset a column since.

        Args:
            job: The job.
            types: Of all its columns, by name.
            seq: The run.
            words: Of columns that are text because of a few words, these words.
            layout: How its CSV is written.
            columns: The columns that its files had; those that are kept stay if none is named.

        Raises:
            StorageChanged: Other processes wrote it again and again.
        """

        def kept(before: KeptColumns) -> KeptColumns:
            if before.seq >= seq:
                return before
            reset = {name for name, last in before.forgotten.items() if last >= seq}
            told = {name: list(found) for name, found in (words or {}).items()}
            settled = replace(
                before,
                types={name: kind for name, kind in types.items() if name not in reset},
                words={name: found for name, found in told.items() if name not in reset},
                layout=dict(layout or {}),
                columns=[*columns] or before.columns,
                forgotten={name: before.forgotten[name] for name in reset},
            )
            # As mostly: an earlier run that is ended late has settled on the same.
            return before if settled == before else replace(settled, seq=seq)

        self._change(job, kept)

    def forget(self, job: str, columns: Iterable[str], *, last: int) -> None:
        """
        Reset columns, whose types are then told from the next file.

        Args:
            job: The job.
            columns: Their names.
            last: The last run that there is: what it and earlier ones settled on counts no more.

        Raises:
            StorageChanged: Other processes wrote it again and again.
        """
        gone = set(columns)

        def reset(before: KeptColumns) -> KeptColumns:
            return replace(
                before,
                types={name: kind for name, kind in before.types.items() if name not in gone},
                words={name: found for name, found in before.words.items() if name not in gone},
                forgotten=before.forgotten | dict.fromkeys(sorted(gone), last),
            )

        self._change(job, reset)

    def _change(self, job: str, change: Callable[[KeptColumns], KeptColumns]) -> None:
        key = self._names.column_types(job)
        for attempt in range(_ATTEMPTS):
            before, etag = self._read(job)
            after = change(before)
            if after == before:
                return
            body = to_body(asdict(replace(after, nonce=new_nonce())))
            try:
                self._bucket.write(key, body, if_match=etag, if_none_match=etag is None)
            except StorageChanged:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def _read(self, job: str) -> tuple[KeptColumns, str | None]:
        key = self._names.column_types(job)
        found = read_document(self._bucket, key, _parsed, "no types in it")
        return found or (KeptColumns(), None)


def _parsed(content: dict[str, Any]) -> KeptColumns:
    types = {str(name): str(kind) for name, kind in content["types"].items()}
    return KeptColumns(**{**content, "types": types})
