"""A year of real purchases of 2,469 households, dropped week by week through the command line."""

from __future__ import annotations

import polars as pl
import pytest
from support.damaged_weeks import damaged_week
from support.households import (
    AT_A_TIME,
    DATA,
    DEMOGRAPHICS,
    HOUSEHOLDS,
    MOVED,
    PEOPLE,
    PURCHASES,
    WEEKS,
    drop_people,
    state_of,
    totals,
    week_file,
)


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


@pytest.mark.nightly
def test_a_tenth_of_all_rows_damaged_costs_these_rows_alone(exchange, transactions):
    """
    Of 53 weeks as CSV, NDJSON and Parquet the good rows are applied, to the digit.

    Every other row is listed with its own reason, in whichever of twenty ways it is damaged; and
    what is merely odd is read as it is meant. Then the last week is undone.
    """
    exchange.configure(weeks=PURCHASES)
    good, run = [], None
    for first in range(0, len(WEEKS), AT_A_TIME):
        expected = {}
        for week in WEEKS[first : first + AT_A_TIME]:
            rows = transactions.filter(pl.col("week") == week)
            key, body, bad, kept = damaged_week(rows, week)
            exchange.drop(key, body)
            good.append(kept)
            expected |= {(key, row): reason for row, reason in bad.items()}
        run = exchange.ask("run", "weeks", code=4)
        found = {(row["file"], int(row["row"])): row["reason"] for row in exchange.quarantined(run)}
        assert expected == found
        assert len(expected) == run["rows_rejected"]
        assert {"applied"} == {file["outcome"] for file in run["files"]}

    assert totals(pl.concat(good)) == state_of(exchange, PURCHASES["fields"])

    exchange.ask("undo", run["seq"], "--yes")
    before = totals(pl.concat(good[:-1]))
    state = state_of(exchange, PURCHASES["fields"])
    assert before == {household: state[household] for household in before}
