"""
The names of a file's columns, as they are used everywhere else.

White space and invisible signs around a name are nobody's intention: they come from a comma and a
space between cells, from a second byte-order mark, from text that was copied. So they are taken
off, and told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exchanger.config.names import trimmed
from exchanger.errors import FileRejected
from exchanger.notes import Note, noted

MOST_COLUMNS = 2_000
"""Columns that a file may have; Braze itself takes far fewer attributes."""
_NAMELESS = "\x01"
"""No name begins with it once it is trimmed; and of NUL, nothing is left where Arrow hands over."""


def column_names(written: Sequence[str], key: str, *, nameless: bool = False) -> list[str]:
    """
    Return the names of columns as they are used, in their order.

    Args:
        written: The names as they stand in the file.
        key: The file's name for errors.
        nameless: Columns without a name may be there beside others; ``is_nameless`` knows them by
            what stands in its place.

    Raises:
        FileRejected: ``no_columns``, ``too_many_columns``, ``empty_column_name`` or
            ``duplicate_column``.
    """
    if not written:
        raise FileRejected(key, "no_columns", "The file has no columns.")
    if len(written) > MOST_COLUMNS:
        message = f"The file has {len(written):,} columns; at most {MOST_COLUMNS:,} can be read."
        raise FileRejected(key, "too_many_columns", message)
    names = [trimmed(name) for name in written]
    if nameless and any(names):
        names = [name or in_place_of_name(at) for at, name in enumerate(names)]
    if "" in names:
        message = f"Column {names.index('') + 1} has no name. Name it, or remove it."
        raise FileRejected(key, "empty_column_name", message)
    seen: dict[str, str] = {}
    for name, text in zip(names, written, strict=True):
        if name in seen:
            raise FileRejected(key, "duplicate_column", _twice(seen[name], text), column=name)
        seen[name] = text
    return names


def in_place_of_name(at: int) -> str:
    """Return what stands in place of the name of a column that has none, by its position."""
    return f"{_NAMELESS}{at}"


def is_nameless(name: str) -> bool:
    """Return whether this stands in place of a name."""
    return name.startswith(_NAMELESS)


def _twice(first: str, second: str) -> str:
    advice = "Rename or remove one of them."
    if first == second:
        return f"Two columns are named {first!r}. {advice}"
    return (
        f"Two columns have the same name but for white space or invisible signs around it: "
        f"{first!r} and {second!r}. {advice}"
    )


def trimmed_note(written: Iterable[str]) -> tuple[Note, ...]:
    """Note which names were trimmed; nothing if none was."""
    names = [name for name in written if name != trimmed(name)]
    return (noted("names_trimmed", columns=names),) if names else ()


def nameless_note(names: Sequence[str]) -> tuple[Note, ...]:
    """Note which columns have no name; nothing if all have one."""
    positions = [at + 1 for at, name in enumerate(names) if is_nameless(name)]
    return (noted("columns_nameless", positions=positions),) if positions else ()
