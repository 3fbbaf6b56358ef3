"""
Finds whom keys that are no external ids mean, in an export of any size.

What is sought is remembered as marks at places that a hash names, so that memory does not grow with
the keys: a few others pass for sought, too, which costs disk alone, as whoever reads what was found
knows the keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from exchanger.braze.identifiers import KINDS, IdentifierKind
from exchanger.profiles.exported.lines import Row
from exchanger.profiles.exported.named import (
    AT,
    PERSON,
    TAIL,
    named_by,
    numbers_of,
    tails_of,
    with_person,
)
from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.spelling.profile_key import kind_of, profile_key

_PLACES = 1 << 27
"""They take 16 MB. Beside a million sought keys one other in 130 passes for sought, too."""
_PEOPLE = 2
"""So many have one key that several have."""


class SoughtKeys:
    """
    The keys that are sought, and which of them may be somebody's number without its country.

    Args:
        places: How many places there are for marks; beside fewer, more others pass for sought.
    """

    def __init__(self, places: int = _PLACES) -> None:
        self._places = places
        self.kinds: set[IdentifierKind] = set()
        self._keys, self._tails, self._open = (_marks(0) for _ in range(3))

    def add(self, keys: pl.Series) -> None:
        """Seek some more keys; those that no profile can have are left out."""
        kinds = keys.to_frame(PROFILE).select(kind_of(pl.col(PROFILE)).unique()).to_series()
        found: set[IdentifierKind] = {kind for kind in KINDS[1:] if kind in kinds}
        if found and not self.kinds:
            self._keys = _marks(self._places)
            self._tails, self._open = _marks(10**TAIL), _marks(10**TAIL)
        if found:
            self.kinds |= found
            self._keys = self._keys.scatter(keys.hash() % self._places, values=True)
            self._tails = self._tails.scatter(_places(tails_of(keys)), values=True)

    def has(self, keys: pl.Series) -> pl.Series:
        """Return which keys are sought, or pass for it."""
        if not self.kinds:
            return pl.repeat(False, keys.len(), dtype=pl.Boolean, eager=True)
        return self._keys.gather(keys.hash() % self._places)

    def keys_of(self, users: Sequence[Row]) -> pl.DataFrame:
        """
        Choose the users that sought keys mean, at most two of each key.

        Numbers without a country are remembered, for *open_among*.

        Returns:
            As ``keys_of_users`` gives them, but of certain keys alone.
        """
        found = [pl.DataFrame(schema={AT: pl.UInt32, PROFILE: pl.String})]
        for kind in sorted(self.kinds):
            some = self._by_phone(users) if kind == "phone" else named_by(users, kind)
            found.append(some)
        named = pl.concat(found).drop_nulls()
        named = named.filter(self.has(named[PROFILE]))
        people = with_person(named, users).unique([PROFILE, PERSON], maintain_order=True)
        return people.filter(pl.int_range(pl.len()).over(PROFILE) < _PEOPLE)

    def open_among(self, keys: pl.Series) -> pl.DataFrame:
        """Choose the keys that may be somebody's number: ``@profile``, and ``@person``, null."""
        numbers = tails_of(keys)
        may_be = numbers.filter(self._open.gather(_places(numbers)))
        return may_be.select(PROFILE, pl.lit(None, pl.String).alias(PERSON))

    def _by_phone(self, users: Sequence[Row]) -> pl.DataFrame:
        def is_sought(tail: pl.Expr) -> pl.Expr:
            return tail.cast(pl.UInt32).map_batches(self._tails.gather, pl.Boolean)

        numbers = numbers_of(users, is_sought)
        countryless = numbers.filter(pl.col("value").is_null())
        self._open = self._open.scatter(_places(countryless), values=True)
        return numbers.select(AT, profile_key("phone", pl.col("value")).alias(PROFILE))


def _marks(places: int) -> pl.Series:
    return pl.repeat(False, places, dtype=pl.Boolean, eager=True)


def _places(numbers: pl.DataFrame) -> pl.Series:
    """Read the last digits of numbers as their place."""
    return numbers["tail"].cast(pl.UInt32)
