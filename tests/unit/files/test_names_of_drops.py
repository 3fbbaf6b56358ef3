"""Which names in a folder are files of a job, and in which order they are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchanger.files.drops import is_drop
from exchanger.jobs.inventory.listing import in_order
from exchanger.outside.s3.objects import ObjectInfo

UNFINISHED = [
    "m.csv.filepart",
    "m.csv.part",
    "m.csv.tmp",
    "m.csv.TMP",
    "m.csv.temp",
    "m.csv.partial",
    "m.7f3a91c2.partial",
    "m.csv.crdownload",
    "Unconfirmed 123456.crdownload",
    "m.csv.download",
    "m.csv.opdownload",
    "m.parquet.inprogress",
    "m.parquet.in-progress",
    "m.csv.gz.incomplete",
    "m.csv._COPYING_",
    "m.csv.uploading",
    "m.csv.aria2",
    "m.csv.processing",
    "m.csv.transferring",
    "m.csv.wip",
    "2026/09/m.csv.filepart",
]
FINISHED = [
    "tmp.part-1.csv",
    "part-00000.csv",
    "m.part1",
    "m.csv.part-00001",
    "tmp",
    "part",
    "counterpart",
    "upload.csv",
    "m.tmp.csv",
    "m.tmp/part-1.csv",
    "tmp/m.csv",
]


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_is_still_on_its_way_is_no_file(name):
    """A name that a program gives to a file until all of it is there is never taken."""
    assert not is_drop(f"in/{name}", "in/", "**", "_x/")


COMPANIONS = [
    "m.csv.md5",
    "m.csv.SHA256",
    "m.csv.sha1",
    "m.csv.sha512",
    "m.csv.asc",
    "m.csv.sig",
    "m.csv.crc",
    "m.csv.done",
    "m.csv.metadata",
    "desktop.ini",
    "2026/Desktop.ini",
    "Thumbs.db",
    "~$m.xlsx",
    "2026/~$m.xlsx",
    "m.csv~",
    "m.csv.bak",
    "m.CSV.BAK",
    "m.parquet.old",
    "2026/m.csv.gz.orig",
    "m.csv.lock",
    "#m.csv#",
    ".DS_Store",
    "._m.csv",
    ".~lock.m.csv#",
    "_SUCCESS",
    "_committed_8123",
    "_started_8123",
    ".part-00000.csv.crc",
    "2026/",
    "dt=2026-09-15_$folder$",
    "_reports/m.csv.json",
    "_rejected/3/m.csv",
]


@pytest.mark.parametrize("name", COMPANIONS)
def test_what_is_about_files_is_none(name):
    """Checksums, flags, marks of folders, notes and copies of programs, and our own reports."""
    assert not is_drop(f"in/{name}", "in/", "**", "_x/")


@pytest.mark.parametrize(
    "name",
    [
        *("done", "md5", "done.csv", "m.done.csv", "done/m.csv", "crc", "my~$m.csv", "sha256/m"),
        *("m.bak.csv", "customers.old", "bak", "old/m.csv", "m~1.csv", "#1.csv", "m.csv.1"),
    ],
)
def test_a_name_that_only_looks_like_a_companion_is_a_file(name):
    """Only an ending, or the whole name, tells."""
    assert is_drop(f"in/{name}", "in/", "**", "_x/")


@pytest.mark.parametrize(
    ("name", "size", "taken"),
    [
        ("day", 0, False),
        ("m.flag", 0, False),
        ("m.csv", 0, True),
        ("m.CSV.GZ", 0, True),
        ("day", 1, True),
        ("part-0", 1, True),
        ("part-0", 0, False),
    ],
)
def test_an_empty_object_is_a_file_by_its_name_alone(name, size, taken):
    """An empty CSV file is told as empty; an object of no content and no such name is a mark."""
    assert taken == is_drop(f"in/{name}", "in/", "**", "_x/", size)


@pytest.mark.parametrize("name", FINISHED)
def test_a_name_that_only_looks_like_an_unfinished_one_is_a_file(name):
    """Only an ending tells that a file is unfinished; the same word elsewhere tells nothing."""
    assert is_drop(f"in/{name}", "in/", "**", "_x/")


@pytest.mark.parametrize(
    ("pattern", "taken"), [("*.tmp", True), ("*.TMP", True), ("m.csv.tmp", True), ("m.*", False)]
)
def test_a_pattern_may_ask_for_what_looks_unfinished(pattern, taken):
    """Whoever names the ending of unfinished files, or companions, in a pattern means such."""
    assert taken == is_drop("in/m.csv.tmp", "in/", pattern, "_x/")
    for ending in ("done", "bak"):
        other = pattern.lower().replace("tmp", ending)
        assert taken == is_drop(f"in/m.csv.{ending}", "in/", other, "_x/")


PATTERNS = [
    ("*.csv", "NEW.CSV", True),
    ("*.CSV", "new.csv", True),
    ("*.parquet", "a.Parquet", True),
    ("*.csv.gz", "A.CSV.GZ", True),
    ("**/*.csv", "2026/NEW.CSV", True),
    ("*.csv*", "A.CSV.GZ", True),
    ("new.csv", "new.CSV", True),
    ("new.csv", "NEW.csv", False),
    ("Orders_*.csv", "orders_1.csv", False),
    ("v1.Old/*.csv", "v1.old/a.csv", False),
    ("*.[c]sv", "a.CSV", False),
    ("*.csv", "a.csvx", False),
    ("*.csv", "a.tcsv", False),
    ("*.csv", "acsv", False),
]


@pytest.mark.parametrize(("pattern", "name", "taken"), PATTERNS)
def test_endings_in_a_pattern_are_compared_without_case(pattern, name, taken):
    """``*.csv`` takes ``NEW.CSV``; in folders and in what goes before the ending, case counts."""
    assert taken == is_drop(f"in/{name}", "in/", pattern, "_x/")


NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)


def arrived(*names: str, apart: timedelta = timedelta()) -> list[str]:
    """Read names in the order in which files are, that arrived one after another."""
    files = [ObjectInfo(name, "e", 1, NOON + n * apart) for n, name in enumerate(names)]
    return [file.key for file in in_order(files)]


@pytest.mark.parametrize(
    "names",
    [
        ["upd_9.csv", "upd_10.csv"],
        ["upd_9.csv", "upd_010.csv", "upd_11.csv"],
        ["2026-9-30/1.csv", "2026-10-1/1.csv"],
        ["part-2-of-10.csv", "part-10-of-10.csv"],
        ["a.csv", "a1.csv", "a2.csv", "a10.csv", "b.csv"],
        ["01.csv", "1.csv", "2.csv"],
        ["a" + "9" * 900, "a1" + "0" * 900],
    ],
)
def test_files_of_one_second_are_read_in_the_natural_order_of_their_names(names):
    """Of files that arrived within one second, 9 comes before 10, wherever the number stands."""
    assert names == arrived(*reversed(names))
    assert names == arrived(*reversed(names), apart=timedelta(milliseconds=1))


def test_files_of_different_seconds_are_read_as_they_arrived():
    """The time of arrival goes before any name."""
    assert ["upd_10.csv", "upd_9.csv"] == arrived(
        "upd_10.csv", "upd_9.csv", apart=timedelta(seconds=1)
    )
