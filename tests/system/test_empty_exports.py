"""Exports in which nobody comes: told, and neither published nor believed."""

from __future__ import annotations

import json

import pytest
from support.jobs import import_job

FAST = {"poll": "1s", "quiet": "1s"}
ALL = {"segment": "Everybody", "completion": FAST}
PEOPLE = [{"external_id": f"p{n}", "points": n} for n in range(3)]


def export(**changes):
    return {
        "type": "export",
        **ALL,
        "fields": {"id": "external_id", "points": "custom_attributes.points"},
        "target": {"prefix": "out/"},
        **changes,
    }


def crm(**baseline):
    return import_job(
        fields={"points": {"from": "points", "merge": "sum", "type": "integer"}},
        baseline={**ALL, **baseline},
    )


@pytest.fixture
def astray(exchange):
    """Three people in Braze, whose exports go elsewhere than the configuration says."""
    exchange.braze.seed(PEOPLE)
    exchange.segment = exchange.braze.add_segment("Everybody")
    exchange.connection["s3"]["export_root"] = "elsewhere"
    return exchange


@pytest.mark.nightly
def test_a_wrong_export_root_is_no_empty_segment(astray):
    """The run fails with the folder that was watched and Braze's estimate; nothing is written."""
    astray.configure(vip=export())
    done = astray.call("run", "vip")
    assert 7 == done.returncode
    assert f"no file came to s3://{astray.bucket.name}/elsewhere/{astray.segment}/" in done.stderr
    assert "Braze estimates 3 users" in done.stderr
    assert "empty: allow" in done.stderr
    assert [] == list(astray.bucket.list("out/"))
    astray.connection["s3"]["export_root"] = "segment-export"
    astray.configure(vip=export())
    assert 3 == astray.ask("run", "vip")["rows_written"], "the next run asks anew"


def test_a_missing_permission_hides_nothing(astray):
    """A key that may not ask for sizes leads to the same error, which says that it may not."""
    astray.braze.give_key(astray.braze.api_key, lacking={"segments.data_series"})
    astray.configure(vip=export())
    done = astray.call("run", "vip")
    assert (7, True) == (done.returncode, "no file came to s3://" in done.stderr)
    assert "lacks the permission segments.data_series" in done.stderr


def test_an_empty_segment_that_the_job_allows(astray):
    """With `empty: allow` it is a dataset without rows, whose manifest doubts a large estimate."""
    astray.configure(vip=export(empty="allow"))
    report = astray.ask("run", "vip")
    manifest = json.loads(astray.bucket.read(report["manifest"])[0])
    assert (0, 0) == (report["rows_written"], manifest["rows"])
    assert "Braze estimates 3 users" in " ".join(manifest["warnings"])


@pytest.mark.nightly
def test_a_baseline_without_users_teaches_of_nobody_that_they_do_not_exist(astray):
    """Also with `complete: true` what is unknown is looked up, and a note says why."""
    astray.configure(crm=crm(complete=True))
    astray.drop("inbox/1.csv", "id,points\np2,1\nnew,1\n")
    report = astray.ask("run", "crm")
    assert ["3", "1"] == [astray.attribute(p, "points") for p in ("p2", "new")]
    assert "Nothing was learnt from the export" in " ".join(report["notes"])
    assert 1 == astray.braze.requests("/users/export/ids")


@pytest.mark.nightly
def test_rebuild_and_drift_do_not_believe_an_export_without_users(astray):
    """Both end with the error, and what is held stays as it was."""
    astray.configure(crm=crm(complete=True))
    astray.drop("inbox/1.csv", "id,points\np2,1\n")
    astray.ask("run", "crm")
    for verb in (["rebuild", "crm"], ["drift", "crm", "--full"]):
        done = astray.call(*verb)
        assert (7, True) == (done.returncode, "Braze estimates 3 users" in done.stderr)
    astray.drop("inbox/2.csv", "id,points\np2,2\n")
    report = astray.ask("run", "crm")
    assert (1, "5") == (report["profiles_updated"], astray.attribute("p2", "points"))
