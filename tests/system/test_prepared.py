"""Runs as forks of a process that has loaded everything: like any others, but begun at once."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from exchanger.errors import ConfigError
from exchanger.service import prepared
from exchanger.service.child_process import ChildProcess
from exchanger.service.prepared import COMMAND, Fork, PreparedProcess, PreparedProcesses

PATIENCE = 60.0
OF_ALLOCATORS = {"jemalloc_bg_thd", "polars-ooc-clea"}
"""Threads that are there as soon as the libraries are: the first are begun anew after a fork."""


@pytest.fixture(scope="module")
def process():
    """A process that has loaded everything."""
    made = PreparedProcess()
    assert made.is_ready(PATIENCE)
    yield made
    made.close()
    made.wait(PATIENCE)


def threads(pid):
    """Name the threads of a process, but for the first."""
    names = [
        (task / "comm").read_text().strip()
        for task in Path(f"/proc/{pid}/task").iterdir()
        if task.name != str(pid)
    ]
    return set(names)


def test_a_fork_is_the_command_line(process):
    """What it prints and how it ends is what a process of its own prints, and how that ends."""
    fork = process.fork(["schema"])

    assert json.loads(fork.stdout.read())["title"] == "Config"
    assert fork.stderr.read() == b""
    assert fork.wait() == 0

    wrong = process.fork(["run", "nothing", "--config", "/does/not/exist"])
    assert b"/does/not/exist" in wrong.stderr.read()
    assert wrong.wait() == ConfigError.exit_code


def test_nothing_has_begun_that_a_fork_would_lack(process):
    """Polars and tables begin their threads when they are used, which is after the fork."""
    assert threads(process.pid) <= OF_ALLOCATORS


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_costs_one_run(process, number):
    """A fork that dies of a signal is told as that, and others go on."""
    other = process.fork(["sandbox", "--braze-port", "0", "--s3-port", "0"])
    assert other.stdout.readline()
    crashed = process.fork(["sandbox", "--braze-port", "0", "--s3-port", "0"])
    assert crashed.stdout.readline()

    crashed.send_signal(number)

    assert crashed.wait() == -number
    assert other.has_ended() is False
    other.send_signal(signal.SIGTERM)
    assert other.wait() == 0


def test_a_fork_has_a_group_of_its_own(process):
    """The daemon ends it with all that it has begun, and Ctrl-C reaches the daemon alone."""
    fork = process.fork(["sandbox", "--braze-port", "0", "--s3-port", "0"])
    assert fork.stdout.readline()

    assert os.getpgid(fork.pid) == fork.pid
    assert os.getpgid(process.pid) == process.pid
    os.killpg(fork.pid, signal.SIGKILL)
    assert fork.wait() == -signal.SIGKILL


def test_forks_outlive_the_prepared_process():
    """Killed, it takes nobody along; what is asked for next is started."""
    made = PreparedProcess()
    assert made.is_ready(PATIENCE)
    fork = made.fork(["sandbox", "--braze-port", "0", "--s3-port", "0"])
    assert fork.stdout.readline()

    made.kill()

    os.kill(fork.pid, 0)
    with pytest.raises(OSError, match=r"."):
        made.fork(["schema"])
    fork.send_signal(signal.SIGTERM)
    assert fork.stdout.read() is not None


@pytest.mark.nightly
def test_only_who_starts_many_prepares_and_only_for_as_long(monkeypatch):
    """A few starts within seconds are worth it; once there are none, nothing is kept."""
    monkeypatch.setattr(prepared, "WITHIN", 1e9)  # However slow this machine is just now.
    processes = PreparedProcesses()
    schema = (*COMMAND, "schema")
    for _ in range(prepared.MANY):
        assert not isinstance(ended(processes.begin(schema)), Fork)
    server = processes._server
    assert server.is_ready(PATIENCE)
    assert isinstance(ended(processes.begin(schema)), Fork)
    processes.look()
    assert not server.is_gone()

    monkeypatch.setattr(prepared, "KEPT", 0.0)
    processes.look()

    server.wait(PATIENCE)
    assert not isinstance(ended(processes.begin(schema)), Fork)
    processes.end(time.monotonic() + PATIENCE)


def test_a_prepared_process_that_died_is_no_trouble(monkeypatch):
    """The next process is started."""
    monkeypatch.setattr(prepared, "WITHIN", 1e9)
    processes = PreparedProcesses()
    for _ in range(prepared.MANY):
        ended(processes.begin((*COMMAND, "schema")))
    assert processes._server.is_ready(PATIENCE)
    os.kill(processes._server.pid, signal.SIGKILL)
    processes._server.wait(PATIENCE)

    assert not isinstance(ended(processes.begin((*COMMAND, "schema"))), Fork)
    processes.end(time.monotonic() + PATIENCE)


def test_a_child_of_the_daemon_may_be_a_fork(process):
    """It is listened to and waited for as any other."""
    ends, words = [], []
    child = ChildProcess(
        ("run", "nothing", "--config", "/does/not/exist"), ends.append, words.extend, process.fork
    )
    child._waiter.join(PATIENCE)

    assert ends == [child]
    assert child.exit_code == ConfigError.exit_code
    assert "/does/not/exist" in " ".join(words)


def ended(begun):
    """Read all of a process, and demand that it ended well."""
    with begun.stdout as out, begun.stderr as err:
        assert out.read()
        err.read()
    assert begun.wait() == 0
    return begun
