"""A year of real purchases as orders, purchases and events, and households that become others."""

from __future__ import annotations

import io
from collections import Counter
from decimal import Decimal

import polars as pl
import pytest
from support.households import DATA, WEEKS
from support.jobs import import_job

WHO = {"external_id": "household_id"}
ORDERS = import_job(
    object="orders",
    source={"prefix": "inbox/orders/"},
    match=WHO,
    order={
        "event": "order_placed",
        "id": "basket_id",
        "time": "transaction_timestamp",
        "currency": "USD",
        "source": "store",
        "total": {"sum": "sales_value", "scale": 2},
        "product": {
            "id": "product_id",
            "name": "product_id",
            "variant": "product_id",
            "quantity": "quantity",
            "price": "sales_value",
        },
        "metadata": {"store": "store_id"},
    },
)
PURCHASES = import_job(
    object="purchases",
    source={"prefix": "inbox/purchases/"},
    match=WHO,
    purchase={
        "product": "product_id",
        "price": "sales_value",
        "currency": "USD",
        "quantity": "quantity",
        "time": "transaction_timestamp",
    },
    row_id="line",
)
REDEMPTIONS = import_job(
    object="events",
    source={"prefix": "inbox/redemptions/"},
    match=WHO,
    event={
        "name": "Coupon redeemed",
        "time": "redemption_date",
        "properties": {"coupon": "coupon_upc", "campaign": "campaign_id"},
    },
    row_id="line",
)
SPENT = import_job(
    source={"prefix": "inbox/weeks/"},
    match=WHO,
    fields={"spent": {"from": "sales_value", "merge": "sum", "type": "decimal", "scale": 2}},
)
HALF = 27
AT_A_TIME = 9
CENTS = Decimal("0.01")


@pytest.fixture(scope="module")
def transactions():
    # A few float tails such as 1.776357e-15 are in the data, which nobody writes into a price.
    rows = pl.read_parquet(DATA / "transactions.parquet").with_row_index("line")
    return rows.with_columns(pl.col("sales_value").round(2).cast(pl.Decimal(18, 2)))


def parquet(rows):
    body = io.BytesIO()
    rows.write_parquet(body)
    return body.getvalue()


def drop_weeks(exchange, rows, folder, weeks):
    for week in weeks:
        exchange.drop(f"inbox/{folder}/{week:02}.parquet", parquet(rows.filter(week=week)))


def groups(weeks):
    return [weeks[first : first + AT_A_TIME] for first in range(0, len(weeks), AT_A_TIME)]


def by_household(rows, *totals):
    """Compute what the data says, by household as a text."""
    found = rows.group_by(pl.col("household_id").cast(pl.String)).agg(*totals)
    return {row[0]: row[1:] for row in found.iter_rows()}


def counted(exchange, kind, name=None):
    """How often Braze has counted an event, or a purchase, by household."""
    return Counter(
        {
            who: sum(one["count"] for one in user.get(kind, []) if name in (None, one["name"]))
            for who, user in exchange.braze.users().items()
            if user.get(kind)
        }
    )


@pytest.mark.nightly
def test_baskets_are_orders_counted_once_to_the_cent(exchange, transactions):
    """
    1.47 million lines become 155,848 orders; count and revenue of each household are the data's.

    Dropped again in another shape, all lines are repeated.
    """
    exchange.connection["lease"] = "2m"
    exchange.configure(orders=ORDERS)
    taken = 0
    for weeks in groups(list(WEEKS)):
        drop_weeks(exchange, transactions, "orders", weeks)
        taken += exchange.ask("run", "orders")["rows_applied"]
    users = exchange.braze.users()
    expected = by_household(
        transactions, pl.col("basket_id").n_unique(), pl.col("sales_value").sum()
    )

    assert len(transactions) == taken
    assert {who: orders for who, (orders, _) in expected.items()} == {
        who: user["orders"] for who, user in users.items()
    }
    assert {who: revenue for who, (_, revenue) in expected.items()} == {
        who: Decimal(str(user["total_revenue"])).quantize(CENTS) for who, user in users.items()
    }
    assert 0 == exchange.braze.meter
    again = transactions.filter(week=7)
    exchange.drop("inbox/orders/again.csv", again.write_csv())
    assert again.height == exchange.ask("run", "orders")["rows_repeated"]


@pytest.mark.nightly
def test_a_tenth_of_the_lines_are_purchases(exchange, transactions):
    """Each counts once by its pieces; a line of more pieces than Braze takes is rejected."""
    exchange.connection["lease"] = "2m"  # An answer may take a third of it.
    exchange.configure(purchases=PURCHASES)
    tenth = transactions.filter(pl.col("line") % 10 == 0)
    drop_weeks(exchange, tenth, "purchases", WEEKS)
    report = exchange.ask("run", "purchases", code=4)
    good = tenth.filter(pl.col("quantity").is_between(1, 100))

    assert (good.height, tenth.height - good.height) == (
        report["rows_applied"],
        report["rows_rejected"],
    )
    assert by_household(good, pl.col("quantity").sum()) == {
        who: (pieces,) for who, pieces in counted(exchange, "purchases").items()
    }
    assert good["quantity"].sum() == exchange.braze.meter == report["data_points"]


@pytest.mark.nightly
def test_redemptions_are_events(exchange):
    """Each redemption counts once, also if the file comes again with its rows in another order."""
    rows = pl.read_parquet(DATA / "coupon_redemptions.parquet").with_row_index("line")
    exchange.configure(redemptions=REDEMPTIONS)
    exchange.drop("inbox/redemptions/all.parquet", parquet(rows))
    assert rows.height == exchange.ask("run", "redemptions")["rows_applied"]
    exchange.drop("inbox/redemptions/again.csv", rows.reverse().write_csv())
    assert rows.height == exchange.ask("run", "redemptions")["rows_repeated"]
    assert by_household(rows, pl.len()) == {
        who: (count,)
        for who, count in counted(exchange, "custom_events", "Coupon redeemed").items()
    }


@pytest.mark.nightly
def test_households_that_are_renamed_and_merged_half_way_keep_exact_sums(exchange, transactions):
    """
    Who is renamed goes on with their sum; of two that are merged the kept one's counts.

    That is what Braze keeps of a custom attribute which both have (braze-api.md 9.5).
    """
    exchange.configure(
        weeks=SPENT,
        renames={
            "type": "import",
            "object": "renames",
            "source": {"prefix": "inbox/renames/"},
            "rename": {"from": "old", "to": "new"},
        },
        merges={
            "type": "import",
            "object": "merges",
            "source": {"prefix": "inbox/merges/"},
            "merge": {"keep": {"external_id": "keep"}, "drop": {"external_id": "drop"}},
        },
    )
    before = transactions.filter(pl.col("week") < HALF)
    after = transactions.filter(pl.col("week") >= HALF)
    for weeks in groups(range(1, HALF)):
        drop_weeks(exchange, before, "weeks", weeks)
        exchange.ask("run", "weeks")
    known = before["household_id"].unique().sort().cast(pl.String).to_list()
    renamed = {old: f"new-{old}" for old in known[:100]}
    merged = dict(zip(known[100:150], known[150:200], strict=True))
    exchange.drop("inbox/renames/1.csv", lines("old,new", renamed))
    exchange.drop("inbox/merges/1.csv", lines("drop,keep", merged))
    assert 100 == exchange.ask("run", "renames")["rows_applied"]
    assert 50 == exchange.ask("run", "merges")["rows_applied"]
    named = pl.col("household_id").cast(pl.String)
    after = after.with_columns(named.replace({**renamed, **merged}).alias("household_id"))
    for weeks in groups(range(HALF, 54)):
        drop_weeks(exchange, after, "weeks", weeks)
        exchange.ask("run", "weeks")

    kept = before.with_columns(named.replace(renamed).alias("household_id"))
    kept = kept.filter(~pl.col("household_id").is_in([*merged]))
    columns = ["household_id", "sales_value"]
    expected = by_household(
        pl.concat([kept.select(columns), after.select(columns)]), pl.col("sales_value").sum()
    )
    assert {who: spent for who, (spent,) in expected.items()} == {
        who: Decimal(exchange.attribute(who, "spent")) for who in exchange.braze.users()
    }


def lines(header, pairs):
    return "\n".join([header, *(f"{one},{other}" for one, other in pairs.items())]) + "\n"
