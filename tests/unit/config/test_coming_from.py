"""The page for people of other systems: each of its examples is one that works."""

from __future__ import annotations

import re
import shlex
from collections import Counter

import pytest
import typer
from ruamel.yaml import YAML
from support.coming_from import COHORT_KEYS, rows

from exchanger.cli.app import app
from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import load_config

ROWS = rows()
EXAMPLES = {f"{row.system}, {row.there}": row for row in ROWS if row.example}
SYSTEMS = {"BlueConic", "Census", "Hightouch", "Treasure Data", "Segment Engage"}
LATER = "not in this version"


def test_each_system_has_its_rows():
    """Every row has an example, or says that there is nothing to write, or what to do instead."""
    counts = Counter(row.system for row in ROWS)
    assert set(counts) == SYSTEMS
    assert min(counts.values()) > 20
    assert not [row.there for row in ROWS if not row.here]
    assert [] == [
        name for name, times in Counter((r.system, r.there) for r in ROWS).items() if times > 1
    ]


@pytest.mark.parametrize("name", [name for name, row in EXAMPLES.items() if not row.is_command])
def test_an_example_is_taken(name, tmp_path):
    """What stands there passes the check, and is described."""
    path = tmp_path / "exchanger.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(EXAMPLES[name].configured("crm"), file)
    config = load_config(
        path, {"BRAZE_API_KEY": "key", "ALERT_URL": "json://127.0.0.1/", **COHORT_KEYS}
    )
    assert describe_job(config, "crm")


@pytest.mark.parametrize("name", [name for name, row in EXAMPLES.items() if row.is_command])
def test_a_command_is_one(name):
    """The verb is there, and takes these arguments and options."""
    _, verb, *words = shlex.split(EXAMPLES[name].example)
    command = typer.main.get_command(app).commands[verb]
    assert not command.hidden
    command.make_context(verb, words)


def test_the_page_says_no_to_nothing_that_is_there():
    """A row that says no names no key of the configuration as missing."""
    said = " ".join(row.here for row in ROWS if LATER in row.here)
    assert not re.findall(r"`(?:only_if|send-test|preview|explain|snapshot)`", said)
