"""Looking beside the folders of jobs: what is found, and how much is asked for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from exchanger.app.messages.files import describe_unclaimed
from exchanger.errors import StorageDenied
from exchanger.files.folders import Folders, Reader
from exchanger.jobs.inventory.unclaimed import beside, unclaimed_files

FOLDERS = Folders(
    (Reader("crm", "in/crm/", "*.csv"), Reader("shop", "data/shop/", "**")),
    ("_exchanger/main/", "segment-export/", "out/vip/"),
)


@dataclass
class Place:
    """What looking beside needs of a context."""

    bucket: object
    folders: Folders


@pytest.fixture
def place(bucket):
    return Place(bucket, FOLDERS)


def drop(bucket, *keys):
    for key in keys:
        bucket.write(key, b"id\n1\n" if not key.endswith("/") else b"")


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("in/crm2/a.csv", ("in/crm2/", "crm")),
        ("in/other/a.CSV", ("in/other/", "")),
        ("in/a.csv", ("in/a.csv", "crm")),
        ("inn/crm/a.csv", ("inn/", "crm")),
        ("/in/crm/a.csv", ("/", "crm")),
        ("In/crm/a.csv", ("In/", "crm")),
        ("lake/crm/a.csv", None),
        ("in/other/notes.md", None),
        ("in/_tmp/a.csv", None),
        ("in/other/", None),
        ("in/other_$folder$", None),
        ("in/crm/a.csv", None),
        ("data/shop/day/a.csv", None),
        ("out/vip/part-0.csv", None),
        ("segment-export/day/a.zip", None),
        ("_exchanger/main/quarantine/1.csv", None),
    ],
)
def test_what_is_found_beside_the_folders_of_jobs(place, bucket, key, told):
    """A folder beside a job's own, or one further up that is called alike, and their files."""
    drop(bucket, key)
    found = [(each.key, each.job) for each in beside(place, ["crm", "shop"])]
    assert ([told] if told else []) == found


def test_the_bucket_is_not_listed(place, bucket):
    """However much lies elsewhere, a few requests tell what lies beside."""
    drop(bucket, *(f"in/f{n:02}/{part}.csv" for n in range(40) for part in "ab"))
    drop(bucket, *(f"lake{n}/a.csv" for n in range(40)))
    asked = []
    bucket._client.meta.events.register("before-send.s3", lambda request, **_: asked.append(1))

    found = beside(place, ["crm", "shop"])
    assert (30, 33) == (len(found), len(asked))
    assert {2} == {each.files for each in found}


def test_who_may_not_list_beside_is_told_nothing(place, bucket, monkeypatch):
    """A key that may list the folder of its job alone still gets an answer about that."""

    def denied(prefix):
        raise StorageDenied("list", bucket.name, prefix, "AccessDenied")

    monkeypatch.setattr(bucket, "level", denied)
    drop(bucket, "in/crm/a.txt", "in/crm2/a.csv")
    [one] = unclaimed_files(place, ["crm"])
    said = ["no job takes in/crm/a.txt: the pattern of crm is *.csv"]
    assert said == describe_unclaimed([one])
