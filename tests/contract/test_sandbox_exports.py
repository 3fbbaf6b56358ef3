"""Segment exports of the local Braze, the local S3 they land in, seeding, and the program."""

from __future__ import annotations

import gzip
import io
import json
import queue
import re
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import time_machine
from botocore.exceptions import ClientError

from exchanger.config.loading.load import read_config
from exchanger.sandbox import LocalS3, Sandbox, SandboxSettings
from exchanger.sandbox.local_s3 import OneWriterAtATime
from exchanger.sandbox.run import serve

BUCKET = "exchange"
SLOW = SandboxSettings(users_per_file=2, seconds_per_file=10)


@pytest.fixture(scope="module")
def s3() -> Iterator[LocalS3]:
    with LocalS3() as local:
        yield local


@pytest.fixture
def bucket(s3: LocalS3) -> Any:
    s3.create_bucket(BUCKET)
    client = s3.client()
    for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=one["Key"])
    return client


@pytest.fixture
def braze(s3: LocalS3, bucket: Any) -> Iterator[Sandbox]:
    with Sandbox(SLOW, s3=s3, bucket=BUCKET) as sandbox:
        sandbox.seed([{"external_id": f"u{n}", "n": n, "email": f"u{n}@x.org"} for n in range(5)])
        yield sandbox


def post(braze: Sandbox, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {braze.api_key}", "Content-Type": "application/json"}
    request = urllib.request.Request(braze.url + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def start(braze: Sandbox, segment_id: str, **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"segment_id": segment_id, "fields_to_export": ["external_id"]} | more
    return post(braze, "/users/export/segment", body)


def keys(bucket: Any) -> list[str]:
    listed = bucket.list_objects_v2(Bucket=BUCKET, Prefix="segment-export/")
    return [one["Key"] for one in listed.get("Contents", [])]


def lines(bucket: Any, key: str) -> list[Any]:
    body = bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    if key.endswith(".gz"):
        text = gzip.decompress(body)
    else:
        archive = zipfile.ZipFile(io.BytesIO(body))
        text = b"".join(archive.read(name) for name in archive.namelist())
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def callbacks() -> Iterator[tuple[str, queue.Queue[Any]]]:
    received: queue.Queue[Any] = queue.Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ready", received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("form", "ending"), [("zip", "zip"), ("gzip", "gz")])
def test_files_appear_one_by_one(braze: Sandbox, bucket: Any, form: str, ending: str) -> None:
    """Files of so many users each appear over time, below segment, date and object prefix."""
    segment_id = braze.add_segment("All users")
    status, answer = start(braze, segment_id, output_format=form)
    prefix = answer["object_prefix"]
    assert (201, None) == (status, answer["url"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d{10}", prefix)
    counts = []
    for _ in range(4):
        counts.append(len(keys(bucket)))
        braze.advance(10)
    assert [0, 1, 2, 3] == counts
    folder = rf"segment-export/{segment_id}/\d{{4}}-\d{{2}}-\d{{2}}/{prefix}"
    assert all(re.fullmatch(rf"{folder}/[0-9a-f]{{32}}\.{ending}", key) for key in keys(bucket))
    found = [line for key in keys(bucket) for line in lines(bucket, key)]
    assert {f"u{n}" for n in range(5)} == {line["external_id"] for line in found}
    assert 5 == len(found)


def test_date_folder_is_that_of_writing(braze: Sandbox, bucket: Any) -> None:
    """An export that runs past midnight has files in the next day's folder."""
    braze.change(users_per_file=5)  # one file: back in today any further one would be due
    segment_id = braze.add_segment("All users")
    with time_machine.travel(datetime(2026, 3, 1, 23, 59, 55, tzinfo=UTC), tick=False):
        start(braze, segment_id)
        braze.advance(10)
    assert ["2026-03-02"] == [key.split("/")[2] for key in keys(bucket)]


def test_second_start_while_running(braze: Sandbox) -> None:
    """One export per segment at a time; others, and the next one after it, may start."""
    one, other = braze.add_segment("All users"), braze.add_segment("Few", members=["u1"])
    assert [201, 429, 201] == [start(braze, one)[0], start(braze, one)[0], start(braze, other)[0]]
    braze.advance(40)
    assert 201 == start(braze, one)[0]
    assert 201 == post(braze, "/export/segment/cancel", {"segment_id": one})[0]
    assert 201 == start(braze, one)[0]
    braze.change(max_running_exports=1)
    assert 429 == start(braze, other)[0]


def test_cancelled_export_writes_no_more(braze: Sandbox, bucket: Any) -> None:
    """After a cancel no further file appears."""
    segment_id = braze.add_segment("All users")
    start(braze, segment_id)
    braze.advance(10)
    post(braze, "/export/segment/cancel", {"segment_id": segment_id})
    braze.advance(100)
    assert 1 == len(keys(bucket))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"segment_id": "nope"}, "segment_id is not valid"),
        ({"fields_to_export": []}, "fields_to_export must be provided"),
        ({"output_format": "rar"}, "output_format must be zip or gzip"),
        ({"custom_attributes_to_export": [str(n) for n in range(501)]},
         "custom_attributes_to_export takes 500 attributes at most"),
        ({"callback_endpoint": "file:///etc"}, "callback_endpoint is not a valid URL"),
    ],
)  # fmt: skip
def test_refused_export(braze: Sandbox, body: dict[str, Any], message: str) -> None:
    """An export that cannot be is refused with its reason."""
    segment_id = braze.add_segment("All users")
    assert (400, {"message": message}) == start(braze, **({"segment_id": segment_id} | body))


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"fields_to_export": ["email", "last_name"]}, {"email": "u1@x.org"}),
        ({"custom_attributes_to_export": ["n", "zz"]},
         {"external_id": "u1", "custom_attributes": {"n": 1}}),
        ({"fields_to_export": ["custom_attributes"], "custom_attributes_to_export": ["zz"]},
         {"custom_attributes": {"n": 1, "t": "2026-09-15T00:00:00.000Z"}}),
    ],
)  # fmt: skip
def test_line_has_the_fields_asked_for(
    braze: Sandbox, bucket: Any, asked: dict[str, Any], line: dict[str, Any]
) -> None:
    """A line has the fields that were asked for and are not empty, and no other."""
    braze.seed([{"external_id": "u1", "t": "2026-09-15", "empty": ""}])
    start(braze, braze.add_segment("One", [{"attribute": "n", "equals": 1}]), **asked)
    braze.advance(10)
    assert [line] == lines(bucket, keys(bucket)[0])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([{"attribute": "n", "greater": 2}], {"u3", "u4"}),
        ([{"attribute": "n", "greater": 0}, {"attribute": "n", "less": 2}], {"u1"}),
        ([{"attribute": "first_name", "exists": True}], {"u0"}),
        ([{"attribute": "tags", "contains": "a"}], {"u2"}),
        ([{"attribute": "n", "equals": True}], set()),
    ],
)
def test_segment_filters(
    braze: Sandbox, bucket: Any, where: list[dict[str, Any]], expected: set[str]
) -> None:
    """A segment holds the users that meet all of its conditions."""
    braze.seed([{"external_id": "u0", "first_name": "A"}, {"external_id": "u2", "tags": ["a"]}])
    start(braze, braze.add_segment("Some", where))
    braze.advance(100)
    assert expected == {one["external_id"] for key in keys(bucket) for one in lines(bucket, key)}


def test_silent_failure(
    braze: Sandbox, bucket: Any, callbacks: tuple[str, queue.Queue[Any]]
) -> None:
    """An export may stop after some files: nobody is told, and the segment is free again."""
    braze.change(export_fail_after_files=1)
    segment_id = braze.add_segment("All users")
    start(braze, segment_id, callback_endpoint=callbacks[0])
    braze.advance(100)
    assert (1, True) == (len(keys(bucket)), callbacks[1].empty())
    assert 201 == start(braze, segment_id)[0]


def test_repeated_users(braze: Sandbox, bucket: Any) -> None:
    """A user may be in two files of one export."""
    braze.change(export_repeats=1)
    start(braze, braze.add_segment("All users"))
    braze.advance(100)
    found = sorted(one["external_id"] for key in keys(bucket) for one in lines(bucket, key))
    assert ["u0", "u0", "u1", "u2", "u2", "u3", "u4"] == found


@pytest.mark.parametrize(("choice", "files"), [("nothing", 0), ("file", 1)])
def test_export_of_nobody(
    braze: Sandbox,
    bucket: Any,
    callbacks: tuple[str, queue.Queue[Any]],
    choice: str,
    files: int,
) -> None:
    """An export without users succeeds, with no file or an empty one."""
    braze.change(empty_export=choice)
    start(braze, braze.add_segment("Nobody", members=[]), callback_endpoint=callbacks[0])
    braze.advance(10)
    assert {"success": True} == callbacks[1].get(timeout=10)
    assert [[]] * files == [lines(bucket, key) for key in keys(bucket)]


def test_export_in_the_background(
    s3: LocalS3, bucket: Any, callbacks: tuple[str, queue.Queue[Any]]
) -> None:
    """Without a pace all files are written at once, unasked, and then the callback comes."""
    with Sandbox(SandboxSettings(users_per_file=2), s3=s3, bucket=BUCKET) as braze:
        braze.seed([{"external_id": f"u{n}"} for n in range(5)])
        start(braze, braze.add_segment("All users"), callback_endpoint=callbacks[0])
        assert {"success": True} == callbacks[1].get(timeout=10)
    assert 3 == len(keys(bucket))


def test_download_without_a_bucket(callbacks: tuple[str, queue.Queue[Any]]) -> None:
    """Without S3 the address answers 403 until ready, then one ZIP of all files, and expires."""
    with Sandbox(SLOW) as braze:
        braze.seed([{"external_id": f"u{n}"} for n in range(3)])
        _, answer = start(braze, braze.add_segment("All"), callback_endpoint=callbacks[0])
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(answer["url"], timeout=10)
        braze.advance(20)
        assert {"success": True, "url": answer["url"]} == callbacks[1].get(timeout=10)
        with urllib.request.urlopen(answer["url"], timeout=10) as ready:
            archive = zipfile.ZipFile(io.BytesIO(ready.read()))
        found = [archive.read(name).count(b"\n") for name in archive.namelist()]
        assert [2, 1] == found
        braze.advance(5 * 3600)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(answer["url"], timeout=10)


@pytest.mark.parametrize("kind", ["parquet", "csv", "ndjson", "frame"])
def test_seeding(tmp_path: Path, kind: str) -> None:
    """Profiles come from Parquet, CSV, NDJSON or a frame, unmetered, as Braze would hold them."""
    frame = pl.DataFrame(
        {"external_id": ["007", "8"], "first_name": ["Ada", None], "born": ["1980-12-21", None],
         "points": [12.5, None]}
    )  # fmt: skip
    path = tmp_path / f"seed.{kind}"
    if kind != "frame":
        getattr(frame, f"write_{kind}")(path)
    braze = Sandbox()
    assert 2 == braze.seed(frame if kind == "frame" else path)
    assert ["007", "8"] == list(braze.users())
    assert ('"Ada"', '"1980-12-21T00:00:00.000Z"', "12.5") == tuple(
        braze.raw_attribute("007", name) for name in ("first_name", "born", "points")
    )
    assert (0, None) == (braze.meter, braze.raw_attribute("8", "points"))


def test_seeding_of_typed_values() -> None:
    """Decimals keep their digits, days and instants become Braze's times."""
    braze = Sandbox()
    typed = {"d": Decimal("0.10"), "day": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3)}  # noqa: DTZ001
    braze.seed([{"external_id": "a"} | typed])
    assert ["0.10", '"2026-01-02T00:00:00.000Z"', '"2026-01-02T03:00:00.000Z"'] == [
        braze.raw_attribute("a", name) for name in typed
    ]


def test_one_conditional_write_wins(s3: LocalS3, bucket: Any) -> None:
    """Of many creations of one object at once exactly one succeeds, and a stale ETag fails."""
    outcomes: queue.Queue[bool] = queue.Queue()

    def create(body: bytes) -> None:
        try:
            s3.client().put_object(Bucket=BUCKET, Key="lease", Body=body, IfNoneMatch="*")
            outcomes.put(True)
        except ClientError:
            outcomes.put(False)

    threads = [threading.Thread(target=create, args=(bytes([n]),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 == sum(outcomes.get() for _ in range(8))
    old = bucket.head_object(Bucket=BUCKET, Key="lease")["ETag"]
    bucket.put_object(Bucket=BUCKET, Key="lease", Body=b"new", IfMatch=old)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        bucket.put_object(Bucket=BUCKET, Key="lease", Body=b"newer", IfMatch=old)


def test_writes_do_not_overlap() -> None:
    """A write waits until the one before it is done; reads do not wait."""
    together: queue.Queue[bool] = queue.Queue()

    def overlapping(method: str) -> list[bool]:
        meeting = threading.Barrier(2)

        def app(_environ: dict[str, Any], _start: Any) -> list[bytes]:
            try:
                meeting.wait(0.1 if method == "PUT" else 10)
                together.put(True)
            except threading.BrokenBarrierError:
                together.put(False)
            return []

        store = OneWriterAtATime(app)
        calls = [
            threading.Thread(target=store, args=({"REQUEST_METHOD": method}, None))
            for _ in range(2)
        ]
        for one in calls:
            one.start()
        for one in calls:
            one.join()
        return [together.get(), together.get()]

    assert [False, False] == overlapping("PUT")
    assert [True, True] == overlapping("GET")


def test_program_prints_a_configuration_that_works(tmp_path: Path) -> None:
    """The program seeds its files, prints where it listens, and ends when told."""
    (tmp_path / "people.ndjson").write_text('{"external_id":"a"}\n')
    said: queue.Queue[str] = queue.Queue()
    stopping = threading.Event()
    options: dict[str, Any] = {"braze_port": 0, "s3_port": 0, "say": said.put}
    program = threading.Thread(
        target=serve,
        kwargs=options | {"seed_files": [tmp_path / "people.ndjson"], "stopping": stopping},
    )
    program.start()
    try:
        assert said.get(timeout=20).startswith("# 1 profiles from ")
        braze = read_config(said.get(timeout=20), {}).connections["sandbox"].braze
        key = braze.api_key.get_secret_value()
        request = urllib.request.Request(
            braze.endpoint + "/segments/list", headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            names = [one["name"] for one in json.loads(answer.read())["segments"]]
        assert ["All users", "VIP customers"] == names
    finally:
        stopping.set()
        program.join()


def test_stops_promptly() -> None:
    """Starting and stopping takes no noticeable time, even with a connection open."""
    began = time.monotonic()
    with Sandbox() as braze:
        held = urllib.request.urlopen(f"{braze.url}/sandbox/meter", timeout=10)
    held.close()
    assert 3 > time.monotonic() - began
