"""Files that S3 has and does not give out: they block nobody, and are taken once they can be."""

from __future__ import annotations

import json

import boto3
import pytest
from support.fault_proxy import FaultProxy, Schedule

JOB = {
    "type": "import",
    "source": {"prefix": "in/"},
    "match": [{"external_id": "customer_id"}],
    "fields": {"spend": {"merge": "sum", "type": "integer"}},
}
OLD, NEW = "in/old.csv", "in/new.csv"


@pytest.fixture
def proxied(exchange, local_s3):
    """The command line reaches the store through a proxy that refuses what it is told to."""
    with FaultProxy(local_s3.url, Schedule(1)) as proxy:
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        exchange.configure(t=JOB)
        yield proxy


def outcomes(report):
    return {file["key"]: file["outcome"] for file in report["files"]}


def answered(exchange, words):
    """Read what is told beside the folder of the file, and whether both say something."""
    facts, page = (
        exchange.bucket.read(f"in_reports/old.csv.{end}")[0].decode() for end in ("json", "html")
    )
    return json.loads(facts)["verdict"], words in facts and words in page


def spent(exchange):
    known = set(exchange.braze.users())
    return [exchange.attribute(who, "spend") if who in known else None for who in ("old", "new")]


@pytest.fixture
def store(local_s3):
    """S3 itself, for what a bucket is never asked for."""
    return boto3.client(
        "s3",
        endpoint_url=local_s3.url,
        region_name=local_s3.region,
        aws_access_key_id=local_s3.access_key,
        aws_secret_access_key=local_s3.secret_key,
    )


@pytest.mark.nightly
@pytest.mark.parametrize(
    "storage_class", ["GLACIER", pytest.param("DEEP_ARCHIVE", marks=pytest.mark.nightly)]
)
def test_an_archived_file_is_named_and_taken_once_it_is_restored(
    exchange, s3_config, store, storage_class
):
    """The good file beside it is applied, alone it is told each time, and no other run waits."""
    exchange.configure(t=JOB)
    place = {"Bucket": s3_config.bucket, "Key": OLD}
    store.put_object(**place, Body=b"customer_id,spend\nold,1\n", StorageClass=storage_class)
    exchange.drop(NEW, "customer_id,spend\nnew,2\n")
    first = exchange.ask("run", "t", code=4)
    assert {NEW: "applied", OLD: "unreadable"} == outcomes(first)
    assert ("partial", [None, "2"]) == (first["state"], spent(exchange))
    assert "restore" in next(file["note"] for file in first["files"] if file["key"] == OLD)
    assert 0 == exchange.ask("run", "t", "--one-run", code=4)["files_waiting"]
    told = exchange.call("run", "t")
    assert (4, True) == (told.returncode, OLD in told.stdout)
    store.delete_object(**place)
    store.put_object(**place, Body=b"customer_id,spend\nold,1\n")
    assert {OLD: "applied"} == outcomes(exchange.ask("run", "t"))
    assert ["1", "2"] == spent(exchange)


@pytest.mark.parametrize(
    ("answer", "cure"),
    [
        pytest.param(
            (403, "InvalidObjectState", "The operation is not valid"),
            "Restore it",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            (400, "InvalidRequest", "stored using a form of Server Side Encryption"),
            "SSE-C",
            marks=pytest.mark.nightly,
        ),
        ((403, "AccessDenied", "Access Denied"), "s3:GetObject"),
    ],
)
def test_one_file_that_is_refused_blocks_no_other(exchange, proxied, answer, cure):
    """Archived in another way, encrypted by its sender, or forbidden: named, with the cure."""
    exchange.drop(OLD, "customer_id,spend\nold,1\n")
    exchange.drop(NEW, "customer_id,spend\nnew,2\n")
    proxied.refused[OLD] = answer
    planned = exchange.ask("plan", "t")["report"]
    assert {NEW: "applied", OLD: "unreadable"} == outcomes(planned)
    first = exchange.ask("run", "t", code=4)
    assert {NEW: "applied", OLD: "unreadable"} == outcomes(first)
    assert cure in next(file["note"] for file in first["files"] if file["key"] == OLD)
    assert "partial" == exchange.ask("show", str(first["seq"]))["state"]
    # Whoever dropped it finds why beside the folder, also if it comes alone.
    assert ("not_read", True) == answered(exchange, cure)
    exchange.bucket.delete(["in_reports/old.csv.json"])
    exchange.ask("run", "t", code=4)
    assert ("not_read", True) == answered(exchange, cure)
    proxied.refused.clear()
    assert {OLD: "applied"} == outcomes(exchange.ask("run", "t"))
    assert ("applied", False) == answered(exchange, cure)
    assert ["1", "2"] == spent(exchange)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("refused", "code"),
    [
        ({f"/in/{n:02}.csv": (403, "AccessDenied", "no") for n in range(12)}, 6),
        ({"": (403, "AccessDenied", "no")}, 6),
        ({"/in/00.csv": (403, "InvalidAccessKeyId", "no")}, 6),
        ({"/in/00.csv": (503, "SlowDown", "no")}, 6),
    ],
    ids=["a folder", "a bucket", "a key", "a busy store"],
)
def test_what_is_not_about_one_file_ends_the_run(exchange, proxied, refused, code):
    """A denied folder, bucket or key, and a store that is down, are no matter of single files."""
    for n in range(12):
        exchange.drop(f"in/{n:02}.csv", f"customer_id,spend\nold,{n}\n")
    proxied.refused.update(refused)
    assert code == exchange.call("run", "t").returncode
    assert [None, None] == spent(exchange)


def test_a_newest_file_that_nobody_can_read_replaces_none(exchange, s3_config, store):
    """The files before it wait with it, and count once it is gone."""
    exchange.configure(t=JOB | {"source": {"prefix": "in/", "files": "latest"}})
    exchange.drop(OLD, "customer_id,spend\nold,1\n")
    newest = {"Bucket": s3_config.bucket, "Key": "in/z.csv"}
    store.put_object(**newest, Body=b"customer_id,spend\nnew,2\n", StorageClass="GLACIER")
    assert {"in/z.csv": "unreadable"} == outcomes(exchange.ask("run", "t", code=4))
    store.delete_object(**newest)
    assert {OLD: "applied"} == outcomes(exchange.ask("run", "t"))
    assert ["1", None] == spent(exchange)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("job", "words", "mask"),
    [
        ({"source": {"prefix": "in/", "schema": {"missing": "fail"}}}, "lacks the column", []),
        pytest.param(
            {"on_invalid": "stop"}, "is not a whole number", [], marks=pytest.mark.nightly
        ),
        ({"on_invalid": "stop"}, "words may have masked values", ["spend"]),
    ],
    ids=["columns", "row", "masked"],
)
def test_a_file_at_which_the_job_stops_is_answered(exchange, job, words, mask):
    """Nothing is taken, so no run answers: what is wrong and what to do lies there all the same."""
    exchange.configure(t=JOB | job | {"mask": mask})
    exchange.drop(
        OLD, "customer_id,other\nold,1\n" if "source" in job else "customer_id,spend\nold,x7x\n"
    )
    exchange.ask("run", "t", code=4)
    assert ("not_read", True) == answered(exchange, words)
    assert ("x7x" in exchange.bucket.read("in_reports/old.csv.html")[0].decode()) == (
        "whole number" in words
    )
    exchange.drop(OLD, "customer_id,spend\nold,1\n")
    exchange.ask("run", "t")
    assert ("applied", False) == answered(exchange, words)
    exchange.configure(t=JOB | job | {"after": {"report": False}})
    exchange.drop("in/none.csv", "customer_id,other\nold,\n")
    exchange.call("run", "t")
    assert not list(exchange.bucket.list("in_reports/none"))
