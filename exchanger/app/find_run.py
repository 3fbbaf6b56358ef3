"""Finds a run of the past by its id or number, in whichever connection it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchanger.app.asking import Fault, ask_each
from exchanger.app.messages.notes.words import worded
from exchanger.errors import RunAmbiguous, RunMissing, RunUnsuitable
from exchanger.jobs.history.runs import show_run

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.runtime.context import JobContext


NO_IMPORT = "it is no import that planned anything"


@dataclass(frozen=True)
class FoundRun:
    """
    A run that was looked for.

    Args:
        report: As ``show`` prints it; None if no connection that answered has it.
        connection: Where it is.
        faults: Connections that did not answer, which may have it, or another of its number.
    """

    report: dict[str, Any] | None
    connection: str
    faults: list[Fault]

    def numbered(self, verb: str, run: str) -> tuple[str, int]:
        """
        Return the name of its job, which may be configured no more, and its number.

        Raises:
            RunUnsuitable: It planned nothing, so nothing can be done to it.
        """
        found = self.report or {}
        if found.get("seq") is None:
            raise RunUnsuitable(run, verb, NO_IMPORT)
        return found["job"], found["seq"]


def found_run(config: Config, connections: list[str], run: str) -> FoundRun:
    """
    Find a run, and the connection that it belongs to.

    Raises:
        RunMissing: All connections answered, and none has such a run.
        RunAmbiguous: Several have one: each counts its runs from 1.
    """

    def look(context: JobContext) -> dict[str, Any] | None:
        try:
            return worded(show_run(context, run), config.option_of(context.connection))
        except RunMissing:
            return None

    answers, faults = ask_each(config, connections, look)
    found = {name: report for name, report in answers.items() if report is not None}
    if len(found) > 1:
        raise RunAmbiguous(run, list(found))
    if not found and not faults:
        raise RunMissing(run)
    for name, report in found.items():
        return FoundRun(report, name, faults)
    return FoundRun(None, "", faults)
