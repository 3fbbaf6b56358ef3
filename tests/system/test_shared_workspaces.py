"""Two connections of one bucket that reach one workspace build on what the other has sent."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML
from support.jobs import import_job

FIELDS = {
    "spend": {"merge": "sum", "type": "integer"},
    "best": {"from": "spend", "merge": "highest", "type": "integer"},
    "tier": "set",
}
HEADER = "id,spend,tier\n"


@pytest.fixture
def both(exchange):
    """Connections *main* and *other*, each with a job over a folder of its own."""
    jobs = {
        name: import_job(fields=FIELDS, source={"prefix": f"{name}/"}, connection=name)
        for name in ("main", "other")
    }
    content = {"connections": dict.fromkeys(jobs, exchange.connection), "jobs": jobs}
    with exchange.config.open("w") as file:
        yaml = YAML()
        yaml.representer.ignore_aliases = lambda _: True
        yaml.dump(content, file)
    return exchange


def send(exchange, name, number, rows):
    exchange.drop(f"{name}/{number}.csv", HEADER + rows)
    return exchange.ask("run", name)


def values(exchange, who):
    return [exchange.attribute(who, name) for name in ("spend", "best", "tier")]


def test_what_the_other_connection_has_sent_is_built_on(both):
    """Each knows what the other one had acknowledged; what nobody changed since is not sent."""
    send(both, "main", 1, "a,5,gold\nb,1,gold\n")
    send(both, "other", 1, "a,2,silver\n")
    report = send(both, "main", 2, "a,1,gold\nb,1,gold\n")
    assert ["8", "5", '"gold"'] == values(both, "a")
    assert ["2", "1", '"gold"'] == values(both, "b")
    assert (2, 3) == (report["profiles_updated"], report["data_points"])
    report = send(both, "other", 2, "a,10,silver\nb,1,gold\n")
    assert ["18", "10", '"silver"'] == values(both, "a")
    assert ["3", "1", '"gold"'] == values(both, "b")
    send(both, "main", 3, "a,1,silver\nb,1,gold\n")
    assert ["19", "10", '"silver"'] == values(both, "a")


@pytest.mark.nightly
def test_rows_that_are_given_again_build_on_it_too(both):
    """A retry, as an approval, plans by what Braze has by then."""
    send(both, "main", 1, "a,5,gold\n")
    both.drop("main/1.csv", f"{HEADER}a,7,gold\n")
    held = both.ask("run", "main", code=5)["seq"]
    send(both, "other", 1, "a,2,gold\n")
    both.ask("approve", str(held), "--connection", "main")
    assert "9" == both.attribute("a", "spend")


@pytest.mark.nightly
def test_what_the_other_one_has_changed_since_stays_when_a_run_is_taken_back(both):
    """As what anybody else has changed: the plan and the report say so."""
    send(both, "main", 1, "a,5,gold\n")
    send(both, "other", 1, "a,2,silver\n")
    report = both.ask("undo", "1", "--yes", "--connection", "main")
    assert ["7", '"silver"'] == values(both, "a")[::2]
    assert 2 == sum("somebody else changed it" in note for note in report["notes"])
