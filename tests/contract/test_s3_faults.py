"""The bucket against stores that refuse, fail, tear bodies or ignore conditions."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.endpoint
import pytest
from pydantic import SecretStr

from exchanger.config.models import S3Config
from exchanger.errors import (
    StorageChanged,
    StorageCorrupt,
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
    StorageUnreadable,
)
from exchanger.outside.s3 import access as s3_access
from exchanger.outside.s3.bodies import chunks
from exchanger.outside.s3.bucket import Bucket
from exchanger.outside.s3.probe import probe

SECRET = "dummy+secret/key"
LAST_MODIFIED = "Tue, 15 Sep 2026 10:00:00 GMT"


class Store:
    """
    A scripted store: each request takes the next answer, the last one stays.

    An answer is a status, a body, and how many bytes of it to hold back.
    """

    def __init__(self):
        self.script = []
        self.asked = []

    def says(self, status, code="", body=None, held_back=0):
        if body is None:
            body = f"<Error><Code>{code}</Code><Message>about {SECRET}</Message></Error>".encode()
        self.script.append((status, body, held_back))
        return self

    def reply(self, method, headers, sent):
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        store = self.server.store
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        store.asked.append((self.command, self.path, sent))
        status, body, held_back = store.reply(self.command, self.headers, sent)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"e1"')
        self.send_header("Last-Modified", LAST_MODIFIED)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) - held_back])
        self.close_connection = held_back > 0

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *words):
        pass


class SteppedClock:
    def __init__(self):
        self.slept = 0.0

    def now(self):
        return datetime(2026, 9, 15, tzinfo=UTC)

    def monotonic(self):
        return self.slept

    def sleep(self, seconds):
        self.slept += seconds

    async def wait(self, seconds):
        self.sleep(seconds)


@pytest.fixture
def serving():
    """Serve stores until the test is over."""
    running = []

    def serve(store):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.store = store
        store.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return store

    yield serve
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def connect(monkeypatch):
    # The pauses of boto3 between its attempts take no clock.
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda seconds: None)

    def connected(store):
        config = S3Config(
            bucket="some-bucket",
            region="us-east-1",
            endpoint_url=store.url,
            access_key_id=SecretStr("dummy-id"),
            secret_access_key=SecretStr(SECRET),
        )
        return Bucket(config, clock=SteppedClock())

    return connected


@pytest.fixture
def store(serving):
    return serving(Store())


@pytest.fixture
def bucket(store, connect):
    return connect(store)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", StorageDenied),
        (403, "InvalidAccessKeyId", StorageDenied),
        (403, "SignatureDoesNotMatch", StorageDenied),
        (403, "SomethingNew", StorageDenied),
        (401, "Unauthorized", StorageDenied),
        (400, "ExpiredToken", StorageDenied),
        (400, "InvalidToken", StorageDenied),
        (404, "NoSuchKey", StorageMissing),
        (404, "NoSuchBucket", StorageMissing),
        (412, "PreconditionFailed", StorageChanged),
        (500, "InternalError", StorageUnreachable),
        (503, "SlowDown", StorageUnreachable),
        (502, "", StorageUnreachable),
        (400, "InvalidArgument", StorageError),
        (501, "NotImplemented", StorageError),
        (403, "InvalidObjectState", StorageUnreadable),
        (400, "InvalidRequest", StorageUnreadable),
        (400, "KMS.DisabledException", StorageUnreadable),
        (400, "KMS.KMSInvalidStateException", StorageUnreadable),
    ],
)
def test_answers_become_typed_errors(store, bucket, status, code, error):
    """What S3 answers decides the error, which names the object and hides the secret."""
    store.says(status, code)
    with pytest.raises(StorageError) as raised:
        bucket.read("a/b")
    assert error is type(raised.value)
    assert ("read", "some-bucket") == (raised.value.action, raised.value.bucket)
    assert ("" if code == "NoSuchBucket" else "a/b") == raised.value.key
    assert SECRET not in str(raised.value)
    assert code in raised.value.detail
    assert code == raised.value.code


def test_a_listing_that_is_denied(store, bucket):
    """Not being allowed to list is no empty listing."""
    store.says(403, "AccessDenied")
    with pytest.raises(StorageDenied) as denied:
        list(bucket.list("inbox/"))
    assert ("list", "inbox/") == (denied.value.action, denied.value.key)


def test_a_look_that_is_denied(store, bucket):
    """The answer to HEAD has no body; its status is enough."""
    store.says(403, body=b"")
    with pytest.raises(StorageDenied):
        bucket.head("a")


def test_a_missing_object_where_the_bucket_may_not_be_looked_at(store, bucket):
    """Without permission to look at the bucket the object is what is missing."""
    store.says(404, body=b"").says(403, body=b"")
    with pytest.raises(StorageMissing) as missing:
        bucket.head("a")
    assert "a" == missing.value.key


def test_a_busy_store_is_asked_again(store, bucket):
    """A passing fault of the server is not seen by the caller."""
    store.says(503, "SlowDown").says(500, "InternalError").says(200, body=b"hello")
    assert (b"hello", "e1") == bucket.read("a")


def test_nobody_listens(bucket, store):
    """A store that cannot be reached is told apart, and worth another try later."""
    config = bucket._config.model_copy(update={"endpoint_url": "http://127.0.0.1:1"})
    with pytest.raises(StorageUnreachable) as unreachable:
        Bucket(config).read("a")
    assert unreachable.value.retryable


def test_a_torn_body_is_read_again(store, bucket, tmp_path):
    """A body that ends early is fetched again, and never taken for the whole."""
    body = b"x" * 3_000_000
    store.says(200, body=body, held_back=1_000_000).says(200, body=body)
    bucket.download("a", "e1", tmp_path / "a")
    assert body == (tmp_path / "a").read_bytes()
    store.script.insert(0, (200, body, 1))
    assert body == bucket.read("a")[0]
    assert 4 == len(store.asked)


@pytest.mark.parametrize("held_back", [1, 2_999_999, 3_000_000])
def test_a_body_that_is_always_torn_is_corrupt(store, bucket, tmp_path, held_back):
    """When every attempt ends early, that is the error, after a bounded number of attempts."""
    store.says(200, body=b"x" * 3_000_000, held_back=held_back)
    with pytest.raises(StorageCorrupt) as corrupt:
        bucket.download("a", "e1", tmp_path / "a")
    assert ("a", True) == (corrupt.value.key, corrupt.value.retryable)
    assert s3_access.ATTEMPTS == len(store.asked)


def test_a_torn_stream_is_never_an_early_end(store, bucket):
    """Who streams an object hears of a torn body instead of seeing its end."""
    store.says(200, body=b"x" * 3_000_000, held_back=5)
    with bucket.open("a") as body, pytest.raises(StorageCorrupt):
        list(chunks(body))


def test_a_write_that_met_another_one_is_sent_again(store, bucket):
    """409 means that the condition was not decided; it is asked again."""
    store.says(409, "ConditionalRequestConflict").says(409, "OperationAborted").says(200, body=b"")
    assert "e1" == bucket.write("a", b"1", if_none_match=True)
    assert [b"1"] * 3 == [sent for _, _, sent in store.asked]
    store.script = []
    store.says(409, "ConditionalRequestConflict").says(412, "PreconditionFailed")
    with pytest.raises(StorageChanged):
        bucket.write("a", b"1", if_none_match=True)


def test_conflicts_end_after_some_attempts(store, bucket):
    """A write that always meets another one is given up as worth another try later."""
    store.says(409, "ConditionalRequestConflict")
    with pytest.raises(StorageUnreachable):
        bucket.write("a", b"1", if_match="e0")
    assert s3_access.ATTEMPTS == len(store.asked)


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDenied", StorageDenied), ("InternalError", StorageError)]
)
def test_objects_that_were_not_deleted_are_told(store, bucket, code, error):
    """A 200 that lists failures is a failure."""
    failed = f"<Error><Key>b</Key><Code>{code}</Code><Message>no</Message></Error>"
    store.says(200, body=f"<DeleteResult>{failed}</DeleteResult>".encode())
    with pytest.raises(error) as raised:
        bucket.delete(["a", "b"])
    assert "b" == raised.value.key
    assert f"1 of 2 not deleted: {code} no" == raised.value.detail


class ForgetfulStore(Store):
    """Keeps one object, and ignores some of the conditions on writes."""

    def __init__(self, ignored):
        super().__init__()
        self.ignored = ignored
        self.kept = None

    def reply(self, method, headers, sent):
        if method == "GET" and self.kept is None:
            return 200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", 0
        if method == "GET":
            return 200, self.kept, 0
        if method == "POST":
            self.kept = None
            return 200, b"<DeleteResult></DeleteResult>", 0
        wants = {name: headers.get(name) for name in ("If-None-Match", "If-Match")}
        broken = (wants["If-None-Match"] and self.kept is not None and "If-None-Match") or (
            wants["If-Match"] not in (None, '"e1"') and "If-Match"
        )
        if broken and broken not in self.ignored:
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>", 0
        self.kept = sent
        return 200, b"", 0


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
def test_a_store_that_ignores_conditions_fails_the_check(serving, connect, ignored):
    """Where two writers could both believe they won, the check says which header is ignored."""
    store = serving(ForgetfulStore({ignored}))
    with pytest.raises(StorageError) as raised:
        probe(connect(store), "state/")
    assert ("write conditionally", f"the store ignores {ignored}") == (
        raised.value.action,
        raised.value.detail,
    )
    assert store.kept is None


def test_a_store_that_honours_conditions_passes_the_check(serving, connect):
    """The check finds fault only with stores that have one, and removes its object."""
    store = serving(ForgetfulStore(set()))
    probe(connect(store), "state/")
    assert store.kept is None
