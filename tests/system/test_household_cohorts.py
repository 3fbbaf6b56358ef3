"""A year of campaigns for real households, as cohorts of a partner."""

from __future__ import annotations

import polars as pl
import pytest
from support.households import DATA, WEEKS
from support.jobs import import_job
from support.sandbox_calls import post, track

PARTNER, KEY, SECRET = "acme", "partner-key-Hh31", "import-key-Hh57"
USERS = f"/partners/{PARTNER}/cohorts/users"
MATCH = [
    {"external_id": "household_id"},
    {"alias": {"name": "card", "label": "loyalty"}},
]
LARGEST = 18
AT_A_TIME = 9
AT_ONCE = 50


def cohort(name):
    keys = {"client_secret": "${COHORT_SECRET}", "partner_key": "${COHORT_KEY}"}
    return {"as": {"cohort": {"id": name, "name": name, "partner": PARTNER, **keys}}}


RUNNING = import_job(
    object="audience",
    source={"prefix": "inbox/running/"},
    match=MATCH,
    action={"from": "op", "add": ["comes"], "remove": ["goes"]},
    audience=cohort("running"),
)
OPEN = import_job(
    object="audience",
    source={"prefix": "inbox/open/", "mode": "snapshot"},
    match=MATCH,
    audience=cohort("open"),
    guards={"max_leavers_percent": 30},
)


def has_card(household):
    """Whether files name a household by its card: every second one."""
    return household % 2 == 1


def is_known_by_card(household):
    """Whether Braze has it by its card alone: every second of those."""
    return household % 4 == 3


def card(household):
    return {"alias_label": "loyalty", "alias_name": f"c{household}"}


@pytest.fixture
def campaigns():
    """Each household of each campaign, with the weeks of the year in which it runs."""
    first = pl.lit(1) + (pl.col("start_date").dt.ordinal_day() - 1) // 7
    last = pl.lit(1) + (pl.col("end_date").dt.ordinal_day() - 1) // 7
    ends_later = pl.col("end_date").dt.year() > 2017
    about = pl.read_parquet(DATA / "campaign_descriptions.parquet").select(
        "campaign_id",
        pl.when(pl.col("start_date").dt.year() < 2017).then(1).otherwise(first).alias("first"),
        pl.when(ends_later).then(len(WEEKS) + 1).otherwise(last).alias("last"),
    )
    return pl.read_parquet(DATA / "campaigns.parquet").join(about, on="campaign_id")


@pytest.fixture
def households(exchange, monkeypatch, campaigns):
    """All households of any campaign, of which Braze has some by their cards alone."""
    monkeypatch.setenv("COHORT_KEY", KEY)
    monkeypatch.setenv("COHORT_SECRET", SECRET)
    exchange.braze.change(partners={PARTNER: KEY}, client_secrets={SECRET: PARTNER})
    everyone = sorted(set(campaigns["household_id"]))
    named = [one for one in everyone if not is_known_by_card(one)]
    exchange.braze.seed([{"external_id": str(one)} for one in named])
    held = [card(one) | {"external_id": str(one)} for one in named if has_card(one)]
    alone = [
        {"user_alias": card(one), "_update_existing_only": False}
        for one in everyone
        if is_known_by_card(one)
    ]
    for at in range(0, len(everyone), AT_ONCE):
        if held[at : at + AT_ONCE]:
            post(exchange.braze, "/users/alias/new", {"user_aliases": held[at : at + AT_ONCE]})
        if alone[at : at + AT_ONCE]:
            track(exchange.braze, *alone[at : at + AT_ONCE])
    return exchange


def row(household, *cells):
    names = ("", f"c{household}") if has_card(household) else (household, "")
    return ",".join(map(str, (*names, *cells)))


def members(exchange, name):
    """Read whom Braze has in a cohort, by the number of the household."""
    alone = {
        one["braze_id"]: one["user_aliases"][0]["alias_name"].removeprefix("c")
        for one in exchange.braze.profiles()
        if one.get("external_id") is None
    }
    return {int(alone.get(one, one)) for one in exchange.braze.cohort(PARTNER, name)}


def given(exchange, name):
    """Read how many households were given to a cohort, and how many taken out, so far."""
    come = go = 0
    for body in exchange.braze.bodies(USERS):
        for change in body["cohort_changes"] if body["cohort_id"] == name else ():
            people = len(change.get("user_ids", ())) + len(change.get("aliases", ()))
            come, go = (come, go + people) if change.get("should_remove") else (come + people, go)
    return come, go


@pytest.mark.nightly
def test_a_year_of_campaigns_is_a_cohort_of_those_in_one_that_runs(households, campaigns):
    """
    In the end of each ninth week those are in it whom the data has in a campaign of that week.

    Nobody is given who is in it, and nobody taken out who was.
    """

    def in_campaigns(week):
        return set(campaigns.filter(pl.lit(week).is_between("first", "last"))["household_id"])

    exchange = households
    exchange.configure(running=RUNNING)
    then, known, come, go = set(), {}, 0, 0
    for start in range(0, len(WEEKS), AT_A_TIME):
        said = {}
        for week in list(WEEKS)[start : start + AT_A_TIME]:
            now = in_campaigns(week)
            words = dict.fromkeys(sorted(now - then), "comes")
            words |= dict.fromkeys(sorted(then - now), "goes")
            lines = ["household_id,card,op", *(row(*word) for word in words.items()), ""]
            exchange.drop(f"inbox/running/{week:02}.csv", "\n".join(lines))
            then, said = now, said | words
        report = exchange.ask("run", "running")
        assert 0 == report["rows_rejected"] == report["rows_refused"] == report["rows_skipped"]
        assert then == members(exchange, "running")
        # Of who comes and goes within the nine weeks nobody knows that it was not there before.
        changed = [word for who, word in said.items() if known.get(who) != word]
        come, go = come + changed.count("comes"), go + changed.count("goes")
        assert (come, go) == given(exchange, "running")
        known |= said
    assert 0 == exchange.braze.meter


@pytest.mark.nightly
def test_a_campaign_is_a_cohort_of_those_who_have_not_redeemed_yet(households, campaigns):
    """Month by month, by files that name all of them; who redeems a coupon goes, once."""
    exchange = households
    exchange.configure(open=OPEN)
    theirs = campaigns.filter(campaign_id=LARGEST)
    redeemed = pl.read_parquet(DATA / "coupon_redemptions.parquet").filter(campaign_id=LARGEST)
    month = pl.col("redemption_date").dt.month()
    left = set(theirs["household_id"])
    everyone, gone = set(left), set()
    for number in [0, *sorted(set(redeemed.select(month).to_series()))]:
        gone |= set(redeemed.filter(month == number)["household_id"]) & everyone
        left = everyone - gone
        lines = ["household_id,card", *(row(one) for one in sorted(left)), ""]
        exchange.drop(f"inbox/open/{number:02}.csv", "\n".join(lines))
        exchange.ask("run", "open")
        assert left == members(exchange, "open")
    assert gone
    assert (len(everyone), len(gone)) == given(exchange, "open")
