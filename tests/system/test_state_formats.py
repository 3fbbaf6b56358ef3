"""Documents of the state say in which format they are, and a newer one is never guessed at."""

from __future__ import annotations

import json

import pytest
from support.jobs import import_job

JOB = import_job(
    fields={"spend": {"merge": "sum", "type": "integer"}}, remaining_fields={"prefix": ""}
)
STATE = "_exchanger/main/"


@pytest.fixture
def applied(exchange):
    """A state with every document that a run writes."""
    exchange.connection["braze"]["hourly_limit"] = 1_000
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", "id,spend,tier\na,5,gold\n")
    exchange.ask("run", "crm")
    return exchange


def documents(exchange):
    keys = [item.key for item in exchange.bucket.list(STATE)]
    return [key for key in keys if key.endswith(".json") and "/_delta_log/" not in key]


def test_every_document_says_its_format(applied):
    """Run, lease, hour, types, first deliveries, workspace and marks alike."""
    found = documents(applied)
    assert 7 <= len(found), found
    for key in found:
        assert 1 == json.loads(applied.bucket.read(key)[0])["format"], key


NEWER = (
    "runs/000000001",
    "lease",
    "workspace",
    "column-types/crm",
    "first-deliveries",
    "hour",  # By then the plan counts.
)


def test_a_document_of_a_newer_version_stops_a_run(applied):
    """Whichever it is, it is named, nothing is sent, and it stays as it is."""
    sent = applied.braze.requests("/users/track")
    applied.drop("inbox/2.csv", "id,spend,tier\na,1,gold\n")
    for name in NEWER:
        key = f"{STATE}{name}.json"
        body = applied.bucket.read(key)[0]
        newer = json.loads(body) | {"format": 2, "what_is_new": "much"}
        applied.bucket.write(key, json.dumps(newer).encode())
        done = applied.call("run", "crm")
        assert (1, sent) == (done.returncode, applied.braze.requests("/users/track")), name
        assert f"{key} was written by a newer version" in done.stderr
        assert newer == json.loads(applied.bucket.read(key)[0]), name
        applied.bucket.write(key, body)
    assert "succeeded" == applied.ask("run", "crm")["state"]
