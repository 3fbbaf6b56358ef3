"""Gates: rows count only for profiles of which Braze has one of some values (``only_if``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from exchanger.profiles.frames.columns import EXISTS, PROFILE
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import canonical_json, spell_json


class Gate(NamedTuple):
    """A field, and the values (canonical texts) of those who pass."""

    field: str
    values: tuple[str, ...]


def gates_of(only_if: Mapping[str, Sequence[str | int | float | bool]]) -> tuple[Gate, ...]:
    """Spell the values of gates as held values are."""
    return tuple(
        Gate(name, tuple(canonical_json(pl.Series([spell_json(one) for one in values]))))
        for name, values in only_if.items()
    )


def unknown_gates(folded: pl.DataFrame, known: pl.DataFrame, gates: Sequence[Gate]) -> pl.DataFrame:
    """
    Name what must be looked up before it is known who passes.

    Args:
        folded: One row for each profile.
        known: What is held of them.
        gates: All of them.

    Returns:
        ``@profile`` and ``field``, as ``reconcile.needs_lookup`` does.
    """
    beside = _beside(folded, known, gates)
    unseen = pl.col(EXISTS).fill_null(value=True)
    frames = [
        beside.filter(unseen & _value(gate).is_null()).select(
            PROFILE, pl.lit(gate.field).alias("field")
        )
        for gate in gates
    ]
    return pl.concat([pl.DataFrame(schema={PROFILE: pl.String, "field": pl.String}), *frames])


def shut_out(folded: pl.DataFrame, held: pl.DataFrame, gates: Sequence[Gate]) -> pl.Series:
    """
    Name the profiles that do not pass: another value, none at all, or no such profile.

    Args:
        folded: One row for each profile.
        held: What is held of them, with what was looked up.
        gates: All of them; with none, everybody passes.
    """
    if not gates:
        return folded[PROFILE].clear()
    passes = [_value(gate).is_in(gate.values).fill_null(value=False) for gate in gates]
    there = pl.col(EXISTS).fill_null(value=True)
    return _beside(folded, held, gates).filter(~(there & pl.all_horizontal(passes)))[PROFILE]


def _beside(folded: pl.DataFrame, held: pl.DataFrame, gates: Sequence[Gate]) -> pl.DataFrame:
    kept = [gate.field for gate in gates if gate.field in held.columns]
    own = held.select(PROFILE, EXISTS, *(pl.col(name).alias(_seen(name)) for name in kept))
    missing = [gate.field for gate in gates if gate.field not in kept]
    return (
        folded.select(PROFILE)
        .join(own, on=PROFILE, how="left", maintain_order="left")
        .with_columns(pl.lit(None, pl.String).alias(_seen(name)) for name in missing)
    )


def _value(gate: Gate) -> pl.Expr:
    text = pl.col(_seen(gate.field))
    return pl.when(text != UNCERTAIN).then(text)


def _seen(name: str) -> str:
    return f"@gate:{name}"
