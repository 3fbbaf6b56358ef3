"""
The daemon as people start it, in a time that is stepped.

It looks around more often, as days are short here, and its log says once after each step that all
which was due is done.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

import structlog
from story_time import ahead_of

from exchanger.cli import main
from exchanger.service import daemon, prepared
from exchanger.service.looking import due_imports

daemon.LOOK_SECONDS = due_imports.GATHERED = due_imports.LOOKS_APART = 0.1
# A step of hours would cost it the process that it has prepared.
prepared.MANY, prepared.KEPT, prepared._LONGEST = 1, float("inf"), float("inf")
_ahead = ahead_of(os.environ["STORY_TIME"])


class WatchfulDaemon(daemon.Daemon):
    """Tells when it rests, and does nothing else of its own."""

    _rested = 0

    def _look_around(self):
        step, now = _ahead(), datetime.now(UTC)
        super()._look_around()
        if step != self._rested and self._rests(now):
            self._rested = step
            structlog.get_logger().debug("story.rested", step=step)

    def _rests(self, now):
        arrivals = [watch.arrivals for watch in self._watching._watches.values()]
        return (
            all(due > now for due in self._timetable.next_times().values())
            and not any(each._due or each._under_way for each in arrivals)
            and not self._children()
            and not self._announcements._heard
            and self._events.empty()
        )


daemon.Daemon = WatchfulDaemon
main()
