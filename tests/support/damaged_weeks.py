"""Weekly files of real purchases in which every tenth row is damaged, in the ways of real files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from itertools import cycle

import polars as pl

from support.households import COLUMNS

HOUSEHOLD, STORE, QUANTITY, VALUE, TIME = COLUMNS
Row = dict[str, str]


def _with(column: str, text: str) -> Callable[[Row], Row]:
    return lambda row: {**row, column: text}


WAYS: list[tuple[str, Callable[[Row], Row]]] = [
    ("placeholder", _with(HOUSEHOLD, "null")),
    ("placeholder", _with(HOUSEHOLD, "#N/A")),
    ("placeholder", _with(HOUSEHOLD, "[object Object]")),
    ("rounded_identifier", _with(HOUSEHOLD, "4.91725E+12")),
    (
        "invisible_sign",
        lambda row: {**row, HOUSEHOLD: f"{row[HOUSEHOLD][0]}\u200b{row[HOUSEHOLD]}"},
    ),
    ("invisible_sign", lambda row: {**row, HOUSEHOLD: f"{row[HOUSEHOLD][0]}\xa0{row[HOUSEHOLD]}"}),
    ("no_identifier", _with(HOUSEHOLD, "")),
    ("header_again", _with(HOUSEHOLD, HOUSEHOLD.upper())),
    ("not_a_number", _with(VALUE, "\uff11\uff12\uff13")),
    ("not_a_number", _with(VALUE, "n/a")),
    ("not_a_number", _with(VALUE, "12.50 USD")),
    ("rounded_number", _with(VALUE, "4.91725E+07")),
    ("too_many_places", _with(VALUE, "1.005")),
    ("not_finite", _with(VALUE, "NaN")),
    ("not_an_integer", _with(QUANTITY, "1.5")),
    ("not_an_integer", _with(QUANTITY, "\u0661\u0662")),
    ("integer_too_big", _with(QUANTITY, "9223372036854775808")),
    ("day_or_month", _with(TIME, "25/12/2017")),
    ("day_or_month", _with(TIME, "05/04/2017")),
    ("not_a_time", _with(TIME, "soon")),
    ("printed_list", _with(STORE, "{367,400}")),
    ("invalid_json", _with(STORE, "['367', '400']")),
]
"""The reason, and what is done to the row."""
CURED: list[Callable[[Row], Row]] = [
    lambda row: {**row, HOUSEHOLD: f'="{row[HOUSEHOLD]}"'},
    lambda row: {**row, HOUSEHOLD: f"{row[HOUSEHOLD]}.0"},
    lambda row: {**row, VALUE: f"{row[VALUE]}E0"},
    lambda row: {**row, QUANTITY: f" {row[QUANTITY]} "},
]
"""What is odd in a row, and means the same."""
BROKEN = 20
"""Each so manieth damaged row is no row at all."""


def damaged_week(rows: pl.DataFrame, week: int) -> tuple[str, bytes, dict[int, str], pl.DataFrame]:
    """
    Write a week as CSV, NDJSON or Parquet, whichever is its turn.

    Returns:
        The key, the content, the reason for each row that must be rejected, and the good rows.
    """
    form = ("parquet", "csv", "ndjson")[week % 3]
    texts = _as_text(rows.select(COLUMNS))
    ways, cures = cycle(WAYS), cycle(CURED)
    written: list[Row | None] = texts.to_dicts()
    bad: dict[int, str] = {}
    for at in range(week % 10, len(written), 10):
        if form != "parquet" and len(bad) % BROKEN == BROKEN - 1:
            bad[at + 1] = "ragged_row" if form == "csv" else "invalid_json"
            written[at] = None
            continue
        bad[at + 1], damage = next(ways)
        written[at] = damage(written[at])
    for at in range((week + 5) % 10, len(written), 50):
        written[at] = next(cures)(written[at])
    kept = ~pl.int_range(1, rows.height + 1, eager=True).is_in(list(bad))
    return f"inbox/weeks/week-{week:02}.{form}", _WRITTEN[form](written), bad, rows.filter(kept)


def _as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Write every cell as text; of money, cents."""
    values = rows.select(VALUE).write_csv(float_precision=2, include_header=False).split()
    return rows.with_columns(
        pl.col(HOUSEHOLD, STORE, QUANTITY).cast(pl.String),
        pl.Series(VALUE, values, pl.String),
        pl.col(TIME).dt.strftime("%Y-%m-%dT%H:%M:%S%.3f"),
    )


def _csv(rows: list[Row | None]) -> bytes:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & set('",') else text

    lines = [",".join(map(cell, row.values())) if row else "1,2,3" for row in rows]
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode()


def _ndjson(rows: list[Row | None]) -> bytes:
    return "".join(
        f"{json.dumps(row)}\n" if row else '{"household_id": "1", \n' for row in rows
    ).encode()


def _parquet(rows: list[Row | None]) -> bytes:
    body = io.BytesIO()
    pl.DataFrame(rows).write_parquet(body)
    return body.getvalue()


_WRITTEN = {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}
