"""
The daemon: runs the schedules until it is told to stop.

One loop takes events from one queue, so that nothing here needs a lock: a job is due, a child
ended, a signal came. Each run is a child process of the same command line. This module and all
that it imports stay clear of polars, pyarrow, deltalake and the client of Braze; that of S3 is
imported when there are imports to look for.
"""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from exchanger.config.models import Config, ImportJob
from exchanger.errors import ConfigError
from exchanger.service.child_process import ChildProcess
from exchanger.service.config_file import ConfigFile
from exchanger.service.events import (
    Announced,
    Answered,
    Counted,
    Due,
    Event,
    Looked,
    Noticed,
    RunEnded,
    Signalled,
    signals_as_events,
)
from exchanger.service.looking.child_queries import LAST_STARTS, ChildQueries
from exchanger.service.looking.missed import missed_since
from exchanger.service.looking.notices import Listening
from exchanger.service.looking.settling import Settling
from exchanger.service.looking.watching import Watching
from exchanger.service.prepared import COMMAND, PreparedProcesses
from exchanger.service.runs import Runs
from exchanger.service.scheduling.run_queue import Place
from exchanger.service.scheduling.scheduler import Timetable
from exchanger.service.scheduling.schedules import (
    compare,
    connections_with_jobs,
    place_of,
    scheduled,
    settles_after,
)
from exchanger.service.scheduling.triggers import trigger_of
from exchanger.service.telling.announcing import Announcements
from exchanger.service.telling.outcome import (
    alerts_waiting,
    awaits_corrections,
    left_incomplete,
    unreported,
)
from exchanger.service.telling.spoken import tell
from exchanger.service.telling.words import Telling

LOOK_SECONDS = 2.0
"""How often the configuration file and the clock are looked at."""

STOP_SECONDS = 8.5
"""How long children may take to finish what is in flight, of the 10 s that the daemon has."""

LAST_WORD = 3.0
"""How long it may take to tell the bucket that the daemon was stopped, and to end the rest."""

log = structlog.get_logger()


def run_daemon(config_path: Path, *, command: Sequence[str] = COMMAND) -> int:
    """
    Run the schedules of a configuration until SIGTERM or SIGINT. Must be called in the main thread.

    Args:
        config_path: The configuration file; it is reloaded when it changes, and on SIGHUP.
        command: The command line that ``run JOB --config PATH --json`` is added to.

    Returns:
        The exit code: 0 after a stop that was asked for.

    Raises:
        ConfigError: The configuration cannot be used at the start.
    """
    file = ConfigFile(config_path, os.environ)
    try:
        return Daemon(file, file.accept(), command).run()
    finally:
        file.close()


class Daemon:
    """The loop, and what it has to remember: who runs, and when each job started last."""

    def __init__(self, file: ConfigFile, config: Config, command: Sequence[str]) -> None:
        self._file = file
        self._config = config
        self._schedules = scheduled(config)
        self._command = tuple(command)
        self._processes = PreparedProcesses()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._timetable = Timetable(lambda job: self._events.put(Due(job, "schedule")))
        self._runs = Runs(self._begin_run, self._place, self._run_started, self._of)
        self._questions = ChildQueries(self._ask, self._events)
        self._watching = Watching(
            lambda watch, seen: self._events.put(Looked(watch, seen)),
            self._questions.ask_what_waits,
            self._runs.ask,
        )
        self._telling = Telling(
            file.path, self._timetable.next_times, lambda: self._watching.last_look
        )
        self._announcements = Announcements(
            self._ask, lambda connection, child: self._events.put(Announced(connection, child))
        )
        self._settling = Settling()
        self._listening = Listening(lambda notice: self._events.put(Noticed(notice)))
        self._last_starts: dict[str, datetime] = {}
        self._began = datetime.now(UTC)
        self._next_look = time.monotonic() + LOOK_SECONDS
        self._stopping = False

    def run(self) -> int:
        """Run until told to stop; children are ended and reaped before it returns."""
        with signals_as_events(self._events):
            self._configure(self._config)
            for job in self._schedules:
                self._put_on_timetable(job)
            self._timetable.start()
            # What falls due before this moment is missed, what falls due after the timetable began
            # is on the queue. Both may hold for one job, and then it has started: no gap between.
            self._began = datetime.now(UTC)
            log.info("daemon.started", config=str(self._file.path), pid=os.getpid(), **self._next())
            try:
                self._questions.ask_for_last_starts(connections_with_jobs(self._config))
                while not self._stopping:
                    self._take_one_event()
            finally:
                self._stop()
        return 0

    def _take_one_event(self) -> None:
        wait = self._next_look - time.monotonic()
        to_look = self._watching.seconds_to_look()
        with suppress(queue.Empty):
            self._handle(
                self._events.get(timeout=max(wait if to_look is None else min(wait, to_look), 0))
            )
        if time.monotonic() >= self._next_look:
            self._look_around()
        self._watching.begin_looks()

    def _look_around(self) -> None:
        self._next_look = time.monotonic() + LOOK_SECONDS
        self._timetable.look_again()
        for job in self._settling.due():
            self._due(job, "settled")
        self._runs.start_again()
        self._questions.ask_how_it_stands(self._telling.to_ask())
        self._questions.begin_due()
        self._announcements.begin_due()
        self._telling.heartbeats.beat()
        self._processes.look()
        if self._file.has_changed():
            self._reload("file changed")

    def _handle(self, event: Event) -> None:
        match event:
            case Due(job, why):
                self._due(job, why)
            case RunEnded(job, child):
                self._run_ended(job, child)
            case Answered(question, connection, child) if question == LAST_STARTS:
                known = self._questions.last_starts(connection, child)
                self._last_starts_known(connection, known)
            case Answered(_, connection, child):
                self._standing_known(connection, child)
            case Announced(connection, child):
                self._announcements.over(connection, child)
            case Looked() | Noticed() | Counted():
                self._watch(event)
            case Signalled(signal.SIGHUP):
                self._reload("SIGHUP")
            case Signalled(number):
                log.info("daemon.stopping", signal=signal.Signals(number).name)
                self._stopping = True

    def _watch(self, event: Looked | Noticed | Counted) -> None:
        match event:
            case Looked(watch, seen):
                self._watching.looked(watch, seen)
            case Noticed(notice):
                self._watching.noticed(notice)
            case Counted(watch, child):
                self._watching.answered(watch, self._questions.what_waits(watch, child))

    def _standing_known(self, connection: str, child: ChildProcess) -> None:
        jobs = self._questions.how_it_stands(connection, child)
        for told in self._telling.answered(connection, jobs):
            if told.event == "job.overdue":
                self._announcements.hear(kind="overdue", **told.facts)

    # Runs.

    def _due(self, job: str, why: str) -> None:
        if job not in self._schedules:
            return  # It was due in the moment in which it was taken out.
        if not self._watching.due(job, why):
            self._runs.ask({job: why})

    def _place(self, job: str) -> Place | None:
        return place_of(self._config, job) if job in self._schedules else None

    def _of(self, job: str) -> str:
        """Add to a command of which connection a run is; each counts its runs from 1."""
        if job not in self._config.jobs:
            return ""
        return self._config.option_of(self._config.connection_of(job))

    def _begin_run(self, job: str) -> ChildProcess:
        # Whoever has more to do gets another turn when the others had theirs.
        once = ("--one-run",) if isinstance(self._config.jobs[job], ImportJob) else ()
        return ChildProcess(
            self._words(self._file.copy_for(job), "run", job, *once),
            lambda it: self._events.put(RunEnded(job, it)),
            lambda lines: tell(lines, "run.said", job=job),
            self._processes.begin,
        )

    def _run_started(self, job: str) -> None:
        self._watching.started(job)
        self._last_starts[job] = datetime.now(UTC)

    def _run_ended(self, job: str, child: ChildProcess) -> None:
        nothing_left = self._runs.ended(job, child, stopping=self._stopping)
        if left_incomplete(child.output) and (settled := settles_after(self._config, job)):
            nothing_left = False
            self._settling.later(job, settled)
        awaits = awaits_corrections(child.output)
        self._watching.ended(job, nothing_left=nothing_left, awaits=awaits)
        self._telling.run_ended(job, child)
        if alerts_waiting(child.output):
            self._announcements.later(job)
        if not self._stopping and (reason := unreported(child.exit_code, child.output)):
            self._announcements.hear(job, "failed", reason=reason)
        self._runs.turn_over(job)

    # What was missed while no daemon ran.

    def _last_starts_known(self, connection: str, known: dict[str, datetime] | None) -> None:
        if known is None:
            return
        schedules = {
            # What has started since then has missed nothing.
            job: schedule
            for job, schedule in self._schedules.items()
            if job not in self._last_starts and self._config.connection_of(job) == connection
        }
        missed = missed_since(schedules, known, self._began)
        self._last_starts |= {job: known[job] for job in schedules if job in known}
        for job, due in missed.items():
            log.warning(
                "schedule.missed", job=job, due=due.isoformat(), last=known[job].isoformat()
            )
            last = known[job].isoformat()
            self._announcements.hear(job, "missed", due=due.isoformat(), last=last)
        for job in missed:
            # Told first, so that the run which makes up for it finds what it ends.
            self._announcements.then(connection, partial(self._due, job, "missed"))
        self._announcements.begin_due()
        for job, schedule in schedules.items():
            if (
                schedule.every and job in known
            ):  # The grid goes through the last start, which is known only now.
                self._put_on_timetable(job)

    def _ask(
        self, on_end: Callable[[ChildProcess], None], connection: str, *words: str
    ) -> ChildProcess:
        about = {"connection": connection, "question": " ".join(words[:2])}
        return ChildProcess(
            self._words(self._file.copy(), *words, "--connection", connection),
            on_end,
            lambda lines: tell(lines, "question.said", **about),
            self._processes.begin,
        )

    def _words(self, config: Path, *words: str) -> tuple[str, ...]:
        return (*self._command, *words, "--config", str(config), "--json")

    # The configuration.

    def _reload(self, why: str) -> None:
        try:
            config = self._file.accept()
        except ConfigError as error:
            problems = [asdict(problem) for problem in error.problems]
            self._telling.config_refused(error.problems)
            log.error("config.refused", config=str(self._file.path), why=why, problems=problems)  # noqa: TRY400 - no traceback
            return
        self._telling.config_refused([])
        difference = compare(self._config, config)
        before, self._schedules = self._schedules, scheduled(config)
        self._config = config
        for job in difference.removed:
            self._timetable.remove(job)
        for job, schedule in self._schedules.items():
            # A schedule that stays must keep its grid.
            if schedule != before.get(job):
                self._put_on_timetable(job)
        self._runs.keep_only(self._schedules)
        self._settling.keep_only(self._schedules)
        self._questions.keep_only(config.connections)
        self._configure(config)
        log.info(
            "config.reloaded",
            config=str(self._file.path),
            why=why,
            **asdict(difference),
            **self._next(),
        )

    def _configure(self, config: Config) -> None:
        self._watching.configure(config)
        self._listening.configure(config)
        self._telling.configure(config)
        self._announcements.configure(config)

    def _put_on_timetable(self, job: str) -> None:
        anchor = self._last_starts.get(job, datetime.now(UTC))
        self._timetable.put(job, trigger_of(self._schedules[job], anchor))

    def _next(self) -> dict[str, dict[str, str]]:
        times = self._timetable.next_times()
        return {"next": {job: due.isoformat() for job, due in sorted(times.items())}}

    # The end.

    def _stop(self) -> None:
        began = time.monotonic()
        deadline = began + STOP_SECONDS
        self._stopping = True
        self._telling.heartbeats.stop()
        self._timetable.stop()
        self._listening.stop()
        self._runs.keep_only(())
        self._questions.keep_only(())
        for child in self._children():
            child.ask_to_stop()
        self._await_children(deadline)
        for job, child in self._runs.children.items():
            log.warning("run.killed", job=job, pid=child.pid)
        for child in self._children():
            child.kill()
        self._await_children(time.monotonic() + 0.5)
        self._processes.end(began + LAST_WORD)
        self._telling.heartbeats.wait(began + LAST_WORD)
        log.info("daemon.stopped", config=str(self._file.path))

    def _children(self) -> list[ChildProcess]:
        return [
            *self._runs.children.values(),
            *self._questions.children,
            *self._announcements.children,
        ]

    def _await_children(self, deadline: float) -> None:
        while self._children():
            try:
                event = self._events.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                return
            if isinstance(event, RunEnded):
                self._run_ended(event.job, event.child)
            elif isinstance(event, Answered | Counted):
                self._questions.over(event.child)
            elif isinstance(event, Announced):
                self._announcements.over(event.connection, event.child)
