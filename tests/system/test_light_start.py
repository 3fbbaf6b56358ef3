"""A process loads what it uses: libraries that a run has no use for cost half of a short one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

IMPORTED = re.compile(r"^import time:[ \d]+\|[ \d]+\| +(\S+)$", re.MULTILINE)
FIELDS = {"match": [{"external_id": "id"}], "fields": {"city": "set"}}


def imported(exchange, *words):
    """Run the command line cold, and name the modules that it loaded."""
    command = [sys.executable, "-X", "importtime", "-m", "exchanger", *words]
    done = subprocess.run(
        [*command, "--config", str(exchange.config)],
        check=False,
        capture_output=True,
        text=True,
        cwd=exchange.folder,
        env=exchange.environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return set(IMPORTED.findall(done.stderr))


@pytest.mark.parametrize("rows", [2, 20_000])
def test_a_run_loads_no_library_that_it_does_not_use(exchange, rows):
    """Not numpy for Arrow, rich for tracebacks, nor Arrow's functions; nor a large run."""
    exchange.configure(people={"type": "import", "source": {"prefix": "in/"}, **FIELDS})
    exchange.drop("in/a.csv", "id,city\n" + "".join(f"{n},Oslo\n" for n in range(rows)))

    loaded = imported(exchange, "run", "people")

    assert {"polars", "pyarrow.lib", "deltalake", "boto3", "aiohttp", "structlog.dev"} <= loaded
    unused = {"numpy.linalg", "pandas", "rich.text", "pyarrow.compute", "apscheduler"}
    assert unused & loaded == set()


def test_a_run_without_a_file_does_not_load_the_client_of_braze(exchange):
    """Once the workspace is known, nobody asks Braze where nothing waits."""
    exchange.configure(people={"type": "import", "source": {"prefix": "in/"}, **FIELDS})

    assert "aiohttp" not in imported(exchange, "run", "people")


def test_what_only_prints_loads_no_tables(exchange):
    """Help and the schema come at once."""
    loaded = imported(exchange, "init", "--help")

    assert not {"polars", "pyarrow.lib", "deltalake", "botocore", "aiohttp"} & loaded
