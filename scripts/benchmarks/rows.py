"""Seeded profiles: as many as wanted, always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

SEED = 20_260_915
FIELDS = 10
"""Fields of a profile, unless told otherwise."""

MIXED = 10
"""Columns of *mixed*, beside the identifier."""

_WORDS = ["amber", "birch", "coral", "dune", "ember", "fern", "grove", "heron", "iris", "jade"]


def profiles(count: int, fields: int = FIELDS, *, seed: int = SEED, first: int = 0) -> pl.DataFrame:
    """
    Make profiles, numbered from *first*.

    Returns:
        ``id`` and *fields* columns ``f00`` and so on: by turns text, an integer, a decimal in
        hundredths as a float, a boolean and a date.
    """
    random = np.random.default_rng(seed + first)
    makers = (_texts, _integers, _hundredths, _booleans, _dates)
    columns = [
        makers[number % len(makers)](random, count).alias(f"f{number:02}")
        for number in range(fields)
    ]
    ids = pl.select(
        pl.format("user-{}", pl.int_range(first, first + count).cast(pl.String).str.zfill(9))
    )
    return pl.DataFrame([ids.to_series().alias("id"), *columns])


def mixed(count: int, *, listed: bool = True, seed: int = SEED) -> pl.DataFrame:
    """
    Make profiles as programs export them: ``id``, and ``MIXED`` columns of many kinds.

    Args:
        count: How many.
        listed: Lists are lists, rather than text with bars in between.
        seed: Of the random numbers.
    """
    random = np.random.default_rng(seed)
    at = {name: _times(random, count) for name in ("seen", "bought", "updated", "since")}
    words = _words(random, count), _words(random, count), _words(random, count)
    tags = pl.concat_list(*words).list.head(pl.int_range(pl.len()) % 4)
    return pl.DataFrame({"number": pl.int_range(count, eager=True)}).select(
        pl.format("user-{}", pl.col("number").cast(pl.String).str.zfill(9)).alias("id"),
        _texts(random, count).alias("name"),
        _texts(random, count).alias("note"),
        pl.lit(at["seen"]).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").alias("seen"),
        pl.lit(at["bought"]).dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("bought"),
        pl.lit(at["updated"]).dt.strftime("%Y-%m-%d %H:%M:%S").alias("updated"),
        pl.lit(at["since"]).dt.strftime("%Y-%m-%d").alias("since"),
        (tags if listed else tags.list.join("|")).alias("tags"),
        pl.lit(_hundredths(random, count)).cast(pl.String).cast(pl.Decimal(14, 2)).alias("amount"),
        pl.lit(_integers(random, count)).alias("visits"),
        pl.lit(_booleans(random, count)).alias("member"),
    )


def changed(frame: pl.DataFrame, share: float) -> pl.DataFrame:
    """Change every field of a share of the profiles, evenly spread."""
    every = round(1 / share)
    chosen = pl.int_range(pl.len()) % every == 0
    return frame.with_columns(
        pl.when(chosen).then(_other(name, dtype)).otherwise(pl.col(name)).alias(name)
        for name, dtype in frame.schema.items()
        if name != "id"
    )


def write(frame: pl.DataFrame, path: Path) -> Path:
    """Write a file in the format that its name tells."""
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".ndjson":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path)
    return path


def import_job(fields: int = FIELDS, **more: object) -> dict[str, object]:
    """Configure an import that sets every field."""
    return {
        "type": "import",
        "source": {"prefix": "inbox/"},
        "match": [{"external_id": "id"}],
        "fields": {f"f{number:02}": "set" for number in range(fields)},
        **more,
    }


def _texts(random: np.random.Generator, count: int) -> pl.Series:
    first, second = random.integers(0, len(_WORDS), (2, count))
    number = random.integers(0, 100_000, count)
    words = pl.Series(_WORDS)
    frame = pl.DataFrame(
        [words[first].alias("a"), words[second].alias("b"), pl.Series("n", number)]
    )
    return frame.select(pl.format("{} {} {}", "a", "b", "n")).to_series()


def _words(random: np.random.Generator, count: int) -> pl.Expr:
    return pl.lit(pl.Series(_WORDS)[random.integers(0, len(_WORDS), count)])


def _times(random: np.random.Generator, count: int) -> pl.Series:
    return pl.Series(random.integers(1_500_000_000_000, 1_760_000_000_000, count)).cast(
        pl.Datetime("ms")
    )


def _integers(random: np.random.Generator, count: int) -> pl.Series:
    return pl.Series(random.integers(0, 1_000_000, count))


def _hundredths(random: np.random.Generator, count: int) -> pl.Series:
    return pl.Series(random.integers(0, 1_000_000, count) / 100)


def _booleans(random: np.random.Generator, count: int) -> pl.Series:
    return pl.Series(random.integers(0, 2, count) == 1)


def _dates(random: np.random.Generator, count: int) -> pl.Series:
    return pl.Series(random.integers(10_000, 20_000, count)).cast(pl.Int32).cast(pl.Date)


def _other(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if dtype == pl.Boolean:
        return ~value
    if dtype == pl.String:
        return value + " changed"
    if dtype == pl.Date:
        return value.dt.offset_by("1d")
    # In text, another number of places would be another type.
    return (value + 1).round(2) if dtype.is_float() else value + 1
