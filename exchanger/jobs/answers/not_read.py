"""
Answers about files of which no run has taken anything, and that are not done with.

S3 does not give them out, or the job stops at them. No run claims them, so none would answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import structlog

from exchanger.config.answers import AnswerNames
from exchanger.errors import InvalidRow, LeaseLost, StorageError
from exchanger.jobs.answers.facts import COUNTS
from exchanger.jobs.answers.masking import HIDDEN
from exchanger.jobs.answers.write import write_reports
from exchanger.notes import noted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.errors import SchemaBroken
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.notes import Note

log = structlog.get_logger()

_ROWS = ("read", "taken", "rejected", "refused", "in_doubt", "skipped")


def answer_unreadable(
    call: ImportContext, unreadable: Mapping[tuple[str, str], Note]
) -> list[Note]:
    """
    Write reports about files that S3 does not give out.

    Returns:
        What is noted of it: nothing, if all were written.
    """
    words = call.context.words
    return _answer(call, "unreadable", {key: words(why) for (key, _), why in unreadable.items()})


def answer_stopped(call: ImportContext, error: SchemaBroken | InvalidRow) -> None:
    """Write a report about the file at which a job has stopped."""
    said = error.message
    if call.job.mask:
        said = f"Row {error.row}: {HIDDEN}" if isinstance(error, InvalidRow) else HIDDEN
    _answer(call, "stopped", {error.key: said})


def _answer(
    call: ImportContext, outcome: Literal["unreadable", "stopped"], why: Mapping[str, str]
) -> list[Note]:
    context, names = call.context, AnswerNames(call.job.source.prefix)
    if not call.job.after.report:
        return []

    def named(key: str) -> AnswerNames:
        return names.of(call.name, shared=context.folders.shared(key))

    try:
        for _ in write_reports(context, why, named, lambda key: _facts(call, outcome, key, why)):
            pass
    except (LeaseLost, StorageError) as error:
        # The run counts, or fails, for reasons of its own.
        log.warning("answers.not_written", error=str(error))
        return [noted("answers_not_written", folder=names.reports, error=str(error))]
    return []


def _facts(call: ImportContext, outcome: str, key: str, why: Mapping[str, str]) -> dict[str, Any]:
    now = call.context.clock.now().isoformat()
    nothing = ("quarantine", "warnings", "rejected_rows", "run", "run_id")
    return {
        "file": key,
        "job": call.name,
        "verdict": "not_read",
        "outcome": outcome,
        "began_at": now,
        "ended_at": now,
        "rows": dict.fromkeys(_ROWS, 0),
        "not_taken": [],
        "left_out": [],
        "notes": [why[key]],
        "choices": [],
        "whole_run": {"files": 1, "stopped": False, **dict.fromkeys(COUNTS, 0)},
        "cost": {"data_points": 0, "requests": 0},
        **dict.fromkeys(nothing),
    }
