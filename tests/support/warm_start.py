"""
The command line in processes that need not import it first.

A server has imported everything and does nothing else; each call is a fork of it, a process of its
own that begins where ``python -m exchanger`` does. Importing takes a second of each call otherwise,
most of what short calls cost. Tests of starting itself, of the demo and of daemons start cold.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

PRELOADED = (
    "botocore.session",
    "encodings.idna",
    "encodings.utf_8_sig",
    "exchanger.cli.app",
    "exchanger.cli.execution",
    "exchanger.cli.past_runs",
    "exchanger.jobs.approve",
    "exchanger.jobs.backfill",
    "exchanger.jobs.discard",
    "exchanger.jobs.drift",
    "exchanger.jobs.exports",
    "exchanger.jobs.imports",
    "exchanger.jobs.rebuild",
    "exchanger.jobs.retry",
    "exchanger.outside.braze.client",
    "exchanger.outside.s3.bucket",
    "exchanger.outside.delta.table",
    "exchanger.service.daemon",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "typer._adapters",
)
SIZE = 1 << 16
"""Bytes that a request has at most."""


class WarmProcess:
    """A process that a server forked; like ``subprocess.Popen``, as far as tests need it."""

    def __init__(self, peer, out, err):
        self._peer = peer
        self.stdout = os.fdopen(out, encoding="utf-8")
        self.stderr = os.fdopen(err, encoding="utf-8")
        self.pid = int(peer.recv(SIZE))
        self.returncode = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()
        self._close()

    def poll(self):
        """Tell the exit code if it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout=None):
        """Wait for its end; its exit code, negative for a signal."""
        if self.returncode is None:
            if not select.select([self._peer], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("exchanger", timeout)
            self.returncode = os.waitstatus_to_exitcode(int(self._peer.recv(SIZE)))
            self._peer.close()
        return self.returncode

    def send_signal(self, number):
        """Send a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout=None):
        """Read all that it prints, and wait for its end."""
        texts = {}
        until = None if timeout is None else time.monotonic() + timeout

        def read(name, stream):
            texts[name] = stream.read()

        threads = [
            threading.Thread(target=read, args=pair, daemon=True)
            for pair in (("out", self.stdout), ("err", self.stderr))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(None if until is None else max(until - time.monotonic(), 0))
            if thread.is_alive():
                raise subprocess.TimeoutExpired("exchanger", timeout)
        self.wait(None if until is None else max(until - time.monotonic(), 0))
        self._close()
        return texts["out"], texts["err"]

    def _close(self):
        self.stdout.close()
        self.stderr.close()


class WarmServer:
    """Forks command lines from a process that has imported all of it."""

    def __init__(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours

    def start(self, words, folder, environment):
        """Start ``exchanger WORDS`` in a folder."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        request = json.dumps([[str(w) for w in words], str(folder), dict(environment)])
        socket.send_fds(self._socket, [request.encode()], [theirs.fileno(), out_end, err_end])
        theirs.close()
        os.close(out_end)
        os.close(err_end)
        return WarmProcess(ours, out, err)

    def close(self):
        """End the server; what it started goes on."""
        self._socket.close()
        self._process.wait()


def share_descriptions():
    """
    Have all sessions of boto3 in this process share what they read about services.

    Reading it costs a fifth of a second of CPU for each client otherwise, and tests make many.
    """
    import botocore.session

    botocore.session.create_loader = functools.cache(botocore.session.create_loader)


def _open_client():
    """Make a client as command lines do, so that they need not read what it needs."""
    from exchanger.config.models import S3Config
    from exchanger.outside.s3.client import open_client, open_session

    config = S3Config(bucket="none", region="eu-west-1", access_key_id="a", secret_access_key="b")
    open_client(config, open_session(config))


def serve(requests):
    """Answer requests until nobody can ask any more; returns in each process that is forked."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for those who wait.
    while True:
        message, fds, _, _ = socket.recv_fds(requests, SIZE, 3)
        if not message:
            return None
        if os.fork() == 0:
            requests.close()
            return _begin(message, *fds)
        for fd in fds:
            os.close(fd)


def _begin(message, peer, out, err):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child:
        for fd in (1, 2, out, err):
            os.close(fd)
        _tell_of(child, socket.socket(fileno=peer))
    os.dup2(out, 1)
    os.dup2(err, 2)
    for fd in (peer, out, err):
        os.close(fd)
    words, folder, environment = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return words


def _tell_of(child, peer):
    """Report a process and how it ends; a process that waits has no other use."""
    with suppress(OSError):
        peer.send(str(child).encode())
        peer.send(str(os.waitpid(child, 0)[1]).encode())
    os._exit(0)


if __name__ == "__main__":
    from exchanger.cli.lean import load_arrow, load_logging

    load_logging()
    load_arrow()
    for name in PRELOADED:
        __import__(name)
    _open_client()
    gc.freeze()
    words = serve(socket.socket(fileno=int(sys.argv[1])))
    if words is not None:
        sys.argv = ["exchanger", *words]
        sys.path[0] = ""
        code = 0
        try:
            runpy.run_module("exchanger", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        # Taking an interpreter down with all that is loaded costs as much as many a verb.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
