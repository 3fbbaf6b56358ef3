"""Asks several connections, each for itself: one that cannot be reached hides nothing of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from exchanger.app.wiring import open_context

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
            with open_context(config, name) as context:
                answers[name] = ask(context)
        except Exception as error:  # noqa: BLE001 - the other connections are still asked
            faults.append(Fault(name, error))
    return answers, faults
