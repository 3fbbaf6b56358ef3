"""E-mail addresses and phone numbers that name a profile, each in one canonical form."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.casting.result import RAW, VALUE, CastResult, flag_faults

_LOCAL = r"[^\s@<>()\[\],;:\\\"]{1,64}"
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?"
_ADDRESS = rf"^{_LOCAL}@(?:{_LABEL}\.)+[\p{{L}}](?:[\p{{L}}\p{{N}}-]*[\p{{L}}\p{{N}}])$"
"""One address and nothing else: no name before it, no second one behind it."""
_NUMBER = r"^\+[0-9](?:[ ().\-/]*[0-9]){4,20}$"
"""A number with its country, and at most the signs between that people write."""
_FLOAT = r"^[^.]*\.0$"
"""A number that was a float on its way, whose last 0 is none of its digits: +49 30 123456.0."""


def canonical_emails(identifiers: CastResult) -> CastResult:
    """
    Write e-mail addresses in lower case, as Braze compares them so.

    Args:
        identifiers: Trimmed texts, with what is wrong with the others.

    Faults: ``bad_email``.
    """
    texts = identifiers.values
    frame = pl.DataFrame({"raw": texts, "value": texts.str.to_lowercase()})
    bad = VALUE.is_not_null() & ~VALUE.str.contains(_ADDRESS)
    return flag_faults(frame, [("bad_email", bad)]).over(identifiers.faults)


def canonical_phones(identifiers: CastResult) -> CastResult:
    """
    Write phone numbers as E.164: a plus, the country, the number, and nothing between.

    Whether there can be such a number is told by libphonenumber, as in Braze (braze-api.md 2.3).
    Without the country it may be anybody's: Braze would take ten digits for a number of the US.

    Args:
        identifiers: Trimmed texts, with what is wrong with the others.

    Faults: ``bad_phone``.
    """
    texts = identifiers.values
    frame = pl.DataFrame({"raw": texts, "value": e164(texts)})
    bad = RAW.is_not_null() & VALUE.is_null()
    return flag_faults(frame, [("bad_phone", bad)]).over(identifiers.faults)


def e164(texts: pl.Series) -> pl.Series:
    """Write phone numbers as E.164; null for what has no country, or is no number."""
    distinct = texts.drop_nulls().unique()
    like = distinct.filter(distinct.str.contains(_NUMBER) & ~distinct.str.contains(_FLOAT))
    forms = pl.Series([_e164(text) for text in like], dtype=pl.String)
    known = pl.DataFrame({"raw": like, "value": forms}).drop_nulls()
    frame = pl.DataFrame({"raw": texts}).join(known, on="raw", how="left", maintain_order="left")
    return frame["value"]


def _e164(text: str) -> str | None:
    # Loaded by jobs that need it alone: it brings the numbering plans of the world.
    from phonenumbers import (
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        is_valid_number,
        parse,
    )

    try:
        number = parse(text)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None
