"""Words of cells: which of them mean what."""

from __future__ import annotations

from collections.abc import Iterator

from exchanger.config.findings import Finding, Where
from exchanger.config.models import Action, GroupState
from exchanger.config.models.kinds.consent import as_word


def check_words(told: GroupState | Action, where: Where, what: str) -> Iterator[Finding]:
    """
    Find out whether the words of a column mean something, each one thing.

    Args:
        told: The column, and its words.
        where: Its place.
        what: What the column tells.
    """
    if not told.from_:
        yield Finding((*where, "from"), f"name the column of the {what}")
    if not told.words:
        names = [name for name in type(told).model_fields if name != "from_"]
        message = f'say which cells mean what, such as {names[1]}: [no, "0"]'
        yield Finding(where, message, missed=tuple(names[:2]))
    seen: dict[str, str] = {}
    for name, words in told:
        for word in words if isinstance(words, tuple) else ():
            text = as_word(word)
            if not text:
                yield Finding((*where, name), "an empty cell says nothing; leave this word out")
            elif seen.setdefault(text, name) != name:
                message = f"'{word}' cannot mean both {seen[text]} and {name}"
                yield Finding((*where, name), message)
