"""An error for a person: what happened, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Words = str | Callable[..., str]
"""What is said of facts: a text in which they stand by their names, or what makes one of them."""


_ASKING_WHERE = re.compile(
    r"exchanger (?:adopt|(?:approve|discard|retry|show|undo) (?:\d+|NUMBER|RUN))(?![\w-])"
    r"(?! (?:\S+ )?--connection)"
)
"""Commands that ask which connection is meant where there are several, and do not say it."""


@dataclass(frozen=True)
class Message:
    """
    An error for a person.

    Args:
        what: What happened, in one or more lines.
        next: What to do about it, or to type.
    """

    what: str
    next: str = ""

    def __str__(self) -> str:
        return f"{self.what}\n{self.next}" if self.next else self.what


def filled(template: Message, error: Exception) -> Message:
    """Fill in the facts of an error by their names; ``said`` is its detail, if any, in brackets."""
    facts = {**vars(error), "said": f" ({detail})" if (detail := vars(error).get("detail")) else ""}
    return Message(template.what.format(**facts), template.next.format(**facts))


def with_connection(said: str, of: str) -> str:
    """
    Name the connection in each command that needs it: each connection counts its runs from 1.

    Args:
        said: What is said to a person.
        of: What names the connection, as ``Config.option_of`` returns it.
    """
    return _ASKING_WHERE.sub(lambda command: f"{command[0]}{of}", said)


def how_to_install(extra: str) -> str:
    """Return what brings the packages of an extra. An index has another ``exchanger``."""
    return (
        f"In a checkout of exchanger: pip install '.[{extra}]'. With a wheel of it:"
        f" pip install 'FILE.whl[{extra}]'"
    )
