"""The pages keep their word: their sessions are run, their messages come from the real code."""

from __future__ import annotations

import csv
import io
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from exchanger import errors
from exchanger.app.outcome import worst
from exchanger.cli.app import app
from exchanger.config.loading.load import read_config
from exchanger.config.models import StrategyName
from exchanger.jobs.runtime.report import EXIT_CODES
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README, BEGIN, COMMANDS, IMPORTS, TROUBLE = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "docs/getting-started.md",
        "docs/commands.md",
        "docs/import-jobs.md",
        "docs/troubleshooting.md",
    )
)

PROGRESS = re.compile(r"(reading files|looking up|sending to Braze)\b.*|\{.*\}")
"""What a terminal does not show: progress is a bar there, and log events are for logs."""

PASSING = (
    (re.compile(r"in \d+\.\d s"), "in 0.0 s"),
    (re.compile(r"\d{8}T\d{6}Z-(\w+?)-[0-9a-f]{8}\b"), r"DAY-\1-ID"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "NOW"),
)
"""What differs from run to run."""


def section(page, title):
    """Take what stands below a heading of a page, up to the next one of any level."""
    _, heading, rest = page.partition(f"# {title}\n")
    assert heading
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def fences(text, kind):
    """Take the code blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def steps(block):
    """Part a session into commands and what each of them shows."""
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = step.partition("\n")
        yield command, shown


def steady(text):
    """Take out what differs from run to run, and empty lines at the end."""
    for pattern, word in PASSING:
        text = pattern.sub(word, text)
    return text.rstrip()


@dataclass
class Terminal:
    """A folder, and servers at other ports than those of the pages."""

    folder: Path
    bucket: Bucket
    environment: dict

    @property
    def config(self):
        return self.folder / "config" / "exchanger.yaml"

    def type(self, command):
        """Carry out a command line and give back what a terminal would show."""
        words = shlex.split(command)
        if words[0] == "curl":
            _, key = words[-1].split("/exchange/")
            self.bucket.write(key, (self.folder / words[2]).read_bytes())
            return ""
        assert "exchanger" == words[0]
        done = subprocess.run(
            [sys.executable, "-m", *words],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            check=False,
            timeout=120,
        )
        shown = (done.stderr + done.stdout).replace(f"s3://{self.bucket.name}/", "s3://exchange/")
        lines = shown.splitlines()
        return "".join(f"{line}\n" for line in lines if not PROGRESS.fullmatch(line))

    def follow(self, text):
        """Carry out the sessions of a text and compare each answer."""
        for block in fences(text, "console"):
            for command, shown in steps(block):
                assert steady(shown) == steady(self.type(command)), command


@pytest.fixture
def terminal(local_s3, s3_config, tmp_path):
    with Sandbox(s3=local_s3, bucket=s3_config.bucket) as braze:
        kept = {name: value for name, value in os.environ.items() if "EXCHANGER" not in name}
        places = {
            "EXCHANGER_BRAZE_URL": braze.url,
            "EXCHANGER_S3_URL": local_s3.url,
            "EXCHANGER_BUCKET": s3_config.bucket,
        }
        yield Terminal(tmp_path, Bucket(s3_config), kept | places)


@pytest.fixture
def configured(terminal):
    """A terminal whose configuration ``exchanger init`` wrote."""
    terminal.type("exchanger init")
    return terminal


def drop(terminal, name, *rows):
    """Put a file with the columns of the sample's import job into the bucket."""
    header = fences(section(README, "A first session"), "csv")[0].splitlines()[0]
    terminal.bucket.write(f"inbox/crm/{name}", "\n".join([header, *rows, ""]).encode())


@pytest.mark.long(24)
def test_the_first_session_goes_as_shown(terminal):
    """Whoever follows the first session sees what it shows, and ends with nothing to do."""
    text = section(README, "A first session")
    monday, tuesday = fences(text, "csv")
    (terminal.folder / "monday.csv").write_text(monday)
    (terminal.folder / "tuesday.csv").write_text(tuesday)

    terminal.follow(text)


@pytest.mark.long(12)
def test_the_first_run_goes_as_shown(configured):
    """Whoever plans and runs the first file sees what the page shows, and how it is remembered."""
    monday, _ = fences(section(README, "A first session"), "csv")
    configured.bucket.write("inbox/crm/monday.csv", monday.encode())

    configured.follow(section(BEGIN, "4. The first run"))


def test_a_wrong_key_is_answered_as_shown(configured):
    """The 401 of Braze in words."""
    configured.environment["BRAZE_API_KEY"] = "not-the-key"

    configured.follow(section(TROUBLE, "The key is wrong"))


def test_a_slip_in_the_configuration_is_answered_as_shown(configured):
    """A misspelt key and a misspelt strategy, both at once, with lines and guesses."""
    text = configured.config.read_text(encoding="utf-8")
    text = text.replace("order_by", "order").replace("pattern:", "patern:")
    text = text.replace("prefix: inbox/crm/ ", "prefix: inbox/crm/\n      patern: '*.csv' ")
    configured.config.write_text(text.replace("first_name: set", "first_name: sett"))

    configured.follow(section(TROUBLE, "The configuration has a slip"))


def test_a_file_that_cannot_be_used_is_answered_as_shown(configured):
    """A quote left open and a missing column, each with the file and the reason."""
    header = "customer_id,first_name,loyalty_tier,src,tags,order_total,ordered_at"
    configured.bucket.write("inbox/crm/tuesday.csv", f'{header}\nada,"Ada\n'.encode())
    configured.bucket.write("inbox/crm/wednesday.csv", b"customer_id,name\nada,Ada\n")

    configured.follow(section(TROUBLE, "A file has a quote left open, or lacks a column"))


def test_rows_that_cannot_be_used_are_answered_as_shown(configured):
    """A value that is no number and a row without identifier: the report and the quarantine."""
    title = "A value cannot be read, or a row names nobody"
    drop(
        configured,
        "thursday.csv",
        'ada,Ada,gold,web,tea,"1,200.00",2026-09-17T10:00:00Z,38',
        ",Ben,silver,shop,tea,7.50,2026-09-17T11:30:00Z,43",
        "cleo,Cleo,gold,web,tea,3.20,2026-09-17T12:00:00Z,39",
    )

    configured.follow(section(TROUBLE, title))

    body, _ = configured.bucket.read("_exchanger/main/quarantine/crm_profiles/000000001.csv")
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    messages = "".join(f"{row['message']}\n" for row in rows)
    assert fences(section(TROUBLE, title), "text") == [messages]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page):
    """No page names a verb that the command line does not have."""
    text = page.read_text(encoding="utf-8")
    verbs = {command.name for command in app.registered_commands if not command.hidden}
    named = re.findall(r"(?:^\$ |`)exchanger ([a-z][a-z-]*)\b", text, re.MULTILINE)
    named += re.findall(r"^exchanger ([a-z][a-z-]*)\b", "".join(fences(text, "")), re.MULTILINE)

    assert set() == set(named) - verbs


def test_the_reference_of_commands_is_complete():
    """Every verb of the command line has a section, and nothing else has."""
    verbs = [command.name for command in app.registered_commands if not command.hidden]

    assert verbs == re.findall(r"^### exchanger ([a-z][a-z-]*)$", COMMANDS, re.MULTILINE)


def test_the_table_of_strategies_is_complete():
    """Every merge strategy stands in the table of the page about imports."""
    rows = re.findall(r"^\| (`.*?) \|", section(IMPORTS, "Strategies"), re.MULTILINE)

    assert set(StrategyName.__args__) == set(re.findall(r"`(\w+)`", " ".join(rows)))


def test_the_exit_codes_are_all_there():
    """Every code that an error or a run can end with is in the table, and no other."""
    used = {0, 2, *EXIT_CODES.values()}
    used |= {kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code")}
    told = section(COMMANDS, "Exit codes")

    assert used == {int(code) for code in re.findall(r"^\| (\d) \|", told, re.MULTILINE)}
    [order] = re.findall(r"from best to worst ([\d, ]+)\.", told)
    codes = [int(code) for code in order.split(", ")]
    assert set(codes) == used
    assert [worst(pair) for pair in pairwise(codes)] == codes[1:]


def test_every_sample_of_a_configuration_is_sound():
    """Each YAML sample with connections or jobs is read without a problem."""
    connection = "{braze: {endpoint: iad-01, api_key: '${K}'}, s3: {bucket: acme}}"
    connections = f"connections: {{main: {connection}}}\n"
    samples = [
        sample
        for page in PAGES
        for sample in fences(page.read_text(encoding="utf-8"), "yaml")
        if sample.startswith(("connections:", "jobs:"))
    ]
    for sample in samples:
        text = sample if sample.startswith("connections:") else connections + sample
        named = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "dummy")
        read_config(text, named | {"BRAZE_ENDPOINT": "iad-01"}, "a sample")

    assert len(samples) > 1
