"""How something ended: a job; the words of an error without a secret; exit codes by precedence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from exchanger.app.defaults import LogLevel
from exchanger.app.logs import clean, set_up_logs
from exchanger.app.messages.errors import words_for
from exchanger.app.messages.words import Message
from exchanger.errors import ExchangerError

_BEST_TO_WORST = (0, 4, 5, 8, 3, 2, 6, 7, 1)
"""
Exit codes in the order of precedence: of several, the last one counts.

``docs/commands.md`` says so, too.
"""


@dataclass(frozen=True)
class Outcome:
    """
    What became of one job.

    Args:
        report: As ``RunReport.to_dict`` renders it, with the words of its notes.
        bucket: The bucket that its keys are in.
        exit_code: What the process would end with, were this its only job.
        error: What it ended with, if it was told of one.
    """

    report: dict[str, Any]
    bucket: str
    exit_code: int
    error: Exception | None = None


def words_of(error: BaseException) -> Message:
    """Put an error into words without a secret; the traceback of an unforeseen one is logged."""
    if not structlog.is_configured():
        set_up_logs(LogLevel.warning)
    words = words_for(error)
    if not isinstance(error, ExchangerError):
        # Our own errors hold no secrets; of others nobody knows what they hold.
        words = Message(clean(words.what), words.next)
        structlog.get_logger().error("unexpected", exc_info=error)
    return words


def exit_code(error: BaseException) -> int:
    """Choose the exit code of an error."""
    code = getattr(error, "exit_code", None)  # A command line that makes no sense has one, too.
    return code if isinstance(code, int) else 1


def worst(codes: Iterable[int]) -> int:
    """Choose the exit code of several: what was not foreseen is worst, a rejected row is best."""
    return max(codes, key=_BEST_TO_WORST.index, default=0)
