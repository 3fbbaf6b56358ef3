"""
Lines of exported users to frames of cells, exactly.

No reader of JSON lines keeps values of mixed type, or numbers beyond a float, apart, so lines are
parsed one by one in Python: a few at a time, so that what is made of them fits into the caches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson
import polars as pl

from exchanger.errors import FileRejected
from exchanger.profiles.exported.cells import cells
from exchanger.profiles.exported.collecting import without_collecting
from exchanger.profiles.exported.selection import BRAZE_ID, CUSTOM, ExportColumn, Selection
from exchanger.profiles.frames.columns import PROFILE

# A number that orjson may not hold exactly: long, or with an exponent.
_LONG_NUMBER = r"[:\[,]\s*-?(?:[0-9.]{17,}|[0-9.]+[eE])"
_LONE_SURROGATE = re.compile(
    r"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)

_AT_ONCE = 1_000
_INT64 = range(-(2**63), 2**63)
_BEYOND = 2**63
_LONGEST_INT = len(str(-(2**63)))

Row = dict[str, Any]


class LineReader:
    """
    Makes frames of cells from lines; remembers under which names it puts what remains.

    What these columns are called in the dataset is settled when all of them are known.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._names: dict[str, str] = {}
        self._taken = {column.name for column in selection.columns} | {PROFILE}
        self._known: list[str] = []

    @property
    def remaining(self) -> dict[str, str]:
        """Custom attributes that have a remaining column so far, and its name."""
        return dict(self._names)

    def read(self, lines: list[bytes], key: str) -> pl.DataFrame:
        """
        Read lines.

        Args:
            lines: One user each.
            key: The archive, for messages.

        Returns:
            ``@profile`` (the ``braze_id``), the named columns, and the remaining columns that these
            lines have, all as cells: null where a key is missing.

        Raises:
            FileRejected: A line is no JSON object (``not_a_user``).
        """
        names = [PROFILE, *(column.name for column in self._selection.columns)]
        values: dict[str, list[Any]] = {name: [] for name in names}
        with without_collecting():
            count = 0
            for users in _users(lines, key):
                attributes: list[Row] = [user.get(CUSTOM) or {} for user in users]
                values[PROFILE] += [user.get(BRAZE_ID) for user in users]
                for column in self._selection.columns:
                    values[column.name] += _values(column, users, attributes)
                if self._selection.remaining_prefix is not None:
                    self._add_remaining(values, attributes, count)
                count += len(users)
        # A column that no user of the last lines has ends early.
        for found in values.values():
            found.extend([None] * (count - len(found)))
        return pl.DataFrame([cells(found).alias(name) for name, found in values.items()])

    def _add_remaining(
        self, values: dict[str, list[Any]], attributes: list[Row], before: int
    ) -> None:
        """Add the attributes that no column covers; *before*: users whose values are there."""
        for attribute, found in self._columns(attributes):
            if not self._selection.covers(attribute):
                column = values.setdefault(self._name(attribute), [])
                column += [None] * (before - len(column))
                column += found

    def _columns(self, attributes: list[Row]) -> Iterator[tuple[str, Sequence[Any]]]:
        """Turn users' attributes into columns, in the order of first sight."""
        known = self._known
        if len(known) > 1 and sum(map(len, attributes)) == len(known) * len(attributes):
            # Mostly, all users have the same attributes: then no key is looked for twice.
            try:
                yield from zip(
                    known, zip(*map(itemgetter(*known), attributes), strict=True), strict=True
                )
            except KeyError:
                pass
            else:
                return
        # A dict keeps the order of first appearance, which a set would not.
        self._known = list(dict.fromkeys(chain.from_iterable(attributes)))
        for name in self._known:
            yield name, [row.get(name) for row in attributes]

    def _name(self, attribute: str) -> str:
        if attribute not in self._names:
            name = f"{self._selection.remaining_prefix}{attribute}"
            while name in self._taken:
                name = f"{CUSTOM}.{name}"
            self._taken.add(name)
            self._names[attribute] = name
        return self._names[attribute]


def parse_users(lines: list[bytes], key: str) -> list[Row]:
    """
    Parse lines; numbers that no 64-bit type holds stay text, as ``orjson.Fragment``.

    Raises:
        FileRejected: A line is no JSON object (``not_a_user``).
    """
    with without_collecting():
        return list(chain.from_iterable(_users(lines, key)))


def _users(lines: list[bytes], key: str) -> Iterator[list[Row]]:
    try:
        long = pl.Series(lines, dtype=pl.Binary).cast(pl.String).str.contains(_LONG_NUMBER)
    except pl.exceptions.PolarsError:
        # Some line is no UTF-8; reading each finds out which.
        long = pl.Series([True] * len(lines))
    doubtful = set(long.arg_true())
    for first in range(0, len(lines), _AT_ONCE):
        some = lines[first : first + _AT_ONCE]
        plain = doubtful.isdisjoint(range(first, first + len(some)))
        users = _all_plain(some) if plain else None
        yield users or [
            _user(line, key, at, careful=at in doubtful) for at, line in enumerate(some, first)
        ]


def _all_plain(lines: list[bytes]) -> list[Row] | None:
    """Parse lines of which all are users without anything special; None: some is not."""
    try:
        users = list(map(orjson.loads, lines))
    except ValueError:
        return None
    if set(map(type, users)) != {dict}:
        return None
    return users if {type(user.get(CUSTOM)) for user in users} <= {dict, type(None)} else None


def _user(line: bytes, key: str, at: int, *, careful: bool) -> Row:
    try:
        user = _loaded_with_care(line, key, at) if careful else orjson.loads(line)
    except ValueError:
        user = _loaded_with_care(line, key, at)
    if not isinstance(user, dict) or not isinstance(user.get(CUSTOM) or {}, dict):
        raise _not_a_user(key, at)
    return user


def _loaded_with_care(line: bytes, key: str, at: int) -> Any:
    try:
        text = line.decode().removeprefix("\ufeff")
        # Half a character, as some devices send it, is no text in UTF-8.
        return _DECODER.decode(_LONE_SURROGATE.sub(_mended, text) if "\\u" in text else text)
    except (ValueError, RecursionError) as error:
        raise _not_a_user(key, at) from error


def _mended(found: re.Match[str]) -> str:
    return found[0] if found[2] else found[1] + "\\ufffd"


def _integer(text: str) -> int | orjson.Fragment:
    value = int(text) if len(text) <= _LONGEST_INT else _BEYOND
    # ``-0`` is another text than the number has.
    return value if value in _INT64 and text != "-0" else orjson.Fragment(text)


def _float(text: str) -> float | orjson.Fragment:
    # What Python spells so, and without an exponent, everybody does.
    value = float(text)
    return value if repr(value) == text and "e" not in text else orjson.Fragment(text)


def _no_constant(text: str) -> Any:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_no_constant)


def _not_a_user(key: str, at: int) -> FileRejected:
    message = "a line of the export is no JSON object; the export has to be made again"
    return FileRejected(key, "not_a_user", message, row=at + 1)


def _values(column: ExportColumn, users: list[Row], attributes: list[Row]) -> list[Any]:
    field, inner = column.field, column.inner
    if not inner:
        return [user.get(field) for user in users]
    if field != CUSTOM:
        return [_inside(user.get(field), inner) for user in users]
    if "." not in inner:
        return [row.get(inner) for row in attributes]
    return [_inside(row, inner) for row in attributes]


def _inside(value: Any, path: str) -> Any:
    """Follow a path into nested objects. A key may itself hold dots: the longest one wins."""
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    for end in (at for at in range(len(path) - 1, 0, -1) if path[at] == "."):
        if path[:end] in value:
            return _inside(value[path[:end]], path[end + 1 :])
    return None
