"""How the command line ends: with words on standard error, JSON if asked for, an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import structlog
import typer

from exchanger.app.messages.words import Message
from exchanger.app.outcome import exit_code, words_of, worst
from exchanger.cli.streams import says_all_signs
from exchanger.errors import ConfigError, ExchangerError

if TYPE_CHECKING:
    from exchanger.app.asking import Fault


@runtime_checkable
class UsageError(Protocol):
    """A command line that makes no sense, as typer raises it: its own class has no public name."""

    exit_code: int

    def format_message(self) -> str:
        """Print what is wrong, in one line."""

    def show(self) -> None:
        """Write on standard error how the verb is used, and what is wrong."""


def report_failure(error: BaseException, *, as_json: bool) -> int:
    """
    Report to a person, a program and the log what went wrong.

    Returns:
        The exit code.
    """
    words = say(error)
    if as_json:
        print_json({"error": error_json(error, words)})
    return exit_code(error)


def say(error: BaseException) -> Message:
    """Write an error's words on standard error; the log gets the traceback of an unforeseen one."""
    if isinstance(error, UsageError):
        error.show()
        return Message(error.format_message(), _how_to_use(error))
    words = words_of(error)
    with suppress(OSError):  # Whoever read it may have died.
        typer.echo(words, err=True)
    return words


def log_failure(error: Exception) -> int:
    """
    Log what went wrong, for a process whose standard error is read by programs alone.

    Returns:
        The exit code.
    """
    facts = error_json(error, words_of(error))
    structlog.get_logger().error("daemon.failed", **facts)
    return int(facts["exit_code"])


def _how_to_use(error: UsageError) -> str:
    context = getattr(error, "ctx", None)
    return f"How it is used: {context.command_path if context else 'exchanger'} --help"


def error_json(error: BaseException, words: Message) -> dict[str, Any]:
    """Render an error for ``--json``."""
    content: dict[str, Any] = {
        "kind": UsageError.__name__ if isinstance(error, UsageError) else type(error).__name__,
        "message": words.what,
        "next": words.next,
        "exit_code": exit_code(error),
        "retryable": isinstance(error, ExchangerError) and error.retryable,
    }
    if isinstance(error, ConfigError):
        content["problems"] = [asdict(problem) for problem in error.problems]
    return content


def print_json(content: Any) -> None:
    """Print one JSON document on standard output."""
    ascii_alone = not says_all_signs(sys.stdout)
    typer.echo(json.dumps(content, indent=2, ensure_ascii=ascii_alone, default=str))


def print_result(content: Any, describe: Callable[[Any], Iterable[str]], *, as_json: bool) -> None:
    """Print a result: for a program as it is, for a person in the lines that describe it."""
    if as_json:
        print_json(content)
    else:
        _print_lines(describe(content))


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def end_with(
    name: str,
    known: Any,
    faults: Sequence[Fault],
    *,
    as_json: bool,
    describe: Callable[[], Iterable[str]],
) -> int:
    """
    Print what is known, then what is not, and choose the exit code.

    Args:
        name: What the known is called beside an error.
        known: The document that is printed where there is no fault.
        faults: The connections that did not answer.
        as_json: Whether to print JSON.
        describe: Returns what is known in lines for people.
    """
    told = [(fault, words_of(fault.error)) for fault in faults]
    if not as_json:
        _print_lines(describe())
    elif told:
        errors = [
            {**error_json(fault.error, words), "connection": fault.connection}
            for fault, words in told
        ]
        code = worst(error["exit_code"] for error in errors)
        first = next(error for error in errors if error["exit_code"] == code)
        print_json({"error": first, "errors": errors, name: known})
    else:
        print_json(known)
    for fault, words in told:
        typer.echo(f"Connection {fault.connection}: {words}", err=True)
    return worst(exit_code(fault.error) for fault in faults)
