"""Finds out which due import jobs need a run: looks in threads, questions in child processes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog

from exchanger.config.answers import answers_of
from exchanger.config.models import Config, Connection, ImportJob
from exchanger.errors import StorageError
from exchanger.service.looking.due_imports import DueImports, Verdict
from exchanger.service.looking.folder_scanner import FolderScanner, ScanResult
from exchanger.service.looking.notices import Awaited, Notice, shared
from exchanger.service.scheduling.schedules import scheduled_imports

log = structlog.get_logger()


@dataclass(frozen=True)
class Backlog:
    """
    What a process says of the jobs of a connection.

    Args:
        with_work: Those that have something to do.
        awaiting: Those of which rejected rows wait to be corrected.
    """

    with_work: list[str]
    awaiting: frozenset[str] = frozenset()


class Watch:
    """The scheduled import jobs of one connection, and what is known of their files."""

    def __init__(
        self, name: str, config: Config, jobs: dict[str, ImportJob], before: Watch | None
    ) -> None:
        self.name = name
        self.configured = _configured(name, config, jobs)
        self.lookout = FolderScanner(name, *self.configured)
        self.arrivals: DueImports = before.arrivals.heir(jobs) if before else DueImports()
        self.notices = Awaited()
        known = before.awaiting if before else frozenset[str]()
        self.awaiting: frozenset[str] = known & jobs.keys()
        """Jobs of which rejected rows wait to be corrected, as far as anybody has told."""
        self._ended: set[str] = set()

    def asked(self) -> None:
        """A process is asked what waits: what runs tell from here on is newer."""
        self._ended.clear()

    def answered(self, awaiting: frozenset[str]) -> None:
        """Take over what a process has told, but of jobs whose runs have told since."""
        self.awaiting = (awaiting - self._ended) | (self.awaiting & self._ended)

    def ended(self, job: str, *, awaits: bool) -> None:
        """Remember what a run has told."""
        self._ended.add(job)
        self.awaiting = (self.awaiting - {job}) | ({job} if awaits else set())

    def look(self) -> ScanResult | None:
        """Look for the jobs that are due; None if that failed. For a thread."""
        try:
            noticed = self.notices.corrected
            jobs, awaiting = self.arrivals.looked_for, self.awaiting
            return self.lookout.look(jobs, awaiting=awaiting, noticed=noticed)
        except StorageError as error:
            # The runs that follow will meet it too, and tell it in their reports.
            log.warning("look.failed", connection=self.name, error=str(error))
        except Exception as error:  # noqa: BLE001 - else the jobs would wait for this look for ever
            # What is in the words of others nobody knows, so they stay out of the log.
            log.error("look.failed", connection=self.name, error=type(error).__name__)  # noqa: TRY400 - as above
        return None


def _configured(
    name: str, config: Config, jobs: dict[str, ImportJob]
) -> tuple[Connection, dict[str, ImportJob], tuple[str, ...]]:
    """Return all that a watch depends on."""
    return config.connections[name], jobs, answers_of(config)


class Watching:
    """
    The watches of all connections.

    Args:
        on_look: Called in a thread with what a look showed, to hand it to *looked*.
        question: Begins to ask which jobs of a connection have something to do; the answer, in
            whatever way, goes to *answered*. False if it cannot be begun.
        turns: Asks for a run of each of some jobs, for the reason beside it.
    """

    def __init__(
        self,
        on_look: Callable[[Watch, ScanResult | None], None],
        question: Callable[[Watch], bool],
        turns: Callable[[dict[str, str]], None],
    ) -> None:
        self._on_look = on_look
        self._question = question
        self._turns = turns
        self._watches: dict[str, Watch] = {}
        self._by_job: dict[str, Watch] = {}
        self.last_look: datetime | None = None

    def configure(self, config: Config) -> None:
        """Watch the jobs of a configuration. What is due stays due, if its job is still there."""
        before, self._watches = self._watches, {}
        for name, jobs in scheduled_imports(config).items():
            watch = before.get(name)
            if watch is None or watch.configured != _configured(name, config, jobs):
                watch = Watch(name, config, jobs, watch)
            self._watches[name] = watch
        self._by_job = {
            job: watch for watch in self._watches.values() for job in watch.configured[1]
        }

    def due(self, job: str, why: str) -> bool:
        """Take care of a job that is due; False if it is none whose folder is watched."""
        watch = self._by_job.get(job)
        if watch is not None:
            watch.arrivals.due(job, why, time.monotonic())
        return watch is not None

    def noticed(self, notice: Notice) -> None:
        """Look for the files of jobs at once; a notice of no job of ours comes again."""
        watches = {self._by_job[job].name for job in notice.jobs if job in self._by_job}
        for name, done in shared(notice.done, watches).items():
            self._watches[name].notices.add(done, notice.corrected)
        for job in sorted(notice.jobs):
            self.due(job, "notice")

    def seconds_to_look(self) -> float | None:
        """Return how long until *begin_looks* has something to do; None if it has nothing to do."""
        now = time.monotonic()
        waits = [watch.arrivals.seconds_to_look(now) for watch in self._watches.values()]
        return min((wait for wait in waits if wait is not None), default=None)

    def begin_looks(self) -> None:
        """Begin the looks whose time has come."""
        now = time.monotonic()
        for watch in self._watches.values():
            if watch.arrivals.seconds_to_look(now) == 0:
                watch.arrivals.begin_look(now)
                watch.notices.begin_look()
                look = partial(self._look, watch)
                try:
                    threading.Thread(target=look, name=f"look-{watch.name}", daemon=True).start()
                except RuntimeError as error:  # There are no more threads.
                    log.error("look.failed", connection=watch.name, error=str(error))  # noqa: TRY400 - no traceback
                    self._on_look(watch, None)

    def looked(self, watch: Watch, seen: ScanResult | None) -> None:
        """Act on what a look showed."""
        if seen is not None:
            self.last_look = datetime.now(UTC)
        watch.notices.looked(well=seen is not None)
        if self._is_current(watch):
            verdict = watch.arrivals.looked(seen, time.monotonic())
            self._act(watch, verdict)
            if verdict.doubtful:
                watch.asked()
                if not self._question(watch):
                    self.answered(watch, None)

    def answered(self, watch: Watch, told: Backlog | None) -> None:
        """Act on an answer; None if there is none."""
        if self._is_current(watch):
            if told is not None:
                watch.answered(told.awaiting)
            with_work = None if told is None else told.with_work
            self._act(watch, watch.arrivals.answered(with_work, time.monotonic()))

    def started(self, job: str) -> None:
        """A run of a job starts."""
        if job in self._by_job:
            self._by_job[job].arrivals.started(job)

    def ended(self, job: str, *, nothing_left: bool, awaits: bool | None = None) -> None:
        """
        A run of a job has ended.

        Args:
            job: The job.
            nothing_left: It left nothing to do behind; otherwise it may have.
            awaits: Whether rejected rows wait to be corrected; None if it did not say.
        """
        watch = self._by_job.get(job)
        if watch is None:
            return
        watch.arrivals.ended(job, nothing_left=nothing_left, now=time.monotonic())
        if awaits is not None:
            watch.ended(job, awaits=awaits)

    def _look(self, watch: Watch) -> None:
        self._on_look(watch, watch.look())

    def _act(self, watch: Watch, verdict: Verdict) -> None:
        self._turns(verdict.turns)
        log.debug(
            "look.done",
            connection=watch.name,
            turns=sorted(verdict.turns),
            doubtful=len(verdict.doubtful),
            idle=len(verdict.idle),
        )

    def _is_current(self, watch: Watch) -> bool:
        # After a reload, what was asked under the old configuration is asked again.
        return self._watches.get(watch.name) is watch


def read_waiting(output: str) -> Backlog:
    """
    Read what ``jobs --waiting --json`` printed.

    Raises:
        ValueError: The text is something else.
    """
    entries = json.loads(output)
    if isinstance(entries, dict) and isinstance(entries.get("error"), dict):
        raise ValueError(str(entries["error"].get("message")))  # noqa: TRY004 - it is data
    try:
        with_work = [
            entry["job"]
            for entry in entries
            # What settles is no news to a look, and is to be taken all the same.
            if any(entry.get(key) for key in ("files_waiting", "files_settling", "unfinished"))
        ]
        awaiting = (entry["job"] for entry in entries if entry.get("awaits_corrections"))
        return Backlog(with_work, frozenset(awaiting))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("the answer is no list of jobs with what waits") from error
