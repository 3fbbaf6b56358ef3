"""What surrounds a run: variables, terminals, disks. None of it decides what is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "in/"},
    "match": [{"external_id": "customer_id"}],
    "fields": {"spend": {"merge": "sum", "type": "integer"}},
}


@pytest.fixture
def job(exchange):
    """One job that sums, and a way to run the command line with other variables."""
    exchange.configure(t=JOB)

    def call(*words, **variables):
        process = exchange.warm.start(
            [*words, "--config", exchange.config],
            exchange.folder,
            {**exchange.environment, **variables},
        )
        out, err = process.communicate(timeout=240)
        return SimpleNamespace(code=process.returncode, out=out, err=err)

    return SimpleNamespace(exchange=exchange, call=call)


def test_variables_of_aws_change_no_sum(job, tmp_path):
    """A profile, a stale token and another store in the environment are none of the run's."""
    exchange = job.exchange
    exchange.drop("in/a.csv", "customer_id,spend\nf1,1\n")
    nowhere = "http://127.0.0.1:1"
    wrong = {"AWS_ENDPOINT_URL_S3": nowhere, "AWS_ENDPOINT_URL": nowhere, "ENDPOINT": nowhere}
    wrong |= {"AWS_PROFILE": "nope", "AWS_SESSION_TOKEN": "stale", "TOKEN": "stale"}
    wrong |= {"AWS_SKIP_SIGNATURE": "true", "TIMEOUT": "5", "AWS_REGION": "eu-north-1"}
    first = job.call("run", "t", **wrong)
    assert (0, "1") == (first.code, exchange.attribute("f1", "spend")), first.err
    exchange.drop("in/b.csv", "customer_id,spend\nf1,2\n")
    second = job.call("run", "t")
    assert (0, "3") == (second.code, exchange.attribute("f1", "spend")), second.err
    assert 0 == job.call("check", "--connect", **wrong).code


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_disk_that_is_full(job, tmp_path, verb):
    """The words name the folder and the way out, and say nothing of sending; nothing is sent."""
    exchange = job.exchange
    exchange.drop("in/a.csv", "customer_id,spend\n" + "".join(f"p{n},1\n" for n in range(150_000)))
    limited = ["sh", "-c", 'ulimit -f 512; exec "$@"', "sh", sys.executable, "-m", "exchanger"]
    done = subprocess.run(
        [*limited, verb, "t", "--config", str(exchange.config)],
        check=False,
        capture_output=True,
        text=True,
        env={**exchange.environment, "TMPDIR": str(tmp_path)},
        cwd=exchange.folder,
    )
    assert 6 == done.returncode, done.stderr
    assert f"temporary files {tmp_path} has too little room" in done.stderr
    assert "TMPDIR=" in done.stderr
    assert "ulimit" in done.stderr
    assert "sent" not in done.stderr
    assert [] == list(tmp_path.glob("exchanger-*"))
    assert [] == list(exchange.braze.users())


BAD = "in/日本.csv"


def started(exchange, *words, **variables):
    """Run it as people do: what a stream can take is settled while Python starts."""
    done = subprocess.run(
        [sys.executable, "-m", "exchanger", *words, "--config", str(exchange.config)],
        check=False,
        capture_output=True,
        env={**exchange.environment, **variables},
    )
    return done.returncode, done.stdout.decode("cp1252"), done.stderr.decode("cp1252")


@pytest.mark.nightly
def test_a_narrow_terminal_costs_no_run(job):
    """Signs that it lacks are escaped; the exit code and what was sent stay what they are."""
    exchange = job.exchange
    exchange.drop(BAD, "customer_id,price\nx,1\n")
    exchange.drop("in/a.csv", "customer_id,spend\nf1,1\n")
    code, out, err = started(exchange, "run", "t", PYTHONIOENCODING="cp1252")
    assert (4, "1") == (code, exchange.attribute("f1", "spend")), err
    assert "in/\\u65e5\\u672c.csv" in out
    code, out, err = started(exchange, "show", "1", "--json", PYTHONIOENCODING="ascii")
    assert (0, {BAD, "in/a.csv"}) == (code, {file["key"] for file in json.loads(out)["files"]})


@pytest.mark.nightly
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-", "2>&1 | true"])
def test_nobody_reads_what_a_run_says(job, closed):
    """A closed standard error or output, or a reader that is gone, costs the words alone."""
    exchange = job.exchange
    exchange.drop("in/a.csv", "customer_id,spend\nf1,1\n")
    line = f'"$@" {closed}; exit ${{PIPESTATUS[0]}}'
    command = [sys.executable, "-m", "exchanger", "run", "t", "--config", str(exchange.config)]
    done = subprocess.run(
        ["bash", "-c", line, "bash", *command], check=False, env=exchange.environment
    )
    assert (0, "1") == (done.returncode, exchange.attribute("f1", "spend"))


def test_a_library_at_its_end_is_told_as_any_other_failure(job):
    """What libraries in Rust raise then is no exception of Python's: words and JSON as ever."""
    job.exchange.drop("in/a.csv", "customer_id,spend\nf1,1\n")
    code, out, err = started(job.exchange, "run", "t", "--json", POLARS_MAX_THREADS="0")
    assert (1, True) == (code, "report it with the log" in err)
    assert "PanicException" in json.loads(out)["error"]["message"]
    assert 0 == job.call("run", "t").code
    assert "1" == job.exchange.attribute("f1", "spend")


def test_a_run_whose_words_find_no_room_ends_as_it_does(job):
    """Output into a file on a full disk is lost, which is told; the exit code is the run's."""
    job.exchange.drop("in/a.csv", "customer_id,spend\nf1,1\n")
    command = [sys.executable, "-m", "exchanger", "run", "t", "--config", str(job.exchange.config)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command,
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=job.exchange.environment,
        )
    assert (0, "1") == (done.returncode, job.exchange.attribute("f1", "spend"))
    assert "Traceback" not in done.stderr
    assert 1 == done.stderr.count("could not be written (No space left on device)")
