"""
What the daemon tells people, as a run cannot: missed starts, overdue jobs, runs that died.

A run tells of its own end. What the daemon saw is handed to a process of the command line, which
also sends what could not be sent before: the daemon itself loads nothing for it, and waits for no
channel.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from exchanger.config.models import Config
from exchanger.service.child_process import ChildProcess

FIRST = 20.0
"""Seconds until what an earlier process could not send is tried."""
AGAIN = 60.0
"""Seconds until it is tried again where a process failed, or did not say when."""
SOONEST = 5.0

Begin = Callable[..., ChildProcess]
Ended = Callable[[str, ChildProcess], None]

log = structlog.get_logger()


class Announcements:
    """
    What is yet to be told of each connection, and the processes that do so, one for each.

    Args:
        begin: Begins a child process of the command line for a connection.
        ended: Called with the connection and the child once it has ended, in another thread.
    """

    def __init__(self, begin: Begin, ended: Ended) -> None:
        self._begin = begin
        self._ended = ended
        self._config: Config | None = None
        self._at: dict[str, float] = {}
        self._heard: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self._told: dict[str, list[dict[str, Any]]] = {}
        self._then: dict[str, list[Callable[[], None]]] = {}
        self._children: dict[str, ChildProcess] = {}

    @property
    def children(self) -> list[ChildProcess]:
        """The processes that have not ended."""
        return [*self._children.values()]

    def configure(self, config: Config) -> None:
        """Look after the jobs of a configuration; what waits from before is tried soon."""
        self._config = config
        now = time.monotonic()
        homes = {config.connection_of(job) for job in config.jobs if config.told_of(job)}
        self._at = {name: self._at.get(name, now + FIRST) for name in sorted(homes)}

    def hear(self, job: str, kind: str, **facts: Any) -> None:
        """Note a trouble of a job, if anybody is to hear of it."""
        if self._config is None or job not in self._config.jobs or not self._config.told_of(job):
            return
        connection = self._config.connection_of(job)
        told = {"job": job, "kind": kind, **facts}
        self._heard.setdefault(connection, {})[job, kind] = told
        self._at[connection] = 0.0

    def then(self, connection: str, act: Callable[[], None]) -> None:
        """Do something once what was heard of a connection is told; now if nothing was."""
        if self._heard.get(connection):
            self._then.setdefault(connection, []).append(act)
        else:
            act()

    def later(self, job: str) -> None:
        """Try again in a while what a run of a job could not send."""
        if self._config is not None and job in self._config.jobs:
            connection = self._config.connection_of(job)
            if connection in self._at:
                self._at[connection] = min(self._at[connection], time.monotonic() + AGAIN)

    def begin_due(self) -> None:
        """Begin the processes whose time has come."""
        now = time.monotonic()
        for connection, at in self._at.items():
            if at > now or connection in self._children:
                continue
            heard = [*self._heard.pop(connection, {}).values()]
            self._at[connection] = float("inf")
            try:
                ended = partial(self._ended, connection)
                words = ("alerts", "--hear", json.dumps(heard))
                self._children[connection] = self._begin(ended, connection, *words)
            except OSError as error:
                self._unheard(connection, heard, error=str(error))
            else:
                self._told[connection] = heard

    def over(self, connection: str, child: ChildProcess) -> None:
        """Read what a process says that has ended: when something may be tried again."""
        self._children.pop(connection, None)
        heard = self._told.pop(connection, [])
        try:
            content = json.loads(child.output)
            again_in = content["again_in"]
        except (ValueError, KeyError, TypeError):
            self._unheard(connection, heard, exit_code=child.exit_code)
            return
        if again_in is not None and connection in self._at:
            again = time.monotonic() + max(float(again_in), SOONEST)
            self._at[connection] = min(self._at[connection], again)
        if not self._heard.get(connection):
            self._go_on(connection)

    def _unheard(self, connection: str, heard: list[dict[str, Any]], **facts: object) -> None:
        """Keep what nobody was told of, as the process failed."""
        log.warning("alert.not_told", connection=connection, again_in=AGAIN, **facts)
        kept = {(one["job"], one["kind"]): one for one in heard}
        self._heard[connection] = kept | self._heard.get(connection, {})
        self._at[connection] = time.monotonic() + AGAIN
        self._go_on(connection)

    def _go_on(self, connection: str) -> None:
        for act in self._then.pop(connection, []):
            act()
