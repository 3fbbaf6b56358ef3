"""
Profiles as Braze exports them become held values: of look-ups, and of entire segment exports.

A look-up is about fifty profiles, a segment export about millions: the first goes profile by
profile, the second column by column, and both hold the same.

A key that is missing from an exported profile is empty (braze-api.md 4.5), if it was asked for.
A standard attribute stands at the top of the profile, a custom one in ``custom_attributes``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import polars as pl

from exchanger.braze.attributes import NOT_EXPORTED, STANDARD
from exchanger.braze.identifiers import IdentifierKind
from exchanger.braze.limits import ATTRIBUTES_PER_EXPORT
from exchanger.profiles.exported.cells import cells, json_texts, needs_escape, no_cells
from exchanger.profiles.exported.lines import Row, parse_users
from exchanger.profiles.exported.selection import (
    BRAZE_ID,
    CUSTOM,
    FieldsToExport,
    Selection,
)
from exchanger.profiles.frames.columns import EXISTS, IDENTIFIED, NAMES, PROFILE
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.spelling.json_values import (
    EMPTY,
    canonical_json,
    canonical_string,
    json_string,
    spell_json,
    spell_numbers,
)
from exchanger.profiles.spelling.profile_key import names_of_user, person_of_user

_EXTERNAL_ID = "external_id"
_ALIASES = "user_aliases"
_TOLD_BY: Mapping[IdentifierKind, str] = {
    "braze_id": BRAZE_ID,
    "alias": _ALIASES,
    "email": "email",
    "phone": "phone",
}
# Canonical already: words, and text without escapes, alone or in a list.
_PLAIN = r'^(?:null|true|false|"[^"\\]*"|\["[^"\\]*"(?:,"[^"\\]*")*\])$'
_NUMBER = r"^-?[0-9]"
_NOTHING = r'^(?:"(?:\s|\\u000[9a-d])*"|\[\]|\{\})$'
_BLANK = r"^\s*$"
_EMPTY_TEXTS = ("[]", "{}")
_OF_KEYS = (IDENTIFIED, NAMES)
"""What is no attribute: to whom keys belong, and which other keys they have."""


def fields_to_export(fields: Collection[str]) -> list[str]:
    """Name what to ask Braze for, so that the fields can be observed; ``external_id`` is first."""
    asked = [
        name if name in STANDARD else CUSTOM
        for name in fields
        if name not in NOT_EXPORTED and name not in _OF_KEYS
    ]
    named = [_ALIASES] if IDENTIFIED in fields else []
    named += [BRAZE_ID, "email", "phone"] if NAMES in fields else []
    return list(dict.fromkeys([_EXTERNAL_ID, *named, *asked]))


def held_form(
    profiles: Mapping[str, Mapping[str, Any]],
    absent: Iterable[str],
    fields: list[str],
    ambiguous: Iterable[str] = (),
) -> pl.DataFrame:
    """
    Turn exported profiles into rows of the held frame.

    Args:
        profiles: Exported profiles, each by its key.
        absent: Keys that Braze does not know.
        fields: The fields that were asked for; ``@identified`` and ``@names`` may be among them.
        ambiguous: Keys that several profiles have.

    Returns:
        ``@profile``, ``@exists`` and one canonical column per field: ``null`` as text is known to
        be empty. A field that Braze does not export is null, that is unknown, unless the profile
        does not exist. Of an ambiguous key all is null.
    """
    missing, several = list(absent), list(ambiguous)
    exists = [True] * len(profiles) + [False] * len(missing) + [None] * len(several)
    columns: dict[str, pl.Series] = {
        PROFILE: pl.Series([*profiles, *missing, *several], dtype=pl.String),
        EXISTS: pl.Series(exists, dtype=pl.Boolean),
    }
    for name in fields:
        if name == NAMES:
            lists = [names_of_user(profile) for profile in profiles.values()]
            lists += [[]] * (len(missing) + len(several))
            columns[name] = pl.Series(lists, dtype=pl.List(pl.String))
            continue
        observed = [_observed(key, profile, name) for key, profile in profiles.items()]
        texts = [*observed, *[EMPTY] * len(missing), *[None] * len(several)]
        columns[name] = pl.Series(texts, dtype=pl.String)
    frame = pl.DataFrame(columns).unique(PROFILE, keep="first", maintain_order=True)
    return frame.with_columns(
        canonical_string(name, pl.col(name)).alias(name) for name in fields if name not in _OF_KEYS
    )


def _observed(key: str, profile: Mapping[str, Any], name: str) -> str | None:
    if name in NOT_EXPORTED:
        return None
    if name == IDENTIFIED:
        return spell_json(person_of_user(profile, key))
    place = profile if name in STANDARD else profile.get(CUSTOM) or {}
    value = place.get(name)
    if isinstance(value, str) and not value.strip():
        return EMPTY
    text = spell_json(value)
    return EMPTY if text in _EMPTY_TEXTS else text


def fields_of_export(fields: list[str], kinds: Collection[IdentifierKind] = ()) -> FieldsToExport:
    """
    Name what to ask of a segment export, so that fields can be observed.

    All custom attributes are asked for where there are too many to name.

    Args:
        fields: Attributes.
        kinds: What else names people beside an ``external_id``; then also ``braze_id``, which tells
            them apart, and aliases, one of which stands for who has no ``external_id``.
    """
    wanted = [name for name in fields if name not in NOT_EXPORTED]
    standard = [name for name in wanted if name in STANDARD]
    custom = [name for name in wanted if name not in STANDARD]
    everything = [CUSTOM] if len(custom) > ATTRIBUTES_PER_EXPORT else []
    others = {_TOLD_BY[kind] for kind in kinds if kind != "external_id"}
    named = {
        _EXTERNAL_ID,
        *standard,
        *everything,
        *others,
        *([BRAZE_ID, _ALIASES] if others else ()),
    }
    return FieldsToExport(tuple(sorted(named)), () if everything else tuple(sorted(custom)))


def held_users(lines: list[bytes], key: str, fields: list[str]) -> pl.DataFrame:
    """
    Turn lines of an export into rows of the held frame.

    Args:
        lines: One user each; those without an ``external_id`` are left out.
        key: The archive, for messages.
        fields: Fields that were asked for.

    Returns:
        As ``held_form`` gives for the same users.

    Raises:
        FileRejected: A line is no JSON object (``not_a_user``).
    """
    return identified(parse_users(lines, key), fields)


def identified(users: list[Row], fields: list[str]) -> pl.DataFrame:
    """Turn exported users that have an ``external_id`` into rows, as *held_users* does."""
    named = [user for user in users if isinstance(user.get(_EXTERNAL_ID), str)]
    profiles = pl.Series([user[_EXTERNAL_ID] for user in named], dtype=pl.String)
    return held_under(profiles, named, fields).unique(PROFILE, keep="first", maintain_order=True)


def held_under(keys: pl.Series, users: list[Row], fields: list[str]) -> pl.DataFrame:
    """
    Turn exported users into rows of the held frame, each under a key.

    Args:
        keys: As many as users.
        users: As ``parse_users`` gives them.
        fields: Fields that were asked for; ``@identified`` and ``@names`` may be among them.
    """
    attributes: list[dict[str, Any]] = [user.get(CUSTOM) or {} for user in users]
    columns = {PROFILE: keys, EXISTS: pl.Series([True] * len(users), dtype=pl.Boolean)}
    for name in fields:
        if name == IDENTIFIED:
            ids = [_observed(*one, name) for one in zip(keys, users, strict=True)]
            columns[name] = pl.Series(ids, dtype=pl.String)
            continue
        if name == NAMES:
            lists = [names_of_user(user) for user in users]
            columns[name] = pl.Series(lists, dtype=pl.List(pl.String))
            continue
        places = users if name in STANDARD else attributes
        columns[name] = held_texts(name, cells([place.get(name) for place in places]))
    return pl.DataFrame(columns)


def held_texts(name: str, kept: pl.Series) -> pl.Series:
    """
    Spell exported values of an attribute as held values.

    Args:
        name: The attribute.
        kept: Its cells; null: the key was missing.

    Returns:
        Canonical texts, ``null`` as text for what is empty; null where nothing can be known, as no
        export gives the attribute back, or it holds a number that no profile could.
    """
    if name in NOT_EXPORTED:
        return pl.Series([None] * len(kept), dtype=pl.String)
    if kept.dtype == pl.Binary:
        return _canonical_strings(name, _held_json(json_texts(kept)))
    if kept.dtype == pl.String:
        return _canonical_strings(name, _held_strings(kept))
    texts = json_texts(kept).fill_null(EMPTY)
    return spell_numbers(texts) if kept.dtype == pl.Float64 else texts


def _canonical_strings(name: str, texts: pl.Series) -> pl.Series:
    return texts.to_frame("text").select(canonical_string(name, pl.col("text"))).to_series()


def _held_strings(texts: pl.Series) -> pl.Series:
    text = pl.col("text")
    quoted = json_string(text) if needs_escape(texts) else filled('"{}"', text)
    held = pl.when(text.str.contains(_BLANK)).then(pl.lit(EMPTY)).otherwise(quoted)
    return texts.to_frame("text").select(held.fill_null(EMPTY).alias("text")).to_series()


def _held_json(texts: pl.Series) -> pl.Series:
    given = texts.fill_null(EMPTY)
    plain, numbers = given.str.contains(_PLAIN), given.str.contains(_NUMBER)
    spelt = given.clone()
    for kind, spell in ((numbers, spell_numbers), (~(plain | numbers), canonical_json)):
        if kind.any():
            spelt = spelt.scatter(kind.arg_true(), spell(given.filter(kind)))
    text = pl.col("text")
    nothing = pl.when(text.str.contains(_NOTHING)).then(pl.lit(EMPTY)).otherwise(text)
    return spelt.to_frame("text").select(nothing.alias("text")).to_series()


def attribute_columns(selection: Selection, remaining: Mapping[str, str]) -> dict[str, str]:
    """
    Return which columns of a dataset hold an entire attribute each.

    Args:
        selection: The named columns. What holds a part of an attribute, or might, is left out.
        remaining: Custom attributes and their columns.

    Returns:
        Attribute to column, without ``external_id``.
    """
    found = dict(remaining)
    for column in selection.columns:
        if not column.inner and column.field in STANDARD - NOT_EXPORTED:
            found[column.field] = column.name
        elif column.field == CUSTOM and column.inner and "." not in column.inner:
            found[column.inner] = column.name
    return found


def id_column(selection: Selection) -> str | None:
    """Name the column of a dataset that holds the ``external_id``; None if there is none."""
    return next((c.name for c in selection.columns if c.path == _EXTERNAL_ID), None)


def held_columns(kept: pl.DataFrame, ids: str, columns: Mapping[str, str]) -> pl.DataFrame:
    """
    Turn exported values into rows of the held frame.

    Args:
        kept: As ``LineReader`` gives them; a column that is absent was empty everywhere.
        ids: The column of the ``external_id``; rows without one are left out.
        columns: Attribute to column.

    Returns:
        As ``held_users`` gives for the same users.
    """
    profiles = _identifiers(kept[ids])
    known = profiles.is_not_null()
    if not known.all():
        kept, profiles = kept.filter(known), profiles.filter(known)
    empty = no_cells(kept.height)
    observed = {
        name: held_texts(name, kept[column] if column in kept.columns else empty)
        for name, column in columns.items()
    }
    exists = pl.Series([True], dtype=pl.Boolean).new_from_index(0, kept.height)
    return pl.DataFrame({PROFILE: profiles, EXISTS: exists, **observed}).unique(
        PROFILE, keep="first", maintain_order=True
    )


def _identifiers(kept: pl.Series) -> pl.Series:
    """Take the identifiers that are text; null for any other, which no import could name."""
    if kept.dtype == pl.String:
        return kept
    texts = json_texts(kept)
    text = pl.when(pl.col(texts.name).str.starts_with('"')).then(pl.col(texts.name))
    return texts.to_frame().select(text.str.json_decode(pl.String)).to_series()
