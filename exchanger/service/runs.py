"""Runs that come to their turn: started as children, and told when they are over."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping

import structlog

from exchanger.service.child_process import ChildProcess
from exchanger.service.scheduling.run_queue import Place, RunQueue
from exchanger.service.telling.outcome import files_waiting, in_good_order, level, summarise

RUNS_AT_A_TIME = 4
"""Imports at a time, one for each connection; and as many exports, which mostly wait for Braze."""

START_AGAIN = 5.0
"""Seconds until runs are started again after a process could not be started."""

log = structlog.get_logger()


class Runs:
    """
    The runs that go on, and those that wait for their turn.

    Args:
        begin: Begins the process of a job's run. Raises ``OSError`` if that cannot be done.
        place: Tells where a job queues; None if it is not to run any more.
        on_start: Called with each job of which a run starts.
        of: Tells what names the connection of a job in a command.
    """

    def __init__(
        self,
        begin: Callable[[str], ChildProcess],
        place: Callable[[str], Place | None],
        on_start: Callable[[str], None],
        of: Callable[[str], str],
    ) -> None:
        self._begin = begin
        self._place = place
        self._on_start = on_start
        self._of = of
        self._turns = RunQueue(RUNS_AT_A_TIME)
        self._start_at: float | None = None
        self.children: dict[str, ChildProcess] = {}

    def ask(self, due: Mapping[str, str]) -> None:
        """Ask for a run of each of some jobs, for the reason beside it."""
        asking = {job: place for job in due if (place := self._place(job))}
        answers = self._turns.ask(asking)
        for job, answer in answers.items():
            if answer == "wait":
                log.info("run.waiting", job=job, running=sorted(self.children))
            elif answer == "coalesced":
                log.info("run.coalesced", job=job, running=job in self.children)
        self._start((job, due[job]) for job, answer in answers.items() if answer == "start")

    def ended(self, job: str, child: ChildProcess, *, stopping: bool) -> bool:
        """
        Report how a run ended, and ask for another one if it left files behind.

        Returns:
            Whether it left nothing to do.
        """
        del self.children[job]
        facts = {"pid": child.pid, "exit_code": child.exit_code, "seconds": round(child.seconds, 3)}
        told = summarise(child.output, self._of(job))
        getattr(log, level(child.exit_code, told))("run.finished", job=job, **facts, **told)
        waiting = files_waiting(child.output)
        if waiting and in_good_order(child.exit_code) and not stopping:
            # Before its turn is over: an urgent job with more to do does not let others go ahead.
            self.ask({job: "more files"})
        return child.exit_code == 0 and waiting == 0

    def turn_over(self, job: str) -> None:
        """Let whoever is next have the turn of a job whose run has ended."""
        self._start((following, "waited") for following in self._turns.end(job))

    def keep_only(self, jobs: Container[str]) -> None:
        """Forget what waits of all other jobs. Runs that have started are not affected."""
        self._turns.keep_only(jobs)

    def start_again(self) -> None:
        """Start what could not be started, once it is time to try again."""
        if self._start_at is not None and time.monotonic() >= self._start_at:
            self._start_at = None
            self._start((job, "waited") for job in self._turns.resume())

    def _start(self, jobs: Iterable[tuple[str, str]]) -> None:
        for job, why in jobs:
            if self._start_at is not None:  # Where one process could not start, no other can.
                self._turns.put_back(job)
                continue
            try:
                self.children[job] = child = self._begin(job)
            except OSError as error:
                self._start_at = time.monotonic() + START_AGAIN
                self._turns.put_back(job)
                log.error("run.not_started", job=job, error=str(error), again_in=START_AGAIN)  # noqa: TRY400 - no traceback
                continue
            log.info("run.started", job=job, pid=child.pid, why=why)
            self._on_start(job)
