"""
The one text that names a profile everywhere: in held values, outboxes and quarantine.

An external id stands for itself, as most profiles by far are named so. Any other identifier is its
kind and its value, with the sign U+001F between them, which no identifier may have:
``email␟ada@example.com``, ``alias␟LABEL␟NAME``. Equal texts are one identifier (law: rows that name
one profile fold together). An item of a catalog stands in the same place, as
``item␟CATALOG␟ID``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import polars as pl

from exchanger.braze.identifiers import SHARED, IdentifierKind
from exchanger.profiles.spelling.json_values import json_string

_MARK = "\x1f"


def profile_key(kind: IdentifierKind, value: pl.Expr, label: pl.Expr | None = None) -> pl.Expr:
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


def item_key(catalog: pl.Expr, item: pl.Expr) -> pl.Expr:
    """Build the keys of catalog items, which no profile has: ``item␟CATALOG␟ID``."""
    return pl.concat_str(pl.lit("item"), catalog, item, separator=_MARK)


def catalog_of(key: pl.Expr) -> pl.Expr:
    """Read the catalog of each key of an item."""
    return key.str.split(_MARK).list.get(1, null_on_oob=True)


def external_ids_among(keys: pl.Series) -> pl.Series:
    """Choose the keys that are external ids: what a segment export tells of."""
    return keys.filter(~keys.str.contains(_MARK, literal=True))


def parts_of(key: str) -> tuple[IdentifierKind, str, str]:
    """Read kind, identifier and label of one key; only an alias has a label."""
    if _MARK not in key:
        return "external_id", key, ""
    kind, *label, value = key.split(_MARK)
    return cast("IdentifierKind", kind), value, "".join(label)


def keys_of_user(user: Mapping[str, Any]) -> set[str]:
    """Name the external id and the aliases of an exported profile, as keys."""
    aliases = user.get("user_aliases") or []
    names = {
        _MARK.join(("alias", str(alias.get("alias_label")), str(alias.get("alias_name"))))
        for alias in aliases
        if isinstance(alias, dict)
    }
    own = user.get("external_id")
    return names | {own} if isinstance(own, str) else names


def other_keys_of_user(user: Mapping[str, Any]) -> set[str]:
    """Name the ``braze_id`` of an exported profile, its address and its number, as keys."""
    email = user.get("email")
    told = {"braze_id": user.get("braze_id"), "phone": user.get("phone")}
    told["email"] = email.lower() if isinstance(email, str) else None
    return {f"{kind}{_MARK}{value}" for kind, value in told.items() if isinstance(value, str)}


def kind_of(key: pl.Expr) -> pl.Expr:
    """Read the kind of each key."""
    kind = key.str.split_exact(_MARK, 1).struct.field("field_0")
    return (
        pl.when(key.str.contains(_MARK, literal=True)).then(kind).otherwise(pl.lit("external_id"))
    )


def value_of(key: pl.Expr) -> pl.Expr:
    """Read the identifier itself of each key; of an alias its name."""
    return key.str.split(_MARK).list.last()


def without_name(key: pl.Expr) -> pl.Expr:
    """Cut the names off keys of aliases: what is left is the same for all of one label."""
    return key.str.replace(f"{_MARK}[^{_MARK}]*$", "")


def with_name(key: pl.Expr, name: pl.Expr) -> pl.Expr:
    """Put another name into keys of aliases; null where a name is null."""
    return pl.concat_str(without_name(key), name, separator=_MARK)


def are_external_ids(keys: pl.Series) -> bool:
    """Check whether all keys are external ids, as mostly they are."""
    return not keys.str.contains(_MARK, literal=True).any()


def are_shared(keys: pl.Series) -> pl.Series:
    """Return which keys several profiles may have."""
    kind = keys.to_frame("key").select(kind_of(pl.col("key"))).to_series()
    return kind.is_in(list(SHARED))


def identifier_member(keys: pl.Series, *, plain: bool | None = None) -> pl.Expr:
    """
    Spell the member of a request's object that names each profile (braze-api.md 2.3).

    Args:
        keys: The column of keys that the expression will be about, by which the cheapest
            expression is chosen: mostly all of them are external ids.
        plain: Whether all of them are external ids, if that is known.
    """
    key = pl.col(keys.name)
    if are_external_ids(keys) if plain is None else plain:
        return pl.lit('"external_id":') + json_string(key)
    return identifier_of(key)


def identifier_of(key: pl.Expr) -> pl.Expr:
    """Spell the member that names each profile, whatever its identifier is (braze-api.md 2.3)."""
    own = pl.lit('"external_id":') + json_string(key)
    parts = key.str.split(_MARK)
    kind, value = parts.list.first(), json_string(parts.list.last())
    alias = pl.lit('"user_alias":') + alias_of(key)
    other = pl.concat_str(pl.lit('"'), kind, pl.lit('":'), value)
    named = pl.when(kind == "alias").then(alias).otherwise(other)
    return pl.when(parts.list.len() > 1).then(named).otherwise(own)


def alias_of(key: pl.Expr) -> pl.Expr:
    """Spell the object that an alias is in requests; of other keys it means nothing."""
    parts = key.str.split(_MARK)
    return pl.concat_str(
        pl.lit('{"alias_label":'),
        json_string(parts.list.get(1, null_on_oob=True)),
        pl.lit(',"alias_name":'),
        json_string(parts.list.last()),
        pl.lit("}"),
    )


def shown(key: pl.Expr) -> pl.Expr:
    """Write keys for people: an external id as it is, any other as ``email ada@example.com``."""
    return key.str.replace_all(_MARK, " ", literal=True)
