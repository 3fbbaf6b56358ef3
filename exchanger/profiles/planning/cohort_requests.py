"""
Requests that change a cohort of a partner (braze-api.md 11).

An outbox has an object for each person, as of attributes: a change of this one alone. Braze wants
those who come together, and those who leave, each by the kind of identifier. Its keys are put in
when a request is sent, so that no outbox holds them.
"""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from exchanger.profiles.spelling.json_values import json_string
from exchanger.profiles.spelling.profile_key import alias_of, kind_of, value_of

LEAVES = "should_remove"
"""The person leaves the cohort."""
_NAMED_BY = ("user_ids", "aliases")


def named_in_cohort(key: pl.Expr) -> pl.Expr:
    """Spell the member of a change that names each person: by external id, or by alias."""
    alias = pl.concat_str(pl.lit('"aliases":['), alias_of(key), pl.lit("]"))
    own = pl.concat_str(pl.lit('"user_ids":['), json_string(value_of(key)), pl.lit("]"))
    return pl.when(kind_of(key) == "alias").then(alias).otherwise(own)


def body_of_cohort(members: bytes | memoryview) -> bytes:
    """
    Build a request to ``/partners/PARTNER/cohorts/users``, without its keys.

    Args:
        members: JSON objects with commas in between.
    """
    found = orjson.loads(b"".join((b"[", members, b"]")))
    come, leave = (
        _people([one for one in found if one.get(LEAVES, False) is left]) for left in (False, True)
    )
    changes = [come] if come else []
    changes += [leave | {LEAVES: True}] if leave else []
    return orjson.dumps({"cohort_changes": changes})


def _people(changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Bring those whom changes name together, by what names them."""
    named = ((key, [who for one in changes for who in one.get(key, ())]) for key in _NAMED_BY)
    return {key: people for key, people in named if people}
