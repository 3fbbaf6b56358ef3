"""Which new files count as complete, by every kind of ``complete_when``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.contexts import job_context
from support.jobs import import_model

from exchanger.jobs.inventory.completeness import Incomplete, Why, incomplete
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.outside.s3.objects import ObjectInfo
from exchanger.state.store import open_state

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)
MARKER, SUFFIX = {"marker": "_SUCCESS"}, {"suffix": ".done"}
A, IN_DAY = "in/a.csv", "in/day/a.csv"


def item(key, seconds=0, size=1):
    at = NOON + timedelta(seconds=seconds)
    return ObjectInfo(key, "e", size, at, NOON + timedelta(minutes=1))


@pytest.fixture
def why(bucket, tmp_path):
    """Tell why each of some new files is left, by a rule, signs and what lies there."""

    def told(rule, new, signs=(), there=()):
        source = {"prefix": "in/", "complete_when": rule}
        job = import_model(source=source, fields={"a": {"from": "a"}})
        context = job_context(bucket, None, tmp_path)
        call = ImportContext(
            context, open_state(bucket, context.state_prefix), "crm", job, ImportOptions()
        )
        lying = {one.key: one for one in [*new, *signs, *there]}
        left = incomplete(call, new, signs, lying)
        assert all(isinstance(one, Incomplete) for one in left)
        return {one.item.key: one.why for one in left}

    return told


@pytest.mark.parametrize(
    ("rule", "new", "signs", "expected"),
    [
        # What is as old as the sign to the second, or older, is complete.
        (MARKER, item(A), item("in/_SUCCESS"), None),
        (MARKER, item(A, 5), item("in/_SUCCESS", 5.9), None),
        (MARKER, item(A, 5.9), item("in/_SUCCESS", 5), None),
        (MARKER, item(A, 7), item("in/_SUCCESS", 5), Why("younger_than_sign", "in/_SUCCESS")),
        # A marker speaks of the folders below, not of the one around.
        (MARKER, item(IN_DAY), item("in/_SUCCESS", 5), None),
        (MARKER, item(IN_DAY), item("in/day/_SUCCESS", 5), None),
        (MARKER, item(A), item("in/day/_SUCCESS", 5), Why("no_marker", "_SUCCESS")),
        (SUFFIX, item(A), item(f"{A}.done"), None),
        (SUFFIX, item(A, 9), item(f"{A}.done"), Why("younger_than_sign", f"{A}.done")),
        (SUFFIX, item(IN_DAY), item(f"{A}.done"), Why("no_companion", ".done")),
        ({"settled": "30s"}, item(A, 30), None, None),
        ({"settled": "30s"}, item(A, 31), None, Why("too_fresh", detail="30s")),
    ],
)
def test_what_is_complete(why, rule, new, signs, expected):
    """No sign speaks of what is younger, and S3's own clock says how old a file is."""
    found = why(rule, [new], [signs] if signs else [])
    assert ({} if expected is None else {new.key: expected}) == found


def test_what_came_in_this_second_is_fresh(why):
    """However far ahead our own clock is."""
    now = ObjectInfo(A, "e", 1, NOON, NOON)
    assert {A: Why("too_fresh", detail="1s")} == why({"settled": "1s"}, [now])


def test_a_nearer_marker_that_is_old_does_not_hide_a_newer_one_around(why):
    """Any of them says that the file is complete."""
    signs = [item("in/day/_SUCCESS", 0), item("in/_SUCCESS", 9)]
    assert {} == why(MARKER, [item(IN_DAY, 5)], signs)


MANIFEST = {"manifest": "*.json"}


def test_manifests(why, bucket):
    """Each file waits for what is named with it; one that is named nowhere waits for a manifest."""
    bodies = {
        "in/whole.json": '{"files": ["a.csv", "b.csv"]}',
        "in/part.json": '{"files": ["c.csv", "later.csv"]}',
        "in/sizes.json": '{"entries": [{"url": "s3://B/in/d.csv", "meta": {"content_length": 2}}]}',
        "in/bad/x.json": "{}",
        "in/twice.json": '{"files": ["c.csv", "e.csv"]}',
        "in/elsewhere.json": '{"files": ["f.csv", "s3://other/g.csv", "s3://B/out/h.csv"]}',
    }
    for key, body in bodies.items():
        bucket.write(key, body.replace("//B/", f"//{bucket.name}/").encode())
    new = [item(f"in/{name}.csv") for name in ("a", "c", "d", "e", "f", "i", "bad/j")]
    assert {
        "in/d.csv": Why("manifest_waits", "in/sizes.json", "in/d.csv to have 2 bytes"),
        "in/i.csv": Why("in_no_manifest"),
        "in/bad/j.csv": Why(
            "manifest_unreadable",
            "in/bad/x.json",
            'it has neither "files", a list of names, nor Redshift\'s "entries"',
        ),
    } == why(MANIFEST, new, [item(key) for key in bodies], [item("in/b.csv")])


def test_a_manifest_that_is_gone_by_now_lets_its_files_wait(why):
    """It was listed a moment ago; the next look knows better."""
    [left] = why(MANIFEST, [item(A)], [item("in/gone.json")]).values()
    assert "manifest_unreadable" == left.code
