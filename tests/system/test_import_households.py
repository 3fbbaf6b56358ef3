"""A year of real purchases of 2,469 households, dropped week by week through the command line."""

from __future__ import annotations

import json

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

DAMAGED_AT_A_TIME = 13
"""Weeks of which a tenth is damaged, so that the last one is alone."""


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
    what is merely odd is read as it is meant. The same rows lie beside the folder, where a person
    puts them right and drops them: then everything is there, to the digit. In the end the last
    week is taken back, first its corrections and then what they correct.
    """
    exchange.configure(weeks=PURCHASES)
    given, seqs, states = [], [], []
    for first in range(0, len(WEEKS), DAMAGED_AT_A_TIME):
        weeks = [
            damaged_week(transactions.filter(pl.col("week") == week), week)
            for week in WEEKS[first : first + DAMAGED_AT_A_TIME]
        ]
        run = drop_damaged(exchange, weeks)
        states.append(state_of(exchange, PURCHASES["fields"]))
        corrections = drop_corrected(exchange, weeks, run)
        states.append(state_of(exchange, PURCHASES["fields"]))
        given += [pl.concat(week.good for week in weeks), pl.concat(week.lost for week in weeks)]
        seqs += [run["seq"], corrections["seq"]]

    [last] = weeks
    assert transactions.height == sum(rows.height for rows in given)
    assert in_turn(given) == states[-1]
    assert in_turn(given[:-1]) == states[-2]

    take_back(exchange, seqs[-1], f"_corrected/{seqs[-2]}/{last.name}")
    assert in_turn(given[:-1]) == only_filled(state_of(exchange, PURCHASES["fields"]))
    take_back(exchange, seqs[-2], last.name)
    assert in_turn(given[:-2]) == only_filled(state_of(exchange, PURCHASES["fields"]))


def take_back(exchange, seq, name):
    """Take a run back as its plan says; the page of what it had applied tells of that."""
    assert f"undo {seq} --yes\n" in exchange.call("undo", seq).stdout
    exchange.ask("undo", seq, "--yes")
    page, _ = exchange.bucket.read(f"inbox/weeks_reports/{name}.html")
    assert f"What run {seq} had applied of this file was taken back" in page.decode()


def only_filled(state):
    """Leave out households that have nothing: an undo deletes nobody."""
    return {household: told for household, told in state.items() if set(told.values()) != {None}}


def in_turn(given):
    """Compute what Braze must have of rows that were given one frame after the other."""
    return totals(
        pl.concat(rows.with_columns(week=pl.lit(number)) for number, rows in enumerate(given))
    )


def drop_damaged(exchange, weeks):
    """Drop weeks; all but the damaged rows are applied, and these listed with what is wrong."""
    for week in weeks:
        exchange.drop(week.key, week.body)
    run = exchange.ask("run", "weeks", code=4)
    found = {(row["file"], int(row["row"])): row["reason"] for row in exchange.quarantined(run)}
    assert found == {(week.key, row): why for week in weeks for row, why in week.bad.items()}
    assert len(found) == run["rows_rejected"]
    assert {"applied"} == {file["outcome"] for file in run["files"]}
    return run


def drop_corrected(exchange, weeks, run):
    """Put the rejected rows right where the pages of their files say that they are."""
    for week in weeks:
        page, _ = exchange.bucket.read(f"inbox/weeks_reports/{week.name}.json")
        told = json.loads(page)
        assert (len(week.bad), f"inbox/weeks_corrected/{run['seq']}/{week.name}") == (
            told["rows"]["rejected"],
            told["corrected_rows"],
        )
        rejected, _ = exchange.bucket.read(told["rejected_rows"])
        exchange.drop(told["corrected_rows"], week.corrected(rejected))
    done = exchange.ask("run", "weeks")
    assert sum(len(week.bad) for week in weeks) == done["rows_read"]
    assert ("succeeded", 0) == (done["state"], done["rows_rejected"])
    return done
