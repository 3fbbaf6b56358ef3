"""Profiles from files and frames, to fill a workspace before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from exchanger.sandbox.json_text import JsonNumber, parse
from exchanger.sandbox.times import spell

_FRAME_SUFFIXES = frozenset({".parquet", ".csv"})
_LINE_SUFFIXES = frozenset({".ndjson", ".jsonl", ".json"})


def rows_of(source: Any) -> Iterator[dict[str, Any]]:
    """
    The attributes objects of a source.

    Args:
        source: Path of a Parquet, CSV or NDJSON file; a polars frame; or an iterable of mappings.
            The column ``external_id`` names the profile, standard fields and custom attributes
            are named as in Braze, nulls say nothing.

    Raises:
        ValueError: The file is of another kind.
    """
    if isinstance(source, str | Path):
        yield from _rows_of_file(Path(source))
    elif hasattr(source, "iter_rows"):
        yield from map(_as_json, source.iter_rows(named=True))
    else:
        yield from map(_as_json, source)


def _rows_of_file(path: Path) -> Iterable[dict[str, Any]]:
    ending = path.suffix.lower()
    if ending in _LINE_SUFFIXES:
        with path.open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield parse(line)
    elif ending in _FRAME_SUFFIXES:
        import polars as pl

        if ending == ".parquet":
            frame = pl.read_parquet(path)
        else:
            frame = pl.read_csv(
                path,
                schema_overrides={"external_id": pl.String, "phone": pl.String},
                infer_schema_length=None,
            )
        yield from map(_as_json, frame.iter_rows(named=True))
    else:
        raise ValueError(f"{path.name} is neither Parquet, CSV nor NDJSON")


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_json(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(member) for member in value]
    if isinstance(value, Decimal):
        return JsonNumber(format(value, "f"))
    if isinstance(value, datetime):
        return spell(value if value.tzinfo else value.replace(tzinfo=UTC))
    return value.isoformat() if isinstance(value, date) else value
