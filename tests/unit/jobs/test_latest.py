"""Which file of a job counts whose newest file counts alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchanger.jobs.inventory.latest import claims_of, superseded
from exchanger.notes import noted
from exchanger.outside.s3.objects import ObjectInfo

FILES = {
    name: ObjectInfo(f"in/{name}", name, 1, datetime(2026, 9, 15, tzinfo=UTC)) for name in "abc"
}


@pytest.mark.parametrize(
    ("new", "counted", "taken", "left"),
    [
        ("", "", "", ""),
        ("", "abc", "", ""),
        ("abc", "abc", "c", "ab"),
        ("bc", "abc", "c", "b"),
        ("ac", "abc", "c", "a"),
        ("ab", "abc", "", "ab"),
        ("c", "abc", "c", ""),
        ("ab", "", "ab", ""),
    ],
)
def test_the_newest_of_all_counts_alone(new, counted, taken, left):
    """If it is known by now, whatever lies there and is older is left out as well."""
    files, older = superseded([FILES[n] for n in new], [FILES[n] for n in counted])
    assert [*taken] == [item.etag for item in files]
    assert [*left] == [item.etag for item in older]


def test_what_is_left_out_is_claimed_without_being_read():
    """So a later run knows the version, and nothing counts as read or added."""
    [claim] = claims_of([FILES["a"]], "in/c")
    assert ("in/a", "a", "superseded", 0, ()) == (
        claim.key,
        claim.etag,
        claim.outcome,
        claim.rows,
        claim.sums,
    )
    assert [noted("newer_file_counts", newest="in/c")] == [*claim.facts]
