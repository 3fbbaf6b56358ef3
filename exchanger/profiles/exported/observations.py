"""
Profiles as Braze exports them become held values.

A key that is missing from an exported profile is empty (braze-api.md 4.5), if it was asked for.
A standard attribute stands at the top of the profile, a custom one in ``custom_attributes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from exchanger.braze.attributes import NOT_EXPORTED, STANDARD
from exchanger.profiles.frames.columns import EXISTS, PROFILE
from exchanger.profiles.spelling.json_values import EMPTY, canonical_string, spell_json

CUSTOM_ATTRIBUTES = "custom_attributes"

_EMPTY_TEXTS = ("[]", "{}")


def fields_to_export(fields: Iterable[str]) -> list[str]:
    """Name what to ask Braze for, so that the fields can be observed; ``external_id`` is first."""
    asked = [
        name if name in STANDARD else CUSTOM_ATTRIBUTES
        for name in fields
        if name not in NOT_EXPORTED
    ]
    return list(dict.fromkeys(["external_id", *asked]))


def held_form(
    profiles: Sequence[Mapping[str, Any]], absent: Iterable[str], fields: list[str]
) -> pl.DataFrame:
    """
    Turn exported profiles into rows of the held frame.

    Args:
        profiles: Exported profiles with an ``external_id``; the first of each is taken.
        absent: Identifiers that Braze does not know.
        fields: The fields that were asked for.

    Returns:
        ``@profile``, ``@exists`` and one canonical column per field: ``null`` as text is known to
        be empty. A field that Braze does not export is null, that is unknown, unless the profile
        does not exist.
    """
    missing = list(absent)
    columns: dict[str, pl.Series] = {
        PROFILE: pl.Series([*(p["external_id"] for p in profiles), *missing], dtype=pl.String),
        EXISTS: pl.Series([True] * len(profiles) + [False] * len(missing), dtype=pl.Boolean),
    }
    for name in fields:
        observed = [_observed(profile, name) for profile in profiles]
        columns[name] = pl.Series([*observed, *[EMPTY] * len(missing)], dtype=pl.String)
    frame = pl.DataFrame(columns).unique(PROFILE, keep="first", maintain_order=True)
    return frame.with_columns(canonical_string(name, pl.col(name)).alias(name) for name in fields)


def _observed(profile: Mapping[str, Any], name: str) -> str | None:
    if name in NOT_EXPORTED:
        return None
    place = profile if name in STANDARD else profile.get(CUSTOM_ATTRIBUTES) or {}
    value = place.get(name)
    if isinstance(value, str) and not value.strip():
        return EMPTY
    text = spell_json(value)
    return EMPTY if text in _EMPTY_TEXTS else text
