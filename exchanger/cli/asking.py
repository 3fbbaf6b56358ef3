"""
Asks several connections, each for itself: one that cannot be reached hides nothing of the others.

What is known is printed, the fault is the last line and decides the exit code. With ``--json`` a
fault turns the document into an object: what is known stands beside ``error``, under its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from exchanger.app.outcome import exit_code, words_of, worst
from exchanger.app.wiring import open_world
from exchanger.cli.exit import error_json, print_json

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.runtime.context import JobContext

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """A connection that did not answer, and why."""

    connection: str
    error: Exception


def ask_each(
    config: Config, connections: Iterable[str], ask: Callable[[JobContext], T]
) -> tuple[dict[str, T], list[Fault]]:
    """
    Ask connections one after the other.

    Args:
        config: The configuration.
        connections: Whom to ask.
        ask: Asks one of them.

    Returns:
        The answers by connection, and what went wrong with those that have none.
    """
    answers: dict[str, T] = {}
    faults: list[Fault] = []
    for name in connections:
        try:
            with open_world(config, name) as world:
                answers[name] = ask(world)
        except Exception as error:  # noqa: BLE001 - the other connections are still asked
            faults.append(Fault(name, error))
    return answers, faults


def end_with(
    name: str,
    known: Any,
    faults: Sequence[Fault],
    *,
    as_json: bool,
    show: Callable[[], None],
) -> int:
    """
    Print what is known, then what is not, and choose the exit code.

    Args:
        name: What the known is called beside an error.
        known: The document that is printed where there is no fault.
        faults: The connections that did not answer.
        as_json: Whether to print JSON.
        show: Prints what is known for people.
    """
    told = [(fault, words_of(fault.error)) for fault in faults]
    if not as_json:
        show()
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
