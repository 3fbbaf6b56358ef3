"""A state belongs to the workspace that it was made with: another one is never told its memory."""

from __future__ import annotations

import json

import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(fields={"spend": {"merge": "sum", "type": "integer"}, "tier": "set"})
EXPORT = {
    "type": "export",
    "segment": "All",
    "fields": {"external_id": "external_id"},
    "target": {"prefix": "out/"},
}
FILE = "id,spend,tier\na,5,gold\n"


@pytest.fixture
def applied(exchange):
    """A connection that has applied a file to its workspace."""
    exchange.braze.add_segment("All")
    exchange.configure(crm=JOB, out=EXPORT)
    exchange.drop("inbox/1.csv", FILE)
    exchange.ask("run", "crm")
    return exchange


@pytest.fixture
def live(applied, local_s3, s3_config):
    """The same connection, pointed at another workspace, as one does to go live."""
    from exchanger.sandbox import Sandbox

    with Sandbox(s3=local_s3, bucket=s3_config.bucket) as braze:
        braze.add_segment("All")
        applied.connection["braze"]["endpoint"] = braze.url
        applied.configure(**applied.jobs)
        yield applied, braze


def state_of(exchange):
    return {item.key: item.etag for item in exchange.bucket.list("_exchanger/")}


USES = (
    ["run", "crm"],
    ["plan", "crm"],
    ["run", "crm", "--force"],
    ["backfill", "crm", "--full"],
    ["run", "out"],
    ["drift", "crm"],
    ["rebuild", "crm", "--segment", "All"],
    ["retry", "1"],
    ["jobs", "--waiting"],
    ["check", "--connect"],
)


def test_a_state_of_another_workspace_stops_what_would_use_it(live):
    """Nothing is sent, nothing is written, and both ways out are named, whatever is asked for."""
    exchange, braze = live
    before = state_of(exchange)
    for words in USES:
        done = exchange.call(*words)
        said = done.stdout + done.stderr
        assert 3 == done.returncode, (words, said)
        assert "state_prefix" in said, words
        assert "exchanger adopt --connection main" in said, words
        changed = {key for key, etag in state_of(exchange).items() if before.get(key) != etag}
        assert set() == {key for key in changed if not key.endswith("lease.json")}, words
    assert [] == [body for body in braze.bodies(TRACK) if body["attributes"]]


@pytest.fixture
def same_place(applied, local_s3, s3_config):
    """Another workspace at the address where the one before was, under a key of its own."""
    from exchanger.sandbox import Sandbox, SandboxSettings

    port = int(applied.braze.url.rpartition(":")[2])
    applied.braze.stop()
    settings = SandboxSettings(api_keys={"another-key": None})
    with Sandbox(settings, s3=local_s3, bucket=s3_config.bucket, port=port) as braze:
        braze.add_segment("All")
        applied.braze = braze
        yield applied


def test_another_workspace_of_the_same_instance_is_told_by_its_segments(same_place):
    """The key is new, and no segment that it lists is known."""
    done = same_place.call("run", "crm")
    assert (3, True) == (done.returncode, "was made with another Braze workspace" in done.stderr)
    assert 0 == same_place.braze.requests(TRACK)


def test_a_new_key_that_may_list_no_segments_is_nobody(same_place):
    """What cannot be told is not taken for the same."""
    same_place.braze.give_key("another-key", lacking={"segments.list"})
    done = same_place.call("run", "crm")
    assert (3, True) == (done.returncode, "may have been made with another" in done.stderr)
    assert 0 == same_place.braze.requests(TRACK)


def test_a_rotated_key_is_recognised_and_remembered(applied):
    """Nobody has to do anything: the segments are the same. From then on the key says it."""
    applied.braze.give_key("rotated")
    assert "nothing_to_do" == applied.ask("run", "crm")["state"]
    assert 0 == applied.call("check", "--connect").returncode
    applied.drop("inbox/2.csv", "id,spend,tier\na,1,gold\n")
    assert "succeeded" == applied.ask("run", "crm")["state"]
    assert "6" == applied.attribute("a", "spend")
    listed = applied.braze.requests("/segments/list")
    applied.drop("inbox/3.csv", "id,spend,tier\na,2,gold\n")
    assert "succeeded" == applied.ask("run", "crm")["state"]
    assert listed == applied.braze.requests("/segments/list")


@pytest.mark.nightly
def test_another_state_prefix_begins_anew_for_another_workspace(live):
    """The other workspace gets every file in full: its own state knows of none."""
    exchange, braze = live
    exchange.connection["s3"]["state_prefix"] = "_exchanger/live/"
    exchange.configure(**exchange.jobs)
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    assert ("5", "5") == (exchange.attribute("a", "spend"), braze.raw_attribute("a", "spend"))
    assert 0 == exchange.call("check", "--connect").returncode


@pytest.mark.nightly
def test_an_adopted_state_goes_on_with_the_same_workspace_at_another_address(live):
    """What was applied counts as applied from then on; what comes is sent."""
    exchange, braze = live
    told = exchange.ask("adopt")
    assert (False, 1) == (told["moved"], told["runs"])
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    exchange.drop("inbox/2.csv", "id,spend,tier\nz,1,new\n")
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    assert "1" == braze.raw_attribute("z", "spend")
    again = exchange.call("adopt")
    assert 2 == again.returncode
    assert "nothing to adopt" in again.stderr


def test_a_workspace_document_that_is_gone_is_no_first_run(applied):
    """A state with runs that does not say whose it is stops, until a person says so."""
    applied.bucket.delete(["_exchanger/main/workspace.json"])
    done = applied.call("run", "crm")
    assert (3, True) == (done.returncode, "does not say" in done.stderr)
    applied.ask("adopt")
    assert "nothing_to_do" == applied.ask("run", "crm")["state"]


def test_no_key_is_kept(applied):
    """Of a key, the state has a salted hash."""
    for item in applied.bucket.list("_exchanger/"):
        body, _ = applied.bucket.read(item.key)
        assert applied.braze.api_key.encode() not in body
    kept = json.loads(applied.bucket.read("_exchanger/main/workspace.json")[0])
    assert 1 == len(kept["keys"])
