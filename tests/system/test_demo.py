"""The demo, as a newcomer runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from exchanger.config.models import NESTED, StrategyName
from exchanger.demo.households import Households
from exchanger.demo.narrator import Narrator


def run_demo(*words, folder):
    return subprocess.run(
        [sys.executable, "-m", "exchanger", "demo", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if "EXCHANGER" not in name},
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the demo says, with as few weeks as it can have."""
    return run_demo("--weeks", "2", folder=tmp_path_factory.mktemp("demo"))


@pytest.mark.long(23, together=True)
def test_the_demo_ends_well_and_says_nothing_aside(told):
    """Every check holds, and standard error stays empty: no progress, no log, no traceback."""
    assert (0, "") == (told.returncode, told.stderr)
    assert "NOT  " not in told.stdout
    assert re.search(r"^All \d+ checks hold, in \d+ s\.$", told.stdout, re.MULTILINE)


@pytest.mark.long(23, together=True)
def test_the_demo_shows_every_strategy(told):
    """
    The table has a household for each strategy, and what its value was and became; but for those of
    objects, as nothing that tills write is one.
    """
    table = told.stdout.partition("One household for each merge strategy")[2].partition("6. ")[0]
    rows = [re.split(r" {2,}", line.strip()) for line in table.splitlines()]
    shown = {row[0] for row in rows if len(row) == 6}

    assert set(StrategyName.__args__) - NESTED == shown - {"strategy"}


@pytest.mark.long(23, together=True)
@pytest.mark.parametrize(
    "line",
    [
        "the 597 households that spent more than 2,500, to the cent",
        "5,705 data points were metered by Braze",
        "0 updates sent: running again sends nothing",
        "0 updates sent: what Braze has already is not sent again",
        "0 updates sent: a copy adds nothing to any sum until a person says so",
        "0 updates sent: nothing of them reached Braze",
        "2,469 households",
        "lifetime_value of every household, to the letter",
    ],
)
def test_the_demo_checks_its_numbers(told, line):
    """Each promise is checked against the data set, out loud."""
    assert f"  ok   {line}\n" in told.stdout


@pytest.mark.long(23, together=True)
def test_the_demo_names_the_bad_files(told):
    """What is wrong with each file, and what to do, is shown."""
    assert 'word.csv: Row 1, column sales_value: "free" is not a number.' in told.stdout
    assert 'quote.csv: Row 1 opens a quote (") that is never closed.' in told.stdout


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("words", "moment", "code"),
    [((), "$ exchanger run demographics", 1), (("--stay",), "Both servers stay", 0)],
)
def test_the_demo_can_be_left(tmp_path, words, moment, code):
    """Ctrl-C ends the demo within seconds, in its midst as at its end, and no folder stays."""
    command = [sys.executable, "-u", "-m", "exchanger", "demo", "--weeks", "2", *words]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as demo:
        next(line for line in demo.stdout if moment in line)
        demo.send_signal(signal.SIGINT)
        _, err = demo.communicate(timeout=30)

    assert code == demo.returncode, err
    assert "unexpected" not in err
    assert [] == list(tmp_path.iterdir())


def test_what_the_demo_expects_is_the_data():
    """The oracle agrees with the data set's own totals, however many weeks come as files."""
    for weeks in (2, 7):
        data = Households.load(weeks)
        cents = sum(
            round(float(texts["lifetime_value"]) * 100) for texts in data.expected().values()
        )

        assert round(data.transactions["sales_value"].sum() * 100) == cents
        assert data.history.keys() >= {profile["external_id"] for profile in data.profiles()}
        assert set(range(53 - weeks + 1, 54)) == {*data.late_weeks, *data.weeks_on_time}


def test_a_number_that_differs_is_loud(capsys):
    """A check that does not hold names both numbers and is remembered."""
    telling = Narrator()
    telling.check("seven households", 7, 7)
    telling.check("eight data points", 8, 9)

    assert ["eight data points"] == telling.failures
    assert "NOT  eight data points: expected 8, found 9" in capsys.readouterr().out
