"""The documents by which daemons show that they are alive, in a bucket."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from exchanger.config.loading.load import read_config
from exchanger.errors import Problem
from exchanger.files.heartbeat import Heartbeat
from exchanger.outside.s3.bucket import ObjectInfo
from exchanger.service.telling import heartbeat
from exchanger.service.telling.heartbeat import Facts, Heartbeats
from exchanger.service.telling.words import Telling

CONFIG = """
connections:
  main:
    braze: {{endpoint: iad-01, api_key: "${{KEY}}"}}
    s3: {{bucket: {bucket}, region: us-east-1, endpoint_url: "{url}",
         access_key_id: "${{KEY}}", secret_access_key: "${{KEY}}"}}
"""
FOLDER = "_exchanger/main/heartbeat/"


@pytest.fixture
def connections(s3_config):
    text = CONFIG.format(bucket=s3_config.bucket, url=s3_config.endpoint_url)
    return read_config(text, {"KEY": "sandbox"}).connections


@pytest.fixture
def begin(connections, monkeypatch):
    """Begin daemons that write at once."""
    monkeypatch.setattr(heartbeat, "FIRST", 0.0)

    def begin(facts=Facts):
        beats = Heartbeats(Path("/etc/exchanger.yaml"), lambda _: facts())
        beats.configure(connections)
        return beats

    return begin


def beat(beats):
    """Write, and wait for it."""
    beats._next = 0.0
    beats.beat()
    for one in beats._beats.values():
        one._thread.join()


def documents(bucket):
    return [Heartbeat.from_bytes(bucket.read(item.key)[0]) for item in bucket.list(FOLDER)]


def test_a_daemon_writes_once_a_minute_and_says_when_it_stops(bucket, begin):
    """One document a daemon, written again, and marked when it is stopped as asked."""
    beats = begin(lambda: Facts(next={"crm": "2026-09-15T00:00:00+00:00"}, last_look="T"))
    beat(beats)
    beats.beat()
    [first] = documents(bucket)
    assert (1, {"crm": "2026-09-15T00:00:00+00:00"}, "T", None) == (
        first.counter, first.next, first.last_look, first.stopped_at,
    )  # fmt: skip
    assert beats._next > time.monotonic() + 50
    beats.stop()
    beats.wait(time.monotonic() + 60)
    [last] = documents(bucket)
    assert (2, True) == (last.counter, last.stopped_at is not None)


def test_since_when_something_is_expected_outlives_a_daemon(bucket, begin):
    """A restart does not begin anew to wait for a job's first file."""
    beat(begin(lambda: Facts(expecting=["crm"])))
    [before] = documents(bucket)
    beat(begin(lambda: Facts(expecting=["crm", "till"])))
    after = [one for one in documents(bucket) if one.daemon != before.daemon]
    assert after[0].expecting["crm"] == before.expecting["crm"]
    assert after[0].expecting["till"] > before.expecting["crm"]


def test_what_daemons_left_is_swept(bucket, begin, monkeypatch):
    """Of our host after minutes, of others after a week; never what a living one writes."""
    for name in ("elsewhere-1-aa", "elsewhere-2-bb"):
        bucket.write(f"{FOLDER}{name}.json", b"{}")
    dead = begin()
    beat(dead)
    alive = begin()
    ages = {"elsewhere-1-aa": 8 * 86_400, "elsewhere-2-bb": 86_400, dead._who.daemon: 700}

    def age(item):
        seconds = ages.get(item.key.removeprefix(FOLDER).removesuffix(".json"), 0)
        return heartbeat.timedelta(seconds=seconds)

    monkeypatch.setattr(ObjectInfo, "age", property(age))
    beat(alive)

    left = {item.key.removeprefix(FOLDER).removesuffix(".json") for item in bucket.list(FOLDER)}
    assert {"elsewhere-2-bb", alive._who.daemon} == left


def test_a_store_that_does_not_answer_holds_up_nothing(begin, connections, monkeypatch):
    """Told once for as long as it lasts; at the end nobody waits for what was never there."""
    beats = begin()
    for one in beats._beats.values():
        monkeypatch.setattr(one, "_bucket", type(one._bucket)(
            connections["main"].s3.model_copy(update={"bucket": "no-such-bucket"})
        ))  # fmt: skip
    with heartbeat.structlog.testing.capture_logs() as told:
        beat(beats)
        beat(beats)
        began = time.monotonic()
        beats.stop()
        beats.wait(began + 60)
    assert time.monotonic() - began < 5
    assert [("heartbeat.failed", "main")] == [(one["event"], one["connection"]) for one in told]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"x", b'{"daemon": "a"}', b'"x"'])
def test_what_is_no_heartbeat_is_told_apart(body):
    """Anything else in the folder is no daemon."""
    with pytest.raises(ValueError, match=r"."):
        Heartbeat.from_bytes(body)


def test_what_a_later_version_adds_is_passed_over():
    """Two versions of a daemon beside one another are both understood."""
    ours = Heartbeat("d", "h", 1, "1.0", "c", "s", "a", next={"crm": None})
    body = ours.to_bytes().replace(b'"format": 1', b'"format": 1, "mood": "fine"')
    assert ours == Heartbeat.from_bytes(body)


def test_a_daemon_says_since_when_its_configuration_is_refused(bucket, connections, monkeypatch):
    """Until it is taken, or put back as it was: jobs go on as they were configured before."""
    monkeypatch.setattr(heartbeat, "FIRST", 0.0)
    telling = Telling(Path("/etc/exchanger.yaml"), dict, lambda: None)
    telling.heartbeats.configure(connections)
    telling.config_refused([Problem("jobs.crm", "there is no connection 'x'", line=3)])
    beat(telling.heartbeats)
    [said] = documents(bucket)
    assert "line 3: jobs.crm: there is no connection 'x'" == said.refused["problem"]
    telling.config_refused([Problem("", "it cannot be read")])
    beat(telling.heartbeats)
    [again] = documents(bucket)
    assert (said.refused["since"], "it cannot be read") == (
        again.refused["since"], again.refused["problem"],
    )  # fmt: skip
    telling.config_refused([])
    beat(telling.heartbeats)
    assert [None] == [one.refused for one in documents(bucket)]
