"""The folder for what does not fit into memory: who holds it, what is left, and when it is full."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
import tempfile

import polars as pl
import pytest

from exchanger.app.messages.errors import words_for
from exchanger.app.outcome import exit_code
from exchanger.errors import FileRejected, NoRoom, StorageError
from exchanger.outside import scratch
from exchanger.outside.scratch import Scratch, demand_room, demanding_room, scratch_folder, sweep

HOLDER = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from exchanger.outside.scratch import Scratch
kept = Scratch()
print(kept.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files of our own, in which nothing is too young to be swept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_TOO_YOUNG", 0)
    return tmp_path


def hold(temporary):
    """Start a process that holds a folder; return both."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(temporary)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def test_only_what_dead_processes_left_is_swept(temporary):
    """The folder of a killed process goes; of a living one, of others and by other names stay."""
    dead, left = hold(temporary)
    living, held = hold(temporary)
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    others = [temporary / "exchanger-without-lock", temporary / "something-else"]
    for other in others:
        other.mkdir()
    (temporary / "exchanger-file").write_text("")
    (temporary / "exchanger-link").symlink_to(others[1])
    try:
        assert [left] == sweep()
        found = {str(path) for path in temporary.iterdir()}
        assert {held, *map(str, others)} < found
        assert left not in found
    finally:
        living.communicate()


def test_a_folder_that_is_being_made_is_not_swept(temporary, monkeypatch):
    """Between its making and its lock a folder is nobody's."""
    monkeypatch.setattr(scratch, "_TOO_YOUNG", 60)
    process, _ = hold(temporary)
    process.kill()
    process.communicate()
    assert [] == sweep()


def test_a_folder_goes_with_what_it_was_for(temporary):
    """Nothing is left behind, also where what was done there failed."""
    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        (folder / str(1 // 0)).write_bytes(b"x")
    assert [] == list(temporary.iterdir())


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        pl.exceptions.ComputeError("could not write: No space left on device (os error 28)"),
        RuntimeError("writing failed: (os error 27)"),
    ],
)
def test_whoever_notices_that_a_disk_is_full(tmp_path, error):
    """Each library says it in its own way; it ends with the folder, what is free and what to do."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "file").write_bytes(b"x" * 3000)
    with pytest.raises(NoRoom) as full, demanding_room(tmp_path / "work"):
        raise error
    assert (str(tmp_path), 3000, 6) == (full.value.folder, full.value.used, exit_code(full.value))
    words = str(words_for(full.value))
    assert all(part in words for part in (str(tmp_path), "are free", "3 KB there", "TMPDIR="))
    assert "sent" not in words


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOENT, "No such file"),
        StorageError("write", "bucket", "key", "507: No space left on device"),
        FileRejected("in/a.csv", "damaged", "File too large"),
        ValueError("os error 280"),
    ],
)
def test_what_else_fails_stays_what_it_is(tmp_path, error):
    """A store that is full, and a file that names such a thing, are no full disk of ours."""
    with pytest.raises(type(error)) as raised, demanding_room(tmp_path):
        raise error
    assert error is raised.value


def test_a_folder_that_cannot_be_made_is_told(temporary):
    """Where nothing can be written at all, the words are the same."""
    shutil.rmtree(temporary)
    with pytest.raises(NoRoom):
        Scratch()


def test_little_room_is_told_beforehand(temporary, monkeypatch):
    """``check`` looks before a large run does."""
    demand_room()
    monkeypatch.setattr(scratch, "LITTLE", 1 << 60)
    with pytest.raises(NoRoom):
        demand_room()
