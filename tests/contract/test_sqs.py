"""The client of SQS against a local SQS."""

from __future__ import annotations

import pytest
from support.local_sqs import LocalSqs

from exchanger.config.models import Notices, S3Config
from exchanger.errors import QueueError
from exchanger.outside.sqs.queue import Queue


@pytest.fixture
def sqs():
    with LocalSqs() as server:
        yield server


@pytest.fixture
def config():
    return S3Config(bucket="b", access_key_id="sandbox", secret_access_key="sandbox-secret")


def test_messages_are_received_and_deleted(sqs, config):
    """More than one request takes, each with what deletes it."""
    url = sqs.queue("arrivals")
    queue = Queue(Notices(sqs=url), config)
    queue.probe()
    for number in range(12):
        sqs.send(url, f"message {number}")
    bodies, receipts = set(), []
    while len(bodies) < 12:
        for message in queue.receive():
            bodies.add(message.body)
            receipts.append(message.receipt)
    assert {f"message {number}" for number in range(12)} == bodies
    queue.delete(receipts)
    assert 0 == sqs.left(url)


def test_another_address_may_be_asked(sqs, config):
    """``endpoint_url`` says where SQS is, whatever host the queue's address names."""
    url = sqs.queue("arrivals")
    elsewhere = url.replace(sqs.url, "https://sqs.us-east-1.amazonaws.com")
    sqs.send(url, "hello")
    queue = Queue(Notices(sqs=elsewhere, endpoint_url=sqs.url), config)
    assert ["hello"] == [message.body for message in queue.receive()]


def test_a_queue_that_is_not_there_is_told(sqs, config):
    """What SQS says, without a secret."""
    queue = Queue(Notices(sqs=f"{sqs.url}/123456789012/nowhere"), config)
    for act in (queue.probe, queue.receive):
        with pytest.raises(QueueError, match="NonExistentQueue"):
            act()


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/1/q", "eu-west-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/1/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"),
        ("https://eu-central-1.queue.amazonaws.com/1/q", "eu-central-1"),
        ("https://vpce-1.sqs.eu-west-3.vpce.amazonaws.com/1/q", "eu-west-3"),
        ("http://127.0.0.1:9324/1/q", "ap-south-1"),
    ],
)
def test_the_region_is_that_of_the_address(config, url, region):
    """Requests are signed for the queue's own region; where it names none, for the bucket's."""
    config = config.model_copy(update={"region": "ap-south-1"})
    assert region == Queue(Notices(sqs=url), config)._client.meta.region_name
