"""The segment export that a job waits for: whether it is awaited, and what is wanted of it then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from exchanger.jobs.segments.files import QuietWatch
from exchanger.jobs.segments.pending import PendingExport
from exchanger.profiles.exported.selection import FieldsToExport

ASKED = datetime(2026, 9, 15, 8, 30, tzinfo=UTC)
FIELDS = FieldsToExport(("email",), ("tier",))
URL = "https://example.com/signed"
PENDING = PendingExport("vip", FIELDS, "p1", None, ASKED, ASKED, "run-1", folders=("out/run=1/",))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "segment", "fields", "age", "awaited"),
    [
        ({}, "vip", FIELDS, timedelta(0), True),
        ({}, "vip", FIELDS, timedelta(hours=24) - SECOND, True),
        ({}, "vip", FIELDS, timedelta(hours=24), False),
        ({"url": URL}, "vip", FIELDS, timedelta(hours=6) - SECOND, True),
        ({"url": URL}, "vip", FIELDS, timedelta(hours=6), False),
        ({}, "all", FIELDS, timedelta(0), False),
        ({}, "vip", FieldsToExport(("email",), ()), timedelta(0), False),
        ({"published": True}, "vip", FIELDS, timedelta(0), False),
    ],
)
def test_an_export_is_awaited_while_it_can_still_be_what_was_asked_for(
    changes, segment, fields, age, awaited
):
    """The same fields of the same segment, not used yet, and no older than its files can be had."""
    pending = replace(PENDING, **changes)
    assert awaited is pending.is_awaited(segment, fields, ASKED + age)


@pytest.mark.parametrize(
    ("raw", "url", "discard"),
    [
        ("keep", None, ()),
        ("delete", None, ("p1",)),
        ("keep", URL, ()),
        ("delete", URL, ()),
    ],
)
def test_files_of_a_used_export_are_discarded_where_there_are_any(raw, url, discard):
    """Never those of an export without storage, nor those that are to be kept."""
    used = replace(PENDING, url=url).as_used(raw=raw)
    assert (True, None, (), discard) == (used.published, used.url, used.folders, used.discard)


def test_the_address_of_an_export_goes_when_it_is_published():
    """It is signed: whoever reads the document later could download with it."""
    published = replace(PENDING, url=URL).as_published()
    assert (True, None, ()) == (published.published, published.url, published.folders)


def test_the_list_of_exports_to_discard_is_bounded():
    """The latest twenty stay, in order: a document does not grow with every run."""
    pending = PENDING
    for number in range(25):
        pending = pending.with_discard(f"p{number}")
    assert tuple(f"p{number}" for number in range(5, 25)) == pending.discard


def listed(*files):
    return [SimpleNamespace(key=key, etag=etag, size=size) for key, etag, size in files]


@pytest.mark.parametrize(
    ("then", "quiet"),
    [
        ([("a", "1", 5)], 10.0),
        ([], 0.0),
        ([("a", "1", 5), ("b", "1", 5)], 0.0),
        ([("a", "2", 5)], 0.0),
        ([("a", "1", 6)], 0.0),
    ],
    ids=["the same", "one is gone", "one more", "written again", "grown"],
)
def test_a_listing_is_quiet_since_its_last_change(then, quiet):
    """Any change of a file begins the time anew; nothing is quiet at the first look."""
    watch = QuietWatch()
    assert 0.0 == watch.see(listed(("a", "1", 5)), 100.0)
    assert quiet == watch.see(listed(*then), 110.0)
    assert quiet + 7 == watch.see(listed(*then), 117.0)
