"""
Weekly files of real purchases in which every tenth row is damaged, in the ways of real files.

And the same rows put right, by whoever opens what was written of them beside the folder.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class DamagedWeek:
    """
    A week as it is dropped, and what is true of it.

    Args:
        key: Where it is dropped.
        body: The file.
        bad: Why each row that must be rejected is.
        good: All other rows.
        lost: What the rejected rows should have been.
    """

    key: str
    body: bytes
    bad: dict[int, str]
    good: pl.DataFrame
    lost: pl.DataFrame

    @property
    def name(self) -> str:
        """The name below the folder."""
        return self.key.rsplit("/")[-1]

    def corrected(self, rejected: bytes) -> bytes:
        """
        Put the damaged cells right in what was written of the rejected rows, in its own format.

        Whoever looks at that finds every damaged row by its number, and all else as it was.
        """
        texts = _as_text(self.lost.select(COLUMNS)).to_dicts()
        return _CORRECTED[self.name.rsplit(".")[-1]](
            rejected, dict(zip(self.bad, texts, strict=True))
        )


def damaged_week(rows: pl.DataFrame, week: int) -> DamagedWeek:
    """Write a week as CSV, NDJSON or Parquet, whichever is its turn."""
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
    lost = pl.int_range(1, rows.height + 1, eager=True).is_in(list(bad))
    key = f"inbox/weeks/week-{week:02}.{form}"
    return DamagedWeek(key, _WRITTEN[form](written), bad, rows.filter(~lost), rows.filter(lost))


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


def _put_right(rows: list[dict], truth: dict[int, Row]) -> list[dict]:
    """Give rows the cells of the data; of those that could be read, only one was another."""
    assert [*truth] == [int(row["_row"]) for row in rows]
    for row in rows:
        true = truth[int(row["_row"])]
        if any(row.get(name) for name in COLUMNS[1:]):
            assert 1 == sum(row[name] != cell for name, cell in true.items()), row
    return [row | truth[int(row["_row"])] for row in rows]


def _corrected_csv(rejected: bytes, truth: dict[int, Row]) -> bytes:
    """As a spreadsheet saves it: by semicolons, and without what says what was wrong."""
    rows = [*csv.DictReader(io.StringIO(rejected.decode("utf-8-sig")))]
    told = io.StringIO()
    writer = csv.DictWriter(told, [*COLUMNS, "_row"], extrasaction="ignore", delimiter=";")
    writer.writeheader()
    writer.writerows(_put_right(rows, truth))
    return told.getvalue().encode()


def _corrected_ndjson(rejected: bytes, truth: dict[int, Row]) -> bytes:
    rows = _put_right([json.loads(line) for line in rejected.splitlines()], truth)
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _corrected_parquet(rejected: bytes, truth: dict[int, Row]) -> bytes:
    body = io.BytesIO()
    frame = pl.read_parquet(rejected)
    pl.DataFrame(_put_right(frame.to_dicts(), truth), schema=frame.schema).write_parquet(body)
    return body.getvalue()


_CORRECTED = {"csv": _corrected_csv, "ndjson": _corrected_ndjson, "parquet": _corrected_parquet}
