"""
Which attributes were ever delivered, and what nobody has read back yet of what was sent.

One small document for each connection. Only who holds the lease changes it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from exchanger.state.documents import read_document, to_body
from exchanger.state.runs.log import new_nonce
from exchanger.state.tenure import Tenure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames

_DOCUMENT = "first deliveries"


@dataclass(frozen=True)
class Sample:
    """
    What is to be read back of a run: some values that it delivered for the first time, or a share.

    Args:
        job: The run's job.
        seq: The run.
        rows: Profile, attribute and canonical text of each value.
        share: Percent of what it sent, in place of these; 0 if they are it.
        shadow: It sent nothing: what it planned is compared.
    """

    job: str
    seq: int
    rows: tuple[tuple[str, str, str], ...] = ()
    share: float = 0.0
    shadow: bool = False


@dataclass(frozen=True)
class _Document:
    fields: dict[str, int] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    nonce: str = ""


class FirstDeliveries:
    """
    The first deliveries of one connection.

    Args:
        bucket: Where they are.
        names: How they are named.
        tenure: Remembers the document while the lease is held.
    """

    def __init__(self, bucket: Bucket, names: StateNames, tenure: Tenure | None = None) -> None:
        self._bucket = bucket
        self._key = names.first_deliveries
        self._tenure = tenure or Tenure()

    def unknown(self, fields: Iterable[str]) -> list[str]:
        """Choose the attributes that no run has delivered before."""
        known = self._read()[0].fields
        return [name for name in fields if name not in known]

    @property
    def known(self) -> frozenset[str]:
        """The attributes that any run has delivered."""
        return frozenset(self._read()[0].fields)

    def waiting(self, job: str) -> list[Sample]:
        """List what is yet to be read back for a job."""
        return [sample for sample in self._read()[0].samples if sample.job == job]

    def add(self, sample: Sample, fields: Iterable[str]) -> None:
        """
        Note that a run delivered attributes for the first time; once, however often it is called.

        Raises:
            StorageChanged: Another process changed the document meanwhile.
        """
        document, etag = self._read()
        new = {name: sample.seq for name in fields if name not in document.fields}
        if new:
            changed = replace(
                document, fields=document.fields | new, samples=(*document.samples, sample)
            )
            self._write(changed, etag)

    def watch(self, job: str, seq: int, share: float, *, shadow: bool = False) -> None:
        """
        Note that a share of what a run sent is to be read back; once, however often it is called.

        Raises:
            StorageChanged: Another process changed the document meanwhile.
        """
        document, etag = self._read()
        if not any(one.seq == seq and one.share for one in document.samples):
            sample = Sample(job, seq, share=share, shadow=shadow)
            self._write(replace(document, samples=(*document.samples, sample)), etag)

    def close(self, job: str, seqs: Iterable[int]) -> None:
        """
        Drop the samples of some runs of a job.

        Raises:
            StorageChanged: Another process changed the document meanwhile.
        """
        document, etag = self._read()
        done = set(seqs)
        left = tuple(s for s in document.samples if s.job != job or s.seq not in done)
        self._write(replace(document, samples=left), etag)

    def drop(self, up_to: int) -> None:
        """
        Drop the samples of all runs up to one: nobody has come to read them back.

        Raises:
            StorageChanged: Another process changed the document meanwhile.
        """
        document, etag = self._read()
        left = tuple(sample for sample in document.samples if sample.seq > up_to)
        if len(left) < len(document.samples):
            self._write(replace(document, samples=left), etag)

    def count(self, profile: str) -> int:
        """Count the values of a profile in the samples."""
        return sum(row[0] == profile for one in self._read()[0].samples for row in one.rows)

    def forget(self, profile: str) -> None:
        """
        Take a profile out of the samples.

        Raises:
            StorageChanged: Another process changed the document meanwhile.
        """
        document, etag = self._read()
        left = tuple(
            replace(one, rows=tuple(row for row in one.rows if row[0] != profile))
            for one in document.samples
        )
        if left != document.samples:
            self._write(replace(document, samples=left), etag)

    def _read(self) -> tuple[_Document, str | None]:
        return self._tenure.known(_DOCUMENT, self._stored)

    def _stored(self) -> tuple[_Document, str | None]:
        found = read_document(self._bucket, self._key, _parsed, "not the first deliveries")
        return found or (_Document(), None)

    def _write(self, document: _Document, etag: str | None) -> None:
        # Equal bodies would have equal ETags.
        body = to_body(asdict(replace(document, nonce=new_nonce())))
        self._tenure.forget(_DOCUMENT)
        self._bucket.write(self._key, body, if_match=etag, if_none_match=etag is None)


def _parsed(content: dict[str, Any]) -> _Document:
    samples = tuple(
        Sample(
            item["job"],
            item["seq"],
            tuple((p, f, v) for p, f, v in item["rows"]),
            item.get("share", 0.0),
            item.get("shadow", False),
        )
        for item in content["samples"]
    )
    return _Document(content["fields"], samples, content["nonce"])
