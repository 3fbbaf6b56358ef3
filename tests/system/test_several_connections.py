"""Where a configuration has several connections, what is proposed can be typed as it stands."""

from __future__ import annotations

import re

import pytest
from ruamel.yaml import YAML
from support.jobs import import_job

FIELDS = {"visits": {"merge": "sum", "type": "integer"}, "tier": "set"}
HEADER = "id,visits,tier\n"
PROPOSED = re.compile(r"exchanger ((?:approve|retry|show) \d+(?: --connection \w+)?)")


@pytest.fixture
def both(exchange):
    """Connections *eu* and *us*, each with a job of its name, which has had a run 1."""
    jobs = {
        name: import_job(fields=FIELDS, source={"prefix": f"{name}/"}, connection=name)
        for name in ("eu", "us")
    }
    with exchange.config.open("w") as file:
        yaml = YAML()
        yaml.representer.ignore_aliases = lambda _: True
        yaml.dump({"connections": dict.fromkeys(jobs, exchange.connection), "jobs": jobs}, file)
    for name in jobs:
        exchange.drop(f"{name}/1.csv", HEADER + f"a,1,gold\n{name},one,gold\n")
        exchange.ask("run", name, code=4)
    return exchange


def proposed(*said):
    return [command.split() for command in PROPOSED.findall(" ".join(said))]


def test_what_a_run_says_of_rejected_rows_can_be_typed(both):
    """Run 1 is one of each connection; also where what was typed was not possible."""
    retry = ["retry", "1", "--connection", "eu"]
    assert [retry] == proposed(*both.ask("show", "1", "--connection", "eu")["notes"])
    again = both.ask(*retry, code=4)
    assert [["retry", "2", "--connection", "eu"]] == proposed(*again["notes"])
    refused = both.call("approve", "1", "--connection", "us")
    show = ["show", "1", "--connection", "us"]
    assert [show] == proposed(refused.stderr)
    assert "us" == both.ask(*show)["job"]


def test_what_is_said_of_a_file_that_waits_can_be_typed(both):
    """By the run, by plans, by what waits, by a look at what is kept of a person."""
    both.drop("us/1.csv", HEADER + "a,5,gold\n")
    held = both.ask("run", "us", code=5)
    approve = ["approve", "2", "--connection", "us"]
    waits = both.ask("jobs", "--waiting", "--connection", "us")[0]["held_back"][0]
    kept = both.ask("forget", "a", "--connection", "us")["connections"][0]
    planned = both.ask("plan", "us")["report"]
    for said in ([held["files"][0]["note"]], waits["notes"].values(), kept["left"]):
        assert approve in proposed(*said), said
    assert approve in proposed(*planned["notes"])
    assert "succeeded" == both.ask(*approve)["state"]
