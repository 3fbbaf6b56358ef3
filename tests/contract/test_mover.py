"""Objects are moved and tagged as the version that was meant, with all that is said of them."""

from __future__ import annotations

import pytest
from support.fault_proxy import FaultProxy, Schedule

from exchanger.errors import StorageDenied, StorageError
from exchanger.outside.s3.bucket import Bucket
from exchanger.outside.s3.mover import Mover
from exchanger.outside.s3.probe import probe_moving

KEY, TARGET = "in/a.csv", "done/1/a.csv"
DONE = {"exchanger": "done"}
MIB = 1 << 20


@pytest.fixture
def client(local_s3):
    return local_s3.client()


@pytest.fixture
def bucket(s3_config):
    return Bucket(s3_config)


@pytest.fixture
def proxy(local_s3):
    with FaultProxy(local_s3.url, Schedule(0)) as proxy:
        yield proxy


def by_way_of(proxy, s3_config):
    return Bucket(s3_config.model_copy(update={"endpoint_url": proxy.url}))


def keys(bucket):
    return [item.key for item in bucket.list("")]


def tags(client, bucket, key):
    found = client.get_object_tagging(Bucket=bucket.name, Key=key)["TagSet"]
    return {each["Key"]: each["Value"] for each in found}


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_moved_object_keeps_what_is_said_of_it(bucket, client, in_parts):
    """Content, metadata, storage class and tags go with it, also if it is copied in parts."""
    body = b"x" * (5 * MIB + 7) if in_parts else b"id\n1\n"
    etag = client.put_object(
        Bucket=bucket.name, Key=KEY, Body=body, Metadata={"from": "crm"}, ContentType="text/csv",
        StorageClass="STANDARD_IA", Tagging="team=crm", ServerSideEncryption="AES256",
    )["ETag"].strip('"')  # fmt: skip
    sizes = {"at_once": MIB, "part": 5 * MIB} if in_parts else {}
    mover = Mover(
        lambda: client, bucket.name, bucket._typed, is_aws=False, **sizes
    )  # fmt: skip
    assert mover.move(KEY, etag, TARGET, DONE) == "moved"

    assert [TARGET] == keys(bucket)
    found = client.get_object(Bucket=bucket.name, Key=TARGET)
    assert body == found["Body"].read()
    assert ({"from": "crm"}, "text/csv") == (found["Metadata"], found["ContentType"])
    assert ("STANDARD_IA", "AES256") == (found["StorageClass"], found["ServerSideEncryption"])
    assert {"team": "crm"} | DONE == tags(client, bucket, TARGET)
    # Again, as somebody does who does not know that it is done.
    assert mover.move(KEY, etag, TARGET, DONE) == "moved"
    assert [TARGET] == keys(bucket)


@pytest.mark.parametrize(
    ("method", "piece", "became", "left"),
    [("HEAD", KEY, "replaced", [KEY]), ("PUT", TARGET, "replaced", [KEY]),
     ("DELETE", KEY, "moved", [TARGET, KEY])],
)  # fmt: skip
def test_what_is_written_meanwhile_stays_and_is_not_moved(  # noqa: PLR0917
    bucket, proxy, s3_config, method, piece, became, left
):
    """A version that nobody has read is neither deleted nor left at the place of another one."""
    etag = bucket.write(KEY, b"old")
    proxy.once(method, piece, lambda: bucket.write(KEY, b"new"))

    assert by_way_of(proxy, s3_config).mover().move(KEY, etag, TARGET, {}) == became

    assert left == keys(bucket)
    assert bucket.read(KEY)[0] == b"new"
    assert all(bucket.read(key)[0] == b"old" for key in left if key == TARGET)


def test_a_store_that_deletes_whatever_there_is_deletes_nothing_for_us(bucket, proxy, s3_config):
    """It is found out by our own copy; the object stays."""
    etag = bucket.write(KEY, b"old")

    def forget_condition(exchange):
        if exchange.command == "DELETE":
            del exchange.headers["If-Match"]

    proxy.before_each(forget_condition)
    with pytest.raises(StorageError) as error:
        by_way_of(proxy, s3_config).mover().move(KEY, etag, TARGET, {})
    assert error.value.code == "NotImplemented"
    assert [KEY] == keys(bucket)
    with pytest.raises(StorageError):
        probe_moving(by_way_of(proxy, s3_config), "done/", DONE)
    assert [KEY] == keys(bucket)


def test_trying_to_move_leaves_nothing_behind(bucket):
    """``check --connect`` moves a file of its own."""
    probe_moving(bucket, "done/", DONE)
    assert [] == keys(bucket)


def test_a_copy_whose_original_cannot_be_deleted_does_not_stay(bucket, proxy, s3_config):
    """Whoever may not delete does not heap up copies."""
    etag = bucket.write(KEY, b"old")
    proxy.forbid("DELETE", KEY)
    with pytest.raises(StorageDenied) as error:
        by_way_of(proxy, s3_config).mover().move(KEY, etag, TARGET, {})
    assert error.value.action == "delete"
    assert [KEY] == keys(bucket)


@pytest.mark.parametrize(
    ("tags", "requests"),
    [({}, ["HEAD", "PUT", "DELETE"]), (DONE, ["HEAD", "GET", "PUT", "DELETE"])],
)
def test_an_object_costs_no_more_requests_than_it_must(bucket, proxy, s3_config, tags, requests):
    """A look, for how it is kept and whether it is still there; its tags, if it gets more."""
    mover = by_way_of(proxy, s3_config).mover()
    mover.move(KEY, bucket.write(KEY, b"first"), TARGET, tags)
    etag, seen = bucket.write(KEY, b"second"), []
    proxy.before_each(lambda it: seen.append(it.command))
    mover.move(KEY, etag, f"{TARGET}.2", tags)
    assert requests == seen


@pytest.mark.parametrize("versions", [False, True])
def test_tags_are_those_of_the_version_that_was_meant(bucket, client, proxy, s3_config, versions):
    """Tags that it has stay; a version that is written meanwhile has none of ours."""
    if versions:
        client.put_bucket_versioning(
            Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
        )
    etag = bucket.write(KEY, b"old")
    team = {"TagSet": [{"Key": "team", "Value": "crm"}]}
    client.put_object_tagging(Bucket=bucket.name, Key=KEY, Tagging=team)
    mover = by_way_of(proxy, s3_config).mover()
    assert mover.tag(KEY, etag, DONE) == "tagged"
    assert {"team": "crm"} | DONE == tags(client, bucket, KEY)

    proxy.once("PUT", "tagging", lambda: bucket.write(KEY, b"new"))
    assert mover.tag(KEY, etag, DONE) == ("tagged" if versions else "replaced")
    assert "exchanger" not in tags(client, bucket, KEY)
    assert mover.tag(KEY, etag, DONE) == "replaced"


def test_more_tags_than_s3_takes_are_not_given(bucket, client):
    """The ten that it has stay as they are."""
    etag = bucket.write(KEY, b"old")
    ten = {"TagSet": [{"Key": f"k{number}", "Value": "v"} for number in range(10)]}
    client.put_object_tagging(Bucket=bucket.name, Key=KEY, Tagging=ten)
    with pytest.raises(StorageError) as error:
        bucket.mover().tag(KEY, etag, DONE)
    assert "11 tags" in error.value.detail
    assert 10 == len(tags(client, bucket, KEY))
