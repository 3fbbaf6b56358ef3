"""
What Braze's own attributes take, judged before anything is sent.

Braze accepts any value of them, bills it, and ignores what it does not take without a word
(braze-api.md 2.5). Only what it is documented to ignore is at fault. What it may map, like the name
of a country, passes; so do addresses and states of a subscription, which it refuses and tells.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import polars as pl

from exchanger.braze.attributes import GENDERS
from exchanger.profiles.casting.result import VALUE, CastResult, flag_faults
from exchanger.profiles.casting.times import ISO_DATE
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.json_values import fragment
from exchanger.profiles.spelling.placeholders import is_rounded
from exchanger.profiles.validation.codes import (
    COUNTRIES,
    COUNTRIES_BY_HABIT,
    LANGUAGES,
    LANGUAGES_BY_HABIT,
    ZONES_OF_RAILS,
)

_NOT_A_PHONE = "not_a_phone"
_FLOAT = r"^\+?[0-9]+\.0$"
"""A phone number that a program took for an amount. Braze would keep it, and call nobody."""
_DAYS = ("date", "datetime")
"""Types of which ``dob`` is sent as Braze takes it."""


def judge_standard(rule: Rule, result: CastResult) -> CastResult:
    """
    Find the values of a standard attribute that Braze would ignore.

    Args:
        rule: The field; custom attributes take anything.
        result: Its cells, cast to the type of the rule.

    Faults: ``not_a_gender``, ``not_a_language``, ``not_a_country``, ``not_a_time_zone``,
    ``not_a_birthday``, ``not_a_phone``.
    """
    if rule.name == "phone" and rule.type == "string":
        frame = result.values.to_frame("value")
        amount = is_rounded(VALUE) | VALUE.str.contains(_FLOAT)
        judged = flag_faults(frame, [(_NOT_A_PHONE, amount)])
        return CastResult(judged.values, judged.faults, result.dropped).over(result.faults)
    if rule.name not in _REFUSING or (rule.name == "dob" and rule.type in _DAYS):
        return result
    reason, refused = _REFUSING[rule.name]
    if rule.type == "list":
        frame = result.values.to_frame("value")
        return flag_faults(frame, [(reason, VALUE.is_not_null())]).over(result.faults)
    # Of each distinct value once: there are few, and zones go through Python.
    values = result.values.to_frame("value").filter(VALUE.is_not_null()).unique()
    texts = values.with_columns(_text(rule).alias("text"))
    bad = texts.filter(refused(texts["text"]).fill_null(value=True))["value"]
    if bad.is_empty():
        return result
    marks = result.values.to_frame("value").join(
        bad.to_frame().with_columns(bad=True), on="value", how="left", maintain_order="left"
    )
    judged = flag_faults(marks, [(reason, pl.col("bad"))])
    return CastResult(judged.values, judged.faults, result.dropped).over(result.faults)


def _text(rule: Rule) -> pl.Expr:
    """Take the text out of what would be sent; null where that is no text."""
    return VALUE if rule.type == "string" else fragment(rule, VALUE).str.extract(r'^"(.*)"$', 1)


def _not_a_language(texts: pl.Series) -> pl.Series:
    """Codes of two letters are known; Braze has its own of three, like fil, besides."""
    code = texts.str.to_lowercase()
    known = code.is_in(list(LANGUAGES | LANGUAGES_BY_HABIT))
    return ~(known | code.str.contains(r"^[a-z]{3}$"))


def _not_a_country(texts: pl.Series) -> pl.Series:
    """Only codes can be told: Braze maps names as best it can, and nobody knows which."""
    known = texts.str.to_uppercase().is_in(list(COUNTRIES | COUNTRIES_BY_HABIT))
    return ~known & (texts.str.contains(r"^[A-Za-z]{2}$") | ~texts.str.contains(r"\p{L}"))


def _not_a_time_zone(texts: pl.Series) -> pl.Series:
    known = [
        text is None or text in ZONES_OF_RAILS or _is_zone(text)  # polars lists no zones.
        for text in texts
    ]
    return ~pl.Series(known, dtype=pl.Boolean) | texts.is_null()


@lru_cache(maxsize=2_000)
def _is_zone(name: str) -> bool:
    """Return whether polars knows an IANA zone of this name; it takes offsets, too."""
    if not name[:1].isalpha():
        return False
    try:
        pl.Series([0], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(name)
    except pl.exceptions.PolarsError:
        return False
    return True


def _not_a_birthday(texts: pl.Series) -> pl.Series:
    day = texts.str.to_date("%Y-%m-%d", strict=False)
    return day.is_null() | ~texts.str.contains(ISO_DATE)


_REFUSING: dict[str, tuple[str, Callable[[pl.Series], pl.Series]]] = {
    "gender": ("not_a_gender", lambda texts: ~texts.is_in(GENDERS)),
    "language": ("not_a_language", _not_a_language),
    "country": ("not_a_country", _not_a_country),
    "time_zone": ("not_a_time_zone", _not_a_time_zone),
    "dob": ("not_a_birthday", _not_a_birthday),
}
"""The reason, and what finds the texts of an attribute that Braze ignores; null is no text."""

TAKES = frozenset(reason for reason, _ in _REFUSING.values()) | {_NOT_A_PHONE}
"""All reasons that are found here."""
