"""
Lines of exported users to frames of JSON text, exactly.

Every value is kept as its JSON text (no white space, sorted keys) until the entire export was seen
and the type of its column is settled, because no reader of JSON lines keeps values of mixed type
or numbers beyond a float apart. For the same reason lines are parsed one by one in Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import chain
from typing import Any

import orjson
import polars as pl

from exchanger.errors import FileRejected
from exchanger.profiles.exported.selection import BRAZE_ID, CUSTOM, ExportColumn, Selection
from exchanger.profiles.frames.columns import PROFILE

# A number that orjson may not hold exactly: long, or with an exponent.
_LONG_NUMBER = r"[:\[,]\s*-?(?:[0-9.]{17,}|[0-9.]+[eE])"
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_LONE_SURROGATE = re.compile(
    r"(?<!\\)((?:\\\\)*)(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)

# The text of these is JSON.
_PLAIN: dict[type, pl.DataType] = {int: pl.Int64(), float: pl.Float64(), bool: pl.Boolean()}

Row = dict[str, Any]


class LineReader:
    """
    Makes frames of JSON text from lines; remembers under which names it puts what remains.

    What these columns are called in the dataset is settled when all of them are known.

    Args:
        selection: The columns.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._names: dict[str, str] = {}
        self._taken = {column.name for column in selection.columns} | {PROFILE}

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
            ``@profile`` (the ``braze_id`` as JSON text), the named columns, and the remaining
            columns that these lines have. All String, null where a key is missing.

        Raises:
            FileRejected: A line is no JSON object (``not_a_user``).
        """
        users = parse_users(lines, key)
        attributes: list[Row] = [user.get(CUSTOM) or {} for user in users]
        content = {PROFILE: json_texts([user.get(BRAZE_ID) for user in users])}
        for column in self._selection.columns:
            content[column.name] = json_texts(_values(column, users, attributes))
        for attribute in self._remaining(attributes):
            values = [row.get(attribute) for row in attributes]
            content[self._name(attribute)] = json_texts(values)
        return pl.DataFrame(content)

    def _remaining(self, attributes: list[Row]) -> list[str]:
        if self._selection.remaining_prefix is None:
            return []
        # A dict keeps the order of first appearance, which a set would not.
        seen = dict.fromkeys(chain.from_iterable(attributes))
        return [name for name in seen if not self._selection.covers(name)]

    def _name(self, attribute: str) -> str:
        if attribute not in self._names:
            name = f"{self._selection.remaining_prefix}{attribute}"
            while name in self._taken:
                name = f"{CUSTOM}.{name}"
            self._taken.add(name)
            self._names[attribute] = name
        return self._names[attribute]


def json_texts(values: list[Any]) -> pl.Series:
    """Write values as a String series of JSON texts; None becomes null."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pl.Series([None] * len(values), dtype=pl.String)
    if kinds == {str}:
        return _quoted(pl.Series(values, dtype=pl.String))
    if len(kinds) == 1 and (plain := _PLAIN.get(kinds.pop())):
        try:
            return pl.Series(values, dtype=plain).cast(pl.String)
        except (OverflowError, pl.exceptions.PolarsError):
            pass  # Integers beyond 64 bit have no series; they are written one by one.
    return pl.Series([None if v is None else _dump(v) for v in values], dtype=pl.String)


def _quoted(texts: pl.Series) -> pl.Series:
    frame = texts.to_frame("text")
    text = pl.col("text")
    escaped = pl.struct("text").struct.json_encode().str.slice(len('{"text":')).str.head(-1)
    plain = pl.concat_str(pl.lit('"'), text, pl.lit('"'))
    if texts.str.contains(_NEEDS_ESCAPE).any():
        plain = pl.when(text.is_null()).then(None).otherwise(escaped)
    return frame.select(plain).to_series()


def _dump(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def parse_users(lines: list[bytes], key: str) -> list[Row]:
    """
    Parse lines; numbers that a float cannot hold stay text, as ``orjson.Fragment``.

    Raises:
        FileRejected: A line is no JSON object (``not_a_user``).
    """
    try:
        long = pl.Series(lines, dtype=pl.Binary).cast(pl.String).str.contains(_LONG_NUMBER)
    except pl.exceptions.PolarsError:
        # Some line is no UTF-8; reading each finds out which.
        long = pl.Series([True] * len(lines))
    doubtful = set(long.arg_true())
    return [
        _user(line, key, at, _exactly if at in doubtful else orjson.loads)
        for at, line in enumerate(lines)
    ]


def _user(line: bytes, key: str, at: int, load: Callable[[bytes], Any]) -> Row:
    try:
        user = load(line)
    except ValueError:
        user = _loaded_with_care(line, key, at)
    if not isinstance(user, dict) or not isinstance(user.get(CUSTOM) or {}, dict):
        raise _not_a_user(key, at)
    return user


def _loaded_with_care(line: bytes, key: str, at: int) -> Any:
    try:
        # Half a character, as some devices send it, is no text in UTF-8.
        return _exactly(_LONE_SURROGATE.sub(_mended, line.decode()).encode())
    except (ValueError, RecursionError) as error:
        raise _not_a_user(key, at) from error


def _mended(found: re.Match[str]) -> str:
    return found[0] if found[2] else found[1] + "\\ufffd"


def _exactly(line: bytes) -> Any:
    return json.loads(
        line,
        parse_int=orjson.Fragment,
        parse_float=orjson.Fragment,
        parse_constant=_no_constant,
    )


def _no_constant(text: str) -> Any:
    raise ValueError(text)


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
