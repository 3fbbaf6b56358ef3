"""What the holder of the lease remembers: read once, and remembered as it was written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchanger.errors import StorageChanged
from exchanger.state.runs.first_deliveries import Sample
from exchanger.state.runs.log import ClaimedFile, RunDocument
from exchanger.state.store import open_state

AT = datetime(2026, 9, 15, 10, tzinfo=UTC).isoformat()


class Counting:
    """The bucket, which counts what is read of it."""

    def __init__(self, bucket):
        self._bucket = bucket
        self.reads = []

    def read(self, key, *rest):
        self.reads.append(key)
        return self._bucket.read(key, *rest)

    def __getattr__(self, name):
        return getattr(self._bucket, name)


@pytest.fixture
def counting(bucket):
    return Counting(bucket)


@pytest.fixture
def ours(counting):
    return open_state(counting, "_exchanger/main/")


@pytest.fixture
def theirs(bucket):
    return open_state(bucket, "_exchanger/main/")


def document(seq, nonce, **changes):
    file = ClaimedFile(f"in/{seq}.csv", f"etag-{seq}", f"sha-{seq}", "applied", 1)
    return RunDocument(seq, f"run-{seq}", "crm", "planned", nonce, 1, AT, files=(file,), **changes)


def apply(state, seq, nonce):
    """Do with a run what counts here: create it, record its file, and end it."""
    stored = state.runs.create(document(seq, nonce))
    state.file_ledger.record("crm", stored.document.files, seq=seq)
    return state.runs.change(stored, state="settled")


def test_it_is_read_once_and_remembered_as_written(ours, counting):
    """The newest run, the applied files and the first deliveries are each read once."""
    apply(ours, 1, "one")
    with ours.tenure.begun():
        assert ours.runs.newest().document.seq == 1
        assert ours.file_ledger.snapshot().has_applied("in/1.csv", "etag-1")
        assert ours.first_deliveries.waiting("crm") == []
        counting.reads.clear()

        stored = apply(ours, 2, "two")

        assert ours.runs.newest() == stored
        assert ours.file_ledger.snapshot().has_applied("in/2.csv", "etag-2")
        assert ours.first_deliveries.unknown(["city"]) == ["city"]
        assert counting.reads == []
        ours.first_deliveries.add(Sample("crm", 2, (("a", "city", '"Oslo"'),)), ["city"])
        assert ours.first_deliveries.unknown(["city"]) == []


def test_nothing_is_remembered_without_the_lease(ours, theirs):
    """Whoever holds no lease reads each time, and what was read before it was taken is not used."""
    apply(ours, 1, "one")
    assert ours.file_ledger.snapshot().has_applied("in/1.csv", "etag-1")
    apply(theirs, 2, "two")
    assert ours.runs.newest().document.seq == 2
    with ours.tenure.begun():
        assert ours.file_ledger.snapshot().has_applied("in/2.csv", "etag-2")
        apply(theirs, 3, "three")
    assert ours.runs.newest().document.seq == 3
    assert ours.file_ledger.snapshot().has_applied("in/3.csv", "etag-3")


def test_a_plan_by_what_is_remembered_counts_only_if_nobody_else_has_made_a_run(ours, theirs):
    """A holder that lost the lease unnoticed finds its number taken, and then reads anew."""
    apply(ours, 1, "one")
    with ours.tenure.begun():
        planned_as = ours.runs.newest().document.seq + 1
        assert not ours.file_ledger.snapshot().has_applied("in/2.csv", "etag-2")
        apply(theirs, 2, "theirs")

        with pytest.raises(StorageChanged):
            ours.runs.create(document(planned_as, "ours"))

        assert ours.runs.newest().document.nonce != "ours"
        assert ours.runs.newest().document.seq == 2
        assert ours.file_ledger.snapshot().has_applied("in/2.csv", "etag-2")


def test_a_run_that_others_have_taken_on_is_not_changed_by_what_is_remembered(ours, theirs):
    """Who takes a run on writes so; a change from the version before is refused."""
    with ours.tenure.begun():
        stored = ours.runs.create(document(1, "one"))
        assert ours.runs.newest() == stored
        theirs.runs.change(theirs.runs.read(1), state="delivering", fence=9)

        with pytest.raises(StorageChanged):
            ours.runs.change(ours.runs.newest(), state="delivering", fence=8)

        assert ours.runs.newest().document.fence == 9
