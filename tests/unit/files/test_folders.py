"""Which job takes an object, and why one is taken by none."""

from __future__ import annotations

import pytest

from exchanger.files.drops import looks_like_data
from exchanger.files.folders import Folders, Reader, alike, levels, wider_pattern

CRM = Reader("crm", "in/crm/", "*.csv", "_exchanger/main/")
SHOP = Reader("shop", "in/shop/", "**", "_exchanger/main/")
PARQUET = Reader("parquet", "in/crm/", "*.parquet", "_exchanger/main/")
FOLDERS = Folders((CRM, SHOP, PARQUET), ("_exchanger/main/", "segment-export/", "out/vip/"))

WHY = {
    "in/crm/a.csv": None,
    "in/crm/a.parquet": None,
    "in/crm/a.txt": "pattern",
    "in/crm/day/a.csv": "pattern",
    "in/crm/a.csv.filepart": "unfinished",
    "in/crm/a.TXT": "pattern",
    "in/crm/a.csv.md5": "companion",
    "in/shop/a.parquet.SHA256": "companion",
    "in/shop/Thumbs.db": "companion",
    "in/shop/~$a.xlsx": "companion",
    "in/shop/a.csv.done": "companion",
    "in/shop/_committed_123": "hidden",
    "in/shop/.part-0.csv.crc": "hidden",
    "in/shop/dt=2026-09-15_$folder$": "marker",
    "in/crm/_reports/a.csv.json": "hidden",
    "in/shop/_rejected/4/day/a.csv": "hidden",
    "in/crm/A.CSV": None,
    "in/shop/any/thing": None,
    "in/shop/_temporary/a.csv": "hidden",
    "in/crm/.a.csv": "hidden",
    "in/crm/_SUCCESS": "hidden",
    "in/shop/": "marker",
    "in/shop_$folder$": "marker",
    "in/crm/day_$folder$": "marker",
    "in/a.csv": "folder",
    "in/crm2/a.csv": "folder",
    "elsewhere/a.csv": "folder",
    "segment-export/x/a.zip": "ours",
    "out/vip/part-0.parquet": "ours",
    "out/other/part-0.parquet": "folder",
    "_exchanger/main/quarantine/crm/1.csv": "ours",
}


@pytest.mark.parametrize("key", WHY)
def test_why_no_job_takes_an_object(key):
    """What another job takes, what we write and what is no file to people is no stray."""
    assert WHY[key] == FOLDERS.why_not(key)
    assert FOLDERS.is_stray(key, 1) == (WHY[key] in ("pattern", "folder"))


def test_an_object_without_content_is_no_stray():
    """Nothing is lost with it, and many tools leave such marks."""
    assert FOLDERS.is_stray("in/crm/a.txt", 1)
    assert not FOLDERS.is_stray("in/crm/a.txt", 0)


@pytest.mark.parametrize(
    ("key", "why"),
    [("day", "marker"), ("READY", "marker"), ("0000_part_00", "marker"), ("empty.csv", None)],
)
def test_without_content_only_the_name_of_a_file_makes_one(key, why):
    """Marks of folders, flags and empty slices are no data; an empty CSV file is a file."""
    assert why == FOLDERS.why_not(f"in/shop/{key}", 0)
    assert FOLDERS.why_not(f"in/shop/{key}", 1) is None


def test_a_job_may_read_a_folder_of_a_hidden_name():
    """A name that the configuration itself gives is not hidden."""
    folders = Folders((Reader("crm", "_in/crm/", "*.csv"),))
    assert folders.why_not("_in/crm/a.csv") is None
    assert "pattern" == folders.why_not("_in/crm/a.txt")


@pytest.mark.parametrize(
    ("folder", "may"),
    [
        ("in/crm2/", True),
        ("in/", False),
        ("in/crm/", False),
        ("in/crm/day/", False),
        ("out/", True),
        ("out/vip/", False),
        ("segment-export/", False),
        ("_exchanger/", False),
        (".tmp/", False),
    ],
)
def test_only_what_nobody_reads_or_writes_is_looked_into(folder, may):
    """A folder in which a job's folder lies is no folder beside it."""
    assert may == FOLDERS.may_hold_strays(folder)


def test_the_folders_around_a_prefix():
    """The one directly above comes first, and the bucket itself last."""
    assert [("in/", "crm", True), ("", "in", False)] == levels("in/crm/")
    assert [("", "inbox", True)] == levels("inbox/")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Inbox", "inbox", True),
        ("inbox ", "inbox", True),
        ("in-box", "inbox", True),
        ("inbx", "inbox", True),
        ("cmr", "crm", True),
        ("inbox2", "inbox", True),
        ("old_inbox", "inbox", True),
        ("", "inbox", True),
        ("logs", "inbox", False),
        ("outbox", "inbox", False),
    ],
)
def test_names_that_may_be_misspelt(one, other, same):
    """An empty name is a slash at the beginning of the key, as people write paths."""
    assert same == alike(one, other)


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("NEW.CSV", True),
        ("a.Parquet", True),
        ("a.csv.gz", True),
        ("a.jsonl.ZST", True),
        ("a.xlsx", True),
        ("manifest", False),
        ("a.csv.metadata", False),
        ("README.md", False),
    ],
)
def test_names_that_end_as_files_with_rows_do(key, data):
    """A run says nothing of the papers that come with files."""
    assert data == looks_like_data(key)


def test_a_pattern_that_takes_folders_too():
    """The same pattern, through folders, takes what lies in one; nothing is made up otherwise."""
    assert "**/*.csv" == wider_pattern("in/crm/day/a.csv", [PARQUET, CRM])
    assert wider_pattern("in/crm/a.txt", [CRM]) is None
