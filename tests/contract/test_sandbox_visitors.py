"""Who may use the sandbox, and what becomes of what it is sent over time."""

from __future__ import annotations

import http.client
import json
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.sandbox_calls import TRACK, call, people, post, track

from exchanger.sandbox import LocalS3, Sandbox, SandboxSettings
from exchanger.sandbox.http.local_only import stranger
from exchanger.sandbox.inspecting.journal import OTHERS, Journal

FAULTS = "/sandbox/faults"
BODY = b"id,points\na=1&b,2\n"
FORM = "application/x-www-form-urlencoded"


def asked(url: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request(method, path, body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    ("host", "origin", "refused"),
    [
        ("127.0.0.1:8601", None, False),
        ("127.0.0.2", None, False),
        ("localhost:8601", None, False),
        ("LOCALHOST", None, False),
        ("exchange.localhost:8602", None, False),
        ("[::1]:8601", None, False),
        ("127.0.0.1:8601", "http://localhost:3000", False),
        ("evil.example:8601", None, True),
        ("evil.example", "http://evil.example", True),
        ("127.0.0.1.evil.example:8601", None, True),
        ("localhost.evil.example", None, True),
        ("evillocalhost", None, True),
        ("192.168.1.7:8601", None, True),
        ("127.0.0.1@evil.example", None, True),
        ("", None, True),
        (None, None, True),
        ("[", None, True),
        ("127.0.0.1:8601", "http://evil.example", True),
        ("127.0.0.1:8601", "https://127.0.0.1.evil.example", True),
        ("127.0.0.1:8601", "null", True),
        ("127.0.0.1:8601", "", True),
    ],
)
def test_who_is_a_stranger(host: str | None, origin: str | None, refused: bool) -> None:
    """Names of this machine are taken in any spelling; all other names and sites are refused."""
    assert refused == (stranger(host, origin) is not None)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
def test_pages_of_other_sites_reach_nothing(
    braze: Sandbox, local_s3: LocalS3, headers: dict[str, str]
) -> None:
    """Neither by a name that leads here nor from another site: not Braze, its inside, nor S3."""
    local_s3.create_bucket("visited")
    braze.seed(people(1))
    told = headers | {"X-Sandbox": "1", "Authorization": f"Bearer {braze.api_key}"}
    assert 403 == asked(braze.url, "GET", "/sandbox/users", None, told)
    assert 403 == asked(braze.url, "POST", "/sandbox/reset", b"{}", told)
    assert 403 == asked(braze.url, "GET", "/segments/list", None, told)
    assert 403 == asked(local_s3.url, "PUT", "/visited/a.csv", BODY, headers)
    assert 1 == len(braze.users())
    assert "Contents" not in local_s3.client().list_objects_v2(Bucket="visited")


def test_what_changes_the_sandbox_needs_a_header_that_no_page_can_send(
    braze: Sandbox, tmp_path: Path
) -> None:
    """Without it no file of this machine is read, and nothing is forgotten."""
    file = tmp_path / "secret.ndjson"
    file.write_text('{"external_id": "secret"}\n')
    body = json.dumps({"path": str(file)}).encode()
    for content_type in ("text/plain", "application/json"):
        told = {"Content-Type": content_type}
        assert 403 == asked(braze.url, "POST", "/sandbox/seed", body, told)
    assert 403 == asked(braze.url, "DELETE", FAULTS, None, {})
    assert {} == braze.users()
    assert (200, {"seeded": 1}) == post(braze, "/sandbox/seed", {"path": str(file)})


def test_faults_can_be_seen_and_cleared(braze: Sandbox) -> None:
    """What is left of the tape is listed, and taken off it."""
    post(
        braze,
        FAULTS,
        [{"endpoint": TRACK, "status": 500, "times": 3}, {"endpoint": "*", "delay": 9}],
    )
    assert 500 == track(braze, {"external_id": "a"})[0]
    left = call(braze, "GET", FAULTS)[2]["faults"]
    assert [(TRACK, 2), ("*", 1)] == [(one["endpoint"], one["times"]) for one in left]
    assert (200, {"cleared": 2}) == call(braze, "DELETE", FAULTS)[::2]
    assert {"faults": []} == call(braze, "GET", FAULTS)[2]
    assert 201 == track(braze, {"external_id": "a"})[0]


@pytest.mark.parametrize("content_type", [None, FORM, f"{FORM}; charset=UTF-8", "text/csv",
                                          "multipart/form-data; boundary=x"])  # fmt: skip
def test_a_file_is_stored_as_it_was_sent(local_s3: LocalS3, content_type: str | None) -> None:
    """A body that urllib or curl --data-binary calls a form is stored all the same, as in S3."""
    local_s3.create_bucket("sent")
    key = f"in/{content_type}.csv".replace("/", "-").replace(" ", "")
    headers = {} if content_type is None else {"Content-Type": content_type}
    request = urllib.request.Request(f"{local_s3.url}/sent/{key}", BODY, headers, method="PUT")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert 200 == answer.status
    assert BODY == local_s3.client().get_object(Bucket="sent", Key=key)["Body"].read()


def test_a_post_to_a_key_is_answered_as_s3_does(local_s3: LocalS3) -> None:
    """A curl --data-binary without -X PUT is a POST, which stores nothing: 405, and no success."""
    local_s3.create_bucket("posted")
    told = {"Content-Type": FORM}
    assert 405 == asked(local_s3.url, "POST", "/posted/in/a.csv", BODY, told)
    assert 412 == asked(local_s3.url, "POST", "/posted/", BODY, told)
    assert "Contents" not in local_s3.client().list_objects_v2(Bucket="posted")


def test_the_journal_is_bounded() -> None:
    """Bodies are kept up to a number and a size, counts up to a number of paths."""
    journal = Journal(keep=3, keep_bytes=100)
    for size in (10, 20, 30, 40):
        journal.note(TRACK, b"x" * size)
    assert [20, 30, 40] == [len(one.body) for one in journal.newest()]
    journal.note(TRACK, b"x" * 60)
    assert [40, 60] == [len(one.body) for one in journal.newest()]
    journal.note(TRACK, b"x" * 500)
    assert [500] == [len(one.body) for one in journal.newest()]
    for number in range(3000):
        journal.note(f"/{number}", b"")
    assert (6, 2001) == (journal.counts[TRACK], journal.counts[OTHERS])
    assert 1001 == len(journal.counts)


def test_exports_that_are_over_are_forgotten(local_s3: LocalS3) -> None:
    """One that is written needs no more memory; one to download is kept while its address works."""
    order = {"fields_to_export": ["braze_id"]}
    for place in ({}, {"s3": local_s3, "bucket": "over"}):
        with Sandbox(SandboxSettings(seconds_per_file=10), **place) as braze:
            braze.seed(people(2))
            order["segment_id"] = braze.add_segment("All users")
            for _ in range(3):
                assert 201 == post(braze, "/users/export/segment", order)[0]
                assert braze._exporter.exports[-1].state == "running"
                braze.advance(11)
            assert (0 if place else 3) == len(braze._exporter.exports)
            braze.advance(5 * 3600)
            assert [] == braze._exporter.exports


def test_the_store_forgets_what_was_replaced_and_deleted(local_s3: LocalS3) -> None:
    """A key that is written again and again costs one object, and one that is gone costs none."""
    from moto.s3.models import FakeKey

    local_s3.create_bucket("again")
    for _ in range(50):
        local_s3.client().put_object(Bucket="again", Key="a", Body=b"x")
        local_s3.client().delete_object(Bucket="again", Key="a")
    assert len(FakeKey.instances_tracked) < 10
