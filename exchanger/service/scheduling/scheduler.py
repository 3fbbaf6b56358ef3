"""Calls back when a job is due: APScheduler, with the choices we make about lateness."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from exchanger.service.scheduling.triggers import Trigger


class Timetable:
    """
    Holds one trigger for each job, in memory alone.

    Args:
        on_due: Called with the job's name, in a thread of the timetable. Must return at once.
    """

    def __init__(self, on_due: Callable[[str], None]) -> None:
        # APScheduler tells every fire at INFO, which the events of the daemon tell already.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._on_due = on_due
        # APScheduler has no annotations.
        self._scheduler: Any = BackgroundScheduler(  # type: ignore[no-untyped-call]
            # The call only puts a name into a queue, so that it needs no thread of its own.
            executors={"default": DebugExecutor()},  # type: ignore[no-untyped-call]
            timezone=UTC,
            job_defaults={
                # APScheduler drops a fire that is more than a second late (a busy machine, a
                # laptop that slept), with a warning only. Late is better than never here.
                "misfire_grace_time": None,
                # Several fires that became due meanwhile are one: a run takes all that waits.
                "coalesce": True,
                # The call returns before it can be called again. That two runs of a job never
                # overlap is decided in Turns, which remembers the second instead of dropping it.
                "max_instances": 1,
            },
        )

    def start(self) -> None:
        """Begin to call back."""
        self._scheduler.start()

    def stop(self) -> None:
        """Call back no more; waits for a call that is under way."""
        self._scheduler.shutdown()

    def put(self, job: str, trigger: Trigger) -> None:
        """Add a job, or give it another trigger."""
        self._scheduler.add_job(
            self._on_due, trigger, args=(job,), id=job, name=job, replace_existing=True
        )

    def remove(self, job: str) -> None:
        """Take out a job that is in the timetable or has had its last time."""
        if self._scheduler.get_job(job):
            self._scheduler.remove_job(job)

    def look_again(self) -> None:
        """
        Compare the times with the clock once more.

        APScheduler waits for a length of time. When the clock is set, or the machine slept, that
        length is wrong, and this is how it notices.
        """
        self._scheduler.wakeup()

    def next_times(self) -> dict[str, datetime]:
        """Return when each job is due next."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
