"""The bucket against a real S3 protocol server."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import boto3
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from exchanger.config.models import S3Config
from exchanger.errors import StorageChanged, StorageDenied, StorageError, StorageMissing
from exchanger.outside.s3.bodies import PART, part_size
from exchanger.outside.s3.bucket import Bucket
from exchanger.outside.s3.growing import PART as GROWN
from exchanger.outside.s3.probe import probe


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def config(endpoint):
    name = f"bucket-{uuid4().hex[:8]}"
    config = S3Config(
        bucket=name,
        region="us-east-1",
        endpoint_url=endpoint,
        access_key_id=SecretStr("test-id"),
        secret_access_key=SecretStr("test-secret"),
    )
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test-id",
        aws_secret_access_key="test-secret",
    ).create_bucket(Bucket=name)
    return config


@pytest.fixture
def bucket(config):
    return Bucket(config)


def test_what_is_small_is_sent_without_asking_for_leave(bucket):
    """To wait for it takes as long as the writing itself; what is large might come to nothing."""
    asked = []
    events = bucket._client.meta.events
    events.register(
        "before-send.s3", lambda request, **_: asked.append("Expect" in request.headers)
    )
    bucket.write("small", b"x" * 1000)
    bucket.write("large", b"x" * (2 << 20))
    assert [False, True] == asked
    assert 2 << 20 == bucket.head("large").size


def test_what_is_written_is_read_back(bucket):
    """A body and its ETag come back as they were written."""
    etag = bucket.write("state/a.json", b"{}", content_type="application/json")
    assert (b"{}", etag) == bucket.read("state/a.json")
    assert '"' not in etag


def test_head_tells_size_etag_and_age(bucket):
    """A look at an object tells what it is, and how old it is by the store's own clock."""
    etag = bucket.write("a.txt", b"hello")
    found = bucket.head("a.txt")
    assert ("a.txt", etag, 5) == (found.key, found.etag, found.size)
    assert 0 <= found.age.total_seconds() < 60


def test_list_goes_through_more_than_one_page(bucket):
    """More objects than S3 lists at once are all listed, in order, and only below the prefix."""
    keys = [f"inbox/{n:05d}" for n in range(1203)]
    for key in keys:  # Straight into the server, as 1,203 requests take long.
        s3_backends["123456789012"]["aws"].put_object(bucket.name, key, b"")
    bucket.write("other", b"")
    assert keys == [found.key for found in bucket.list("inbox/")]
    assert keys[1200:] == [found.key for found in bucket.list("inbox/", start_after=keys[1199])]
    bucket.delete(keys)
    assert [] == list(bucket.list("inbox/"))
    assert ["other"] == [found.key for found in bucket.list("")]


@pytest.mark.parametrize("use", ["read", "head", "open", "download"])
def test_a_missing_object_is_told_from_a_missing_bucket(bucket, config, tmp_path, use):
    """A missing object is named by its key; a missing bucket has no key."""
    calls = {
        "read": lambda b: b.read("no/such"),
        "head": lambda b: b.head("no/such"),
        "open": lambda b: b.open("no/such").__enter__(),
        "download": lambda b: b.download("no/such", "0" * 32, tmp_path / "f"),
    }
    with pytest.raises(StorageMissing) as missing:
        calls[use](bucket)
    assert "no/such" == missing.value.key
    with pytest.raises(StorageMissing) as missing:
        calls[use](Bucket(config.model_copy(update={"bucket": "no-such-bucket"})))
    assert ("no-such-bucket", "") == (missing.value.bucket, missing.value.key)


def test_listing_a_missing_bucket_says_so(config):
    """A bucket that does not exist is not an empty bucket."""
    with pytest.raises(StorageMissing) as missing:
        list(Bucket(config.model_copy(update={"bucket": "no-such-bucket"})).list("x/"))
    assert "" == missing.value.key


def test_create_only_once(bucket):
    """Only the first of two writers creates an object that must not exist yet."""
    bucket.write("runs/1", b"first", if_none_match=True)
    with pytest.raises(StorageChanged):
        bucket.write("runs/1", b"second", if_none_match=True)
    assert b"first" == bucket.read("runs/1")[0]


def test_replace_only_the_version_that_was_read(bucket):
    """A write over a version that somebody has replaced meanwhile is refused."""
    old = bucket.write("lease", b"1")
    new = bucket.write("lease", b"2", if_match=old)
    with pytest.raises(StorageChanged):
        bucket.write("lease", b"3", if_match=old)
    assert (b"2", new) == bucket.read("lease")


def test_replacing_what_does_not_exist_says_it_is_missing(bucket):
    """A conditional write over no object at all tells so, rather than creating it."""
    with pytest.raises(StorageMissing):
        bucket.write("lease", b"1", if_match="0" * 32)


def test_only_the_version_that_was_listed_is_read(bucket, tmp_path):
    """A file replaced after it was listed is not read as if it were the old one."""
    old = bucket.write("inbox/a.csv", b"old")
    bucket.write("inbox/a.csv", b"new")
    with pytest.raises(StorageChanged):
        bucket.read("inbox/a.csv", old)
    with pytest.raises(StorageChanged):
        bucket.download("inbox/a.csv", old, tmp_path / "a.csv")


def test_download_gives_content_and_checksum(bucket, tmp_path):
    """A download is the content, and tells its SHA-256."""
    body = bytes(range(256)) * 20_000
    etag = bucket.write("big", body)
    assert hashlib.sha256(body).hexdigest() == bucket.download("big", etag, tmp_path / "big")
    assert body == (tmp_path / "big").read_bytes()


def test_open_streams(bucket):
    """A stream can be read piece by piece and by lines, to the end."""
    bucket.write("lines", b"a\nb\nc")
    with bucket.open("lines") as body:
        assert [b"a\n", b"b\n", b"c"] == [body.read(2), *body.readlines()]


@pytest.mark.parametrize("size", [0, 5, PART, PART + 1, 2 * PART + 7])
def test_upload_of_any_size(bucket, tmp_path, size):
    """A file becomes an object of the same content, in one piece or in parts."""
    body = (b"0123456789abcde" * (size // 15 + 1))[:size]
    (tmp_path / "f").write_bytes(body)
    done = bucket.upload("f", tmp_path / "f")
    assert (size, hashlib.sha256(body).hexdigest()) == (done.size, done.sha256)
    assert (body, done.etag) == bucket.read("f")


def test_an_upload_that_fails_replaces_nothing(bucket, tmp_path):
    """What was there stays, and of an upload that could not be completed no parts are left."""

    def fail(**_):
        raise OSError("no")

    bucket.write("f", b"first")
    (tmp_path / "f").write_bytes(b"x" * (PART + 1))
    bucket._client.meta.events.register("before-call.s3.CompleteMultipartUpload", fail)
    with pytest.raises(OSError, match="no"):
        bucket.upload("f", tmp_path / "f")
    assert b"first" == bucket.read("f")[0]
    left = bucket._client.list_multipart_uploads(Bucket=bucket.name)
    assert [] == left.get("Uploads", [])


@pytest.mark.parametrize("sizes", [[5], [GROWN], [3, GROWN + 3, 2 * GROWN], [GROWN - 1, GROWN + 7]])
def test_a_file_is_sent_while_it_grows(bucket, tmp_path, sizes):
    """However a file grew, the object has its content, and is not there before it is finished."""
    path = tmp_path / "f"
    body = (b"0123456789abcde" * (sizes[-1] // 15 + 1))[: sizes[-1]]
    sending = bucket.upload_growing("f")
    for before, size in pairwise([0, *sizes]):
        with path.open("ab") as file:
            file.write(body[before:size])
        sending.grown(path)
    assert [] == list(bucket.list(""))
    done = sending.finish(path)
    assert (len(body), hashlib.sha256(body).hexdigest()) == (done.size, done.sha256)
    assert (body, done.etag) == bucket.read("f")


@pytest.mark.parametrize("size", [5, GROWN + 1])
def test_what_is_given_up_leaves_nothing(bucket, tmp_path, size):
    """Neither an object nor parts of one remain of a file that is not to be sent after all."""
    (tmp_path / "f").write_bytes(b"x" * size)
    sending = bucket.upload_growing("f")
    sending.grown(tmp_path / "f")
    begun = bucket._client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])
    sending.give_up()
    left = bucket._client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])
    assert ([], bool(size > GROWN)) == (left, bool(begun))
    assert [] == list(bucket.list(""))


def test_a_part_that_cannot_be_sent_is_told_when_the_file_is_finished(bucket, tmp_path):
    """Where the upload was removed by somebody else there is no object, but a typed error."""
    path = tmp_path / "f"
    path.write_bytes(b"x" * GROWN)
    sending = bucket.upload_growing("f")
    sending.grown(path)
    for upload in bucket._client.list_multipart_uploads(Bucket=bucket.name)["Uploads"]:
        bucket._client.abort_multipart_upload(
            Bucket=bucket.name, Key="f", UploadId=upload["UploadId"]
        )
    with path.open("ab") as file:
        file.write(b"x" * GROWN)
    with pytest.raises(StorageError):
        sending.finish(path)
    assert [] == list(bucket.list(""))


def test_parts_of_a_huge_file_stay_within_the_limit():
    """However large the file, there are at most 10,000 parts."""
    for size in (1, PART * 10_000, PART * 10_000 + 1, 5 * 2**40):
        assert 10_000 >= -(-size // part_size(size))


def test_upload_in_parts_with_checksums_as_to_aws(endpoint, config, tmp_path):
    """Without an endpoint of its own the bucket is AWS, where every part carries a checksum."""
    aws = Bucket(config.model_copy(update={"endpoint_url": None}))
    asked = []

    def bring_here(request, **_):
        host, _, path = request.url.removeprefix("https://").partition("/")
        asked.append((host, request.headers))
        request.url = f"{endpoint}/{config.bucket}/{path}"

    aws._client.meta.events.register("before-send.s3", bring_here)
    body = b"0123456789abcde" * (PART // 10)
    (tmp_path / "f").write_bytes(body)
    done = aws.upload("f", tmp_path / "f")
    assert hashlib.sha256(body).hexdigest() == aws.download("f", done.etag, tmp_path / "g")
    assert {f"{config.bucket}.s3.us-east-1.amazonaws.com"} == {host for host, _ in asked}
    sums = ("x-amz-checksum-crc32", "x-amz-trailer")
    assert any(name in headers for name in sums for _, headers in asked)
    assert "https://s3.us-east-1.amazonaws.com" == aws.storage_options()["AWS_ENDPOINT_URL"]


def test_deleting_what_is_gone_is_no_error(bucket):
    """Sweeping can be repeated."""
    bucket.delete(["never", "was"])
    bucket.delete([])
    assert [] == list(bucket.list(""))


def test_check_passes_and_leaves_nothing(bucket):
    """A good bucket passes, and the probe is gone afterwards."""
    probe(bucket, "state/")
    assert [] == list(bucket.list(""))


def test_delta_tables_open_with_the_storage_options(bucket):
    """The deltalake library reads and writes with what the bucket says."""
    options = bucket.storage_options()
    uri = f"s3://{bucket.name}/held"
    write_deltalake(uri, pl.DataFrame({"n": [1, 2]}).to_arrow(), storage_options=options)
    assert 2 == DeltaTable(uri, storage_options=options).to_pyarrow_table().num_rows


def test_no_credentials_at_all_is_denied(config, monkeypatch, tmp_path):
    """Where AWS's own chain finds nothing, that is a matter of credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    keyless = Bucket(config.model_copy(update={"access_key_id": None, "secret_access_key": None}))
    with pytest.raises(StorageDenied):
        keyless.read("x")
    with pytest.raises(StorageDenied):
        keyless.storage_options()


def test_a_name_that_no_bucket_can_have(config):
    """An impossible bucket name is a storage error, not a crash."""
    with pytest.raises(StorageError):
        Bucket(config.model_copy(update={"bucket": "Not A Bucket"})).read("x")


def test_uploads_that_a_killed_process_left_are_given_up(bucket):
    """Those below a prefix that are old enough; others, and those of other folders, stay."""
    client, name = bucket._client, bucket.name
    for key in ("state/outbox/1", "state/held/2", "elsewhere/3"):
        client.create_multipart_upload(Bucket=name, Key=key)

    def under_way():
        page = client.list_multipart_uploads(Bucket=name)
        return sorted(upload["Key"] for upload in page.get("Uploads", []))

    assert 0 == bucket.abort_uploads("state/", timedelta(days=36_500))
    assert 2 == bucket.abort_uploads("state/", timedelta(days=1))  # It says that they are of 2010.
    assert ["elsewhere/3"] == under_way()
