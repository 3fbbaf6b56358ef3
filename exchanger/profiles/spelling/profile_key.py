"""
The one text that names a profile everywhere: in held values, outboxes and quarantine.

An external id stands for itself, as most profiles by far are named so. Any other identifier is its
kind and its value, with the sign U+001F between them, which no identifier may have:
``email␟ada@example.com``, ``alias␟LABEL␟NAME``. Equal texts are one identifier (law: rows that name
one profile fold together).
"""

from __future__ import annotations

from typing import Literal, get_args

import polars as pl

from exchanger.profiles.spelling.json_values import json_string

KeyKind = Literal["external_id", "braze_id", "alias", "email", "phone"]
KEY_KINDS: tuple[KeyKind, ...] = get_args(KeyKind)
"""What can name a profile (braze-api.md 2.3)."""

_MARK = "\x1f"


def profile_key(kind: KeyKind, value: pl.Expr, label: pl.Expr | None = None) -> pl.Expr:
    """
    Build the keys of identifiers in their canonical form; null where a value is null.

    Args:
        kind: What they are.
        value: The identifiers; of an alias its name.
        label: Of an alias; others have none.
    """
    if kind == "external_id":
        return value
    parts = [value] if label is None else [label, value]
    return pl.concat_str(pl.lit(kind), *parts, separator=_MARK)


def kind_of(key: pl.Expr) -> pl.Expr:
    """Read the kind of each key."""
    kind = key.str.split_exact(_MARK, 1).struct.field("field_0")
    return (
        pl.when(key.str.contains(_MARK, literal=True)).then(kind).otherwise(pl.lit("external_id"))
    )


def value_of(key: pl.Expr) -> pl.Expr:
    """Read the identifier itself of each key; of an alias its name."""
    return key.str.split(_MARK).list.last()


def identifier_member(keys: pl.Series) -> pl.Expr:
    """
    Spell the member of a request's object that names each profile (braze-api.md 2.3).

    Args:
        keys: The column of keys that the expression will be about, by which the cheapest
            expression is chosen: mostly all of them are external ids.
    """
    key = pl.col(keys.name)
    plain = pl.lit('"external_id":') + json_string(key)
    if not keys.str.contains(_MARK, literal=True).any():
        return plain
    parts = key.str.split(_MARK)
    kind, value = parts.list.first(), json_string(parts.list.last())
    alias = pl.concat_str(
        pl.lit('"user_alias":{"alias_label":'),
        json_string(parts.list.get(1, null_on_oob=True)),
        pl.lit(',"alias_name":'),
        value,
        pl.lit("}"),
    )
    other = pl.concat_str(pl.lit('"'), kind, pl.lit('":'), value)
    named = pl.when(kind == "alias").then(alias).otherwise(other)
    return pl.when(parts.list.len() > 1).then(named).otherwise(plain)


def shown(key: pl.Expr) -> pl.Expr:
    """Write keys for people: an external id as it is, any other as ``email ada@example.com``."""
    return key.str.replace_all(_MARK, " ", literal=True)
