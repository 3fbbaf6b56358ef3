"""What messages say of objects, however S3's notices were passed on."""

from __future__ import annotations

import json

import pytest

from exchanger.files.notices import NoticeFault, Object, read_notice


def record(key="in/a.csv", event="ObjectCreated:Put", bucket="acme"):
    return {
        "eventSource": "aws:s3",
        "eventName": event,
        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 3}},
    }


def direct(*records):
    return json.dumps({"Records": [*(records or [record()])]})


def sns(message):
    return json.dumps({"Type": "Notification", "MessageId": "1", "Message": message})


def bus(key="in/a.csv", kind="Object Created", source="aws.s3"):
    detail = {"bucket": {"name": "acme"}, "object": {"key": key}}
    return json.dumps({"source": source, "detail-type": kind, "detail": detail})


TEST = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "acme"})
READ = [
    (direct(), [Object("acme", "in/a.csv")]),
    (direct(record("a"), record("b")), [Object("acme", "a"), Object("acme", "b")]),
    (direct(record("in/my+file%28%C3%A9%29.csv")), [Object("acme", "in/my file(é).csv")]),
    (direct(record("in/1%2B1.csv")), [Object("acme", "in/1+1.csv")]),
    (direct(record(event="s3:ObjectCreated:Put")), [Object("acme", "in/a.csv")]),
    (direct(record(event="ObjectCreated:CompleteMultipartUpload")), [Object("acme", "in/a.csv")]),
    (direct(record(event="ObjectRestore:Completed")), [Object("acme", "in/a.csv")]),
    (direct(record(event="ObjectRestore:Post")), [Object("acme", "in/a.csv", is_new=False)]),
    (direct(record(event="ObjectRemoved:Delete")), [Object("acme", "in/a.csv", is_new=False)]),
    (sns(direct()), [Object("acme", "in/a.csv")]),
    (bus(), [Object("acme", "in/a.csv")]),
    (bus("in/1+1 é.csv"), [Object("acme", "in/1+1 é.csv")]),
    (bus(kind="Object Restore Completed"), [Object("acme", "in/a.csv")]),
    (bus(kind="Object Deleted"), [Object("acme", "in/a.csv", is_new=False)]),
    (sns(bus()), [Object("acme", "in/a.csv")]),
    (sns(sns(direct())), [Object("acme", "in/a.csv")]),
    (TEST, []),
    (sns(TEST), []),
    (json.dumps({"Records": []}), []),
]
POISON = [
    ("", "no JSON"),
    ("hello", "no JSON"),
    ("[" * 100_000, "no JSON"),
    ("7", "no notice"),
    ("[]", "no notice"),
    ("{}", "no notice"),
    (sns("hello"), "no JSON"),
    (sns(sns(sns(sns(sns(direct()))))), "envelopes"),
    (bus(source="aws.ec2"), "no notice"),
    (bus(key=7), "no text"),
    (bus(key=""), "no text"),
    (json.dumps({"source": "aws.s3"}), "lacks"),
    (json.dumps({"Records": [{"Sns": {"Message": "x"}}]}), "no notice"),
    (json.dumps({"Records": [{"s3": {}}]}), "lacks"),
    (json.dumps({"Records": ["x"]}), "no notice"),
    (json.dumps({"Records": [7]}), "lacks"),
    (json.dumps({"Type": "SubscriptionConfirmation", "Message": "confirm"}), "no notice"),
]


@pytest.mark.parametrize(("body", "objects"), READ)
def test_a_notice_names_objects(body, objects):
    """S3 spells keys as forms do, EventBridge as they are; what was removed is no news."""
    assert objects == read_notice(body)


@pytest.mark.parametrize(("body", "why"), POISON)
def test_what_is_no_notice_says_why(body, why):
    """Whatever else lies in a queue is told as what it lacks, and never raises anything else."""
    with pytest.raises(NoticeFault, match=why):
        read_notice(body)
