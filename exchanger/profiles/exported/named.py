"""
Whom keys that are no external ids mean, as an entire segment export tells.

Of an e-mail address or phone number the export of everybody alone tells whether one person has it,
and of any key that nobody does. Braze exports a phone number as it was imported, but finds it in
every spelling: what has no country may be one of several numbers, of which then nothing is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from exchanger.braze.identifiers import SHARED, IdentifierKind
from exchanger.profiles.exported.lines import Row
from exchanger.profiles.exported.selection import BRAZE_ID
from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.reading.contacts import e164
from exchanger.profiles.spelling.profile_key import kind_of, profile_key, value_of

AT = "at"
"""UInt32: the position of a user."""
PERSON = "@person"
"""String: what tells people apart; null where a key may be that of a user, and nobody knows."""
_SURE = "sure"
_END = "tail"
TAIL = 7
"""So many digits at its end are the same in every spelling of a number; one of fewer is none."""


def keys_of_users(users: Sequence[Row], wanted: pl.Series) -> pl.DataFrame:
    """
    Choose the users that wanted keys mean, or may mean.

    Args:
        users: As ``parse_users`` gives them.
        wanted: Keys that are no external ids.

    Returns:
        ``at``, ``@profile`` and ``@person``, a row for each key of each such user.
    """
    kinds = wanted.to_frame(PROFILE).select(kind_of(pl.col(PROFILE)).unique()).to_series()
    found = [pl.DataFrame(schema={AT: pl.UInt32, PROFILE: pl.String, _SURE: pl.Boolean})]
    for kind in sorted(kinds):
        named = _by_phone(users, wanted) if kind == "phone" else named_by(users, kind)
        found.append(named)
    named = pl.concat(found, how="diagonal").filter(pl.col(PROFILE).is_in(wanted.implode()))
    sure = pl.col(_SURE).fill_null(value=True)
    return with_person(named, users).select(AT, PROFILE, pl.when(sure).then(PERSON).alias(PERSON))


class KeysTold:
    """
    What an export tells of wanted keys.

    Args:
        named: What *keys_of_users* gave, of all its users.
        wanted: The keys.
        complete: Who is not in it does not exist.
    """

    def __init__(self, named: pl.DataFrame, wanted: pl.Series, *, complete: bool) -> None:
        told = named.group_by(PROFILE).agg(
            pl.col(PERSON).n_unique().alias("people"),
            pl.col(PERSON).is_null().any().alias("open"),
        )
        shared = kind_of(pl.col(PROFILE)).is_in(list(SHARED))
        known = ~pl.col("open") & (pl.lit(complete) | ~shared)
        one = pl.col("people") == 1
        self.certain = told.filter(known & one)[PROFILE]
        """Keys of one person each."""
        self.several = told.filter(known & ~one & shared)[PROFILE]
        """Keys that several people have."""
        absent = wanted.filter(~wanted.is_in(told[PROFILE].implode()))
        self.absent = absent if complete else absent.clear()
        """Keys that nobody has."""


def named_by(users: Sequence[Row], kind: IdentifierKind) -> pl.DataFrame:
    """Name users by what they have of a kind, numbers left out: ``at`` and ``@profile``."""
    return _by_alias(users) if kind == "alias" else _by_text(users, kind)


def with_person(named: pl.DataFrame, users: Sequence[Row]) -> pl.DataFrame:
    """Add who each user of ``at`` is, as ``@person``; null if that is not told."""
    people = pl.Series(PERSON, [_text(user, BRAZE_ID) for user in users], dtype=pl.String)
    return named.with_columns(people.gather(named[AT]))


def numbers_of(users: Sequence[Row], tails: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """
    Read the phone numbers of users.

    Args:
        users: As ``parse_users`` gives them.
        tails: Chooses numbers by their ``tail``, their last digits.

    Returns:
        ``at``, ``tail`` and ``value``: as E.164, null where it has no country.
    """
    texts = pl.DataFrame({"text": [_text(user, "phone") for user in users]}, {"text": pl.String})
    tail = pl.col("text").str.replace_all("[^0-9]", "").str.tail(TAIL)
    numbers = _numbered(texts).with_columns(tail.alias(_END))
    like = numbers.filter(pl.col(_END).str.len_bytes() == TAIL).filter(tails(pl.col(_END)))
    value = e164(like["text"].str.strip_chars()).alias("value")
    return like.with_columns(value).select(AT, _END, "value")


def tails_of(keys: pl.Series) -> pl.DataFrame:
    """Choose the keys that are phone numbers: ``@profile`` and ``tail``, their last digits."""
    key = pl.col(PROFILE)
    numbers = keys.to_frame(PROFILE).filter(kind_of(key) == "phone")
    ends = numbers.with_columns(value_of(key).str.tail(TAIL).alias(_END))
    return ends.filter(pl.col(_END).str.contains(f"^[0-9]{{{TAIL}}}$"))


def _by_text(users: Sequence[Row], kind: IdentifierKind) -> pl.DataFrame:
    """Name each user by an address or ``braze_id``."""
    texts = pl.DataFrame({"text": [_text(user, kind) for user in users]}, {"text": pl.String})
    text = pl.col("text")
    value = text.str.strip_chars().str.to_lowercase() if kind == "email" else text
    return _numbered(texts).select(AT, profile_key(kind, value).alias(PROFILE)).drop_nulls()


def _by_alias(users: Sequence[Row]) -> pl.DataFrame:
    rows = [
        (at, str(alias.get("alias_label")), str(alias.get("alias_name")))
        for at, user in enumerate(users)
        for alias in user.get("user_aliases") or ()
        if isinstance(alias, dict)
    ]
    schema = {AT: pl.UInt32, "label": pl.String, "name": pl.String}
    frame = pl.DataFrame(rows, schema, orient="row")
    key = profile_key("alias", pl.col("name"), pl.col("label"))
    return frame.select(AT, key.alias(PROFILE))


def _by_phone(users: Sequence[Row], wanted: pl.Series) -> pl.DataFrame:
    """Name each user by a wanted number in any spelling, and by all that it may be."""
    sought = tails_of(wanted)
    found = numbers_of(users, lambda tail: tail.is_in(sought[_END].implode()))
    like = found.join(sought, on=_END, how="inner")
    value = pl.col("value")
    mine = like.filter(value.is_null() | (value == value_of(pl.col(PROFILE))))
    return mine.select(AT, PROFILE, value.is_not_null().alias(_SURE))


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_row_index(AT)


def _text(user: Row, name: str) -> str | None:
    value: Any = user.get(name)
    return value if isinstance(value, str) else None
