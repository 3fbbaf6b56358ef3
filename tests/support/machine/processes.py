"""
Processes that run the real import, each in a thread of its own, one at a time.

A process goes on until it ends or a fault parks it. Before every effect it asks what is to happen
to it, so a schedule is a list of faults, and the same list always gives the same story.
"""

import heapq
import itertools
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

START = 1_780_000_000.0
PATIENCE = 120
"""Seconds after which a process that does not come back is a defect."""


class Crash(BaseException):
    """The process is gone. Nothing that it does from here on has an effect."""


@dataclass(frozen=True)
class Fault:
    """
    What happens to a process.

    Args:
        kind: Of effect: read, list, write, commit, track, look_up.
        nth: Which of its effects of that kind, from 0, counted from the fault before.
        fate: ``crash``, ``fail``, ``pause`` or ``delay``; ``odd`` is what only that kind can do.
        after: Whether it happens after the effect took place, rather than before.
        variant: Chooses among the odd ways.
    """

    kind: str
    nth: int
    fate: str
    after: bool = False
    variant: int = 0


class Time:
    """One clock for all; moves only when somebody sleeps. What is due happens on its way."""

    def __init__(self):
        self.seconds = START
        self._due = []
        self._numbers = itertools.count()

    def moment(self):
        """Number what happens, as much may happen at one time."""
        return next(self._numbers)

    def later(self, seconds, action):
        """Have something happen so many seconds from now."""
        heapq.heappush(self._due, (self.seconds + seconds, next(self._numbers), action))

    def advance(self, seconds):
        """Move the clock."""
        until = self.seconds + seconds
        while self._due and self._due[0][0] <= until:
            due, _, action = heapq.heappop(self._due)
            self.seconds = max(self.seconds, due)
            action()
        self.seconds = max(self.seconds, until)


class Process:
    """
    One call of the command line.

    Args:
        time: The clock.
        work: Called with the process; its result is ``result``, its error ``error``.
        verb: What it was asked for.
    """

    def __init__(self, time, work, verb="run"):
        self.time = time
        self.verb = verb
        self.result = None
        self.error = None
        self.ended = False
        self.keeper = None
        self._dead = False
        self._work = work
        self._faults = []
        self._seen = 0
        self._mine = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def go(self, faults=()):
        """Let it run until it ends or is parked."""
        self._faults = list(faults)
        self._seen = 0
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._mine.release()
        if not self._back.acquire(timeout=PATIENCE):
            raise AssertionError("the process hangs")

    def kill(self):
        """End it where it is parked."""
        if not self.ended:
            self._dead = True
            self.go()

    def park(self):
        """Stand still until it is let go on, or is killed."""
        self._back.release()
        self._mine.acquire()
        self.demand_alive()

    def die(self):
        """Be gone from now on."""
        self._dead = True
        raise Crash

    def demand_alive(self):
        """Raise if it is gone."""
        if self._dead:
            raise Crash

    def lease_left(self):
        """Tell for how many seconds its lease lasts."""
        return max(self.keeper.until() - self.time.seconds, 0)

    def fault(self, kind):
        """Say what happens to the effect that is about to begin; None for nothing."""
        self.demand_alive()
        if not self._faults or self._faults[0].kind != kind:
            return None
        self._seen += 1
        if self._seen <= self._faults[0].nth:
            return None
        self._seen = 0
        return self._faults.pop(0)

    def effect(self, kind, apply, *, failure, odd=None):
        """
        Do something that a fault may meet.

        Args:
            kind: As in ``Fault``.
            apply: Does it.
            failure: Makes the error of an effect that failed.
            odd: Called with the fault and *apply* where only this kind knows what happens.
        """
        self.tick()
        fault = self.fault(kind)
        if fault is None:
            return apply()
        if fault.fate == "odd" and odd is not None:
            return odd(fault, apply)
        if fault.after:
            result = apply()
            self._suffer(fault.fate, failure)
            return result
        self._suffer(fault.fate, failure)
        return apply()

    def tick(self):
        """Let the lease be renewed if that is due, as the thread beside the real one would."""
        self.demand_alive()
        if self.keeper is not None:
            self.keeper.tick()

    def sleep(self, seconds):
        """Let time pass."""
        self.demand_alive()
        self.time.advance(max(seconds, 0))
        self.tick()

    def _suffer(self, fate, failure):
        if fate == "crash":
            self.die()
        if fate == "fail":
            raise failure()
        if fate == "pause":
            self.park()
        if fate in ("delay", "odd"):
            for _ in range(8):
                self.sleep(1)

    def _run(self):
        try:
            self.result = self._work(self)
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001 - the machine judges it
            self.error = error
        finally:
            self.ended = True
            self._back.release()


class ProcessClock:
    """The clock as one process has it."""

    def __init__(self, process):
        self._process = process

    def now(self):
        return datetime.fromtimestamp(self._process.time.seconds, UTC)

    def monotonic(self):
        return self._process.time.seconds

    def sleep(self, seconds):
        self._process.sleep(seconds)

    async def wait(self, seconds):
        self._process.sleep(seconds)
