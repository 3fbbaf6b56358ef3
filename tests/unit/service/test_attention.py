import json
from datetime import UTC, datetime, timedelta

import pytest

from exchanger.config.loading.load import read_config
from exchanger.service.telling.attention import DAILY, FIRST, Attention, read_standing

CONFIG = """
connections:
  main: &connection
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme-exchange, region: eu-west-1}
  shop: *connection
  off: {enabled: false, braze: {endpoint: iad-01, api_key: "${KEY}"},
        s3: {bucket: acme-exchange, region: eu-west-1}}
jobs:
  crm: &job
    {type: import, connection: main, source: {prefix: in/}, match: [{external_id: id}],
     fields: {a: set}, expect: {every: 1d}}
  till: {type: import, connection: shop, source: {prefix: in/}, match: [{external_id: id}],
         fields: {b: set}}
  gone: {type: import, connection: "off", source: {prefix: in/}, match: [{external_id: id}],
         fields: {b: set}, expect: {every: 1d}}
"""
NOW = datetime(2026, 9, 15, tzinfo=UTC)
HELD = [{"run": 3, "files": ["in/a.csv"], "notes": {"in/a.csv": "It is a new version."}}]
OVERDUE = {"overdue_since": NOW.isoformat(), "taken_at": None, "expect": "1d"}


@pytest.fixture
def attention():
    attention = Attention()
    attention.configure(read_config(CONFIG, {"KEY": "dummy"}), 0.0)
    return attention


def events(told):
    return [(one.event, one.facts["job"]) for one in told]


def crm(**facts):
    return [{"job": "crm", **facts}]


def test_each_connection_is_asked_after_the_start_and_then_daily(attention):
    """Not at once, as the daemon has other things to do, and none that is disabled."""
    assert [] == attention.to_ask(FIRST - 1, NOW)
    assert ["main", "shop"] == attention.to_ask(FIRST, NOW)
    assert [] == attention.to_ask(DAILY, NOW)
    assert ["main", "shop"] == attention.to_ask(FIRST + DAILY, NOW)


def test_who_did_not_answer_is_asked_again_soon(attention):
    """A quarter of an hour later, and only that one."""
    attention.to_ask(FIRST, NOW)
    attention.unanswered("shop", FIRST)
    assert [] == attention.to_ask(FIRST + 899, NOW)
    assert ["shop"] == attention.to_ask(FIRST + 900, NOW)


def test_what_waits_for_a_person_is_told_daily_until_it_is_decided(attention):
    """With the file, the reason, the run and what to type; again when there is something new."""
    [told] = attention.answered("main", crm(held_back=HELD), 0.0)
    assert ("job.waiting_for_person", "crm", "main") == (
        told.event,
        told.facts["job"],
        told.facts["connection"],
    )
    assert told.facts["runs"] == [
        {"run": 3, "more_files": 0, "files": [{"key": "in/a.csv", "note": "It is a new version."}]}
    ]
    assert told.facts["next"] == [
        "exchanger approve 3 --connection main",
        "exchanger discard 3 --connection main",
    ]
    assert [] == attention.answered("main", crm(held_back=HELD), DAILY / 2)
    assert [("job.waiting_for_person", "crm")] == events(
        attention.answered("main", crm(held_back=HELD), DAILY)
    )
    assert [] == attention.answered("main", crm(held_back=[]), DAILY + 1)
    assert 1 == len(attention.answered("main", crm(held_back=HELD), DAILY + 2))


def test_a_reminder_is_bounded(attention):
    """A thousand runs of a thousand files are told in a short event."""
    files = [f"in/{n}.csv" for n in range(1_000)]
    runs = [
        {"run": n, "files": files, "notes": dict.fromkeys(files, "x" * 9_000)} for n in range(1_000)
    ]
    [told] = attention.answered("main", crm(held_back=runs), 0.0)
    assert 990 == told.facts["more_runs"] == told.facts["runs"][0]["more_files"]
    assert len(json.dumps(told.facts)) < 70_000


def test_a_job_is_overdue_once_until_it_takes_something(attention):
    """One event for an incident, another for the next one."""
    assert [("job.overdue", "crm")] == events(attention.answered("main", crm(**OVERDUE), 0.0))
    assert [] == attention.answered("main", crm(**OVERDUE), DAILY)
    attention.took("crm", NOW)
    assert 1 == len(attention.answered("main", crm(**OVERDUE), 2 * DAILY))
    assert [] == attention.answered("main", crm(overdue_since=None), 3 * DAILY)
    assert 1 == len(attention.answered("main", crm(**OVERDUE), 4 * DAILY))


def test_nobody_is_asked_for_a_file_that_came_in_time_and_waits(attention):
    """Of that people know already; once it is decided about, and nothing was taken, it is told."""
    assert [] == attention.answered("main", crm(**OVERDUE, came_in_time=True), 0.0)
    assert [("job.overdue", "crm")] == events(attention.answered("main", crm(**OVERDUE), 900.0))
    assert [] == attention.answered("main", crm(**OVERDUE, came_in_time=True), 1800.0)
    assert [] == attention.answered("main", crm(**OVERDUE), 2700.0)


def test_the_bucket_is_asked_before_a_job_is_called_overdue(attention):
    """Another process may have run the job: asked when it may be so, and not again and again."""
    attention.to_ask(FIRST, NOW)
    attention.took("crm", NOW)
    late = NOW + timedelta(days=1, seconds=1)
    assert [] == attention.to_ask(2_000.0, NOW + timedelta(hours=23))
    assert ["main"] == attention.to_ask(2_000.0, late)
    assert [] == attention.to_ask(2_100.0, late)
    assert ["main"] == attention.to_ask(2_900.0, late)
    attention.answered("main", crm(taken_at=late.isoformat(), overdue_since=None), 3_000.0)
    assert [] == attention.to_ask(9_000.0, late + timedelta(hours=1))


@pytest.mark.parametrize(
    ("connection", "entry"),
    [
        ("shop", {"job": "crm", **OVERDUE}),  # the job of another connection
        ("shop", {"job": "till", **OVERDUE}),  # nothing is expected of it
        ("off", {"job": "gone", **OVERDUE}),  # its connection is disabled
        ("main", {"job": "nobody", "held_back": HELD}),
    ],
)
def test_what_is_none_of_its_business_is_not_told(attention, connection, entry):
    """Only jobs of the connection that was asked, and only what is expected of them."""
    assert [] == attention.answered(connection, [entry], 0.0)


def test_a_new_configuration_keeps_what_was_told(attention):
    """A reload repeats no event, and asks nobody who was asked just now."""
    config = read_config(CONFIG, {"KEY": "dummy"})
    attention.to_ask(FIRST, NOW)
    attention.answered("main", crm(held_back=HELD, **OVERDUE), 0.0)
    attention.configure(config, FIRST + 1)
    assert [] == attention.answered("main", crm(held_back=HELD, **OVERDUE), 10.0)
    assert [] == attention.to_ask(FIRST + 100, NOW)


@pytest.mark.parametrize(
    "output", ["", "[]", "{}", '{"jobs": 1}', '{"jobs": [1]}', '{"error": {"message": "no"}}', "x"]
)
def test_an_answer_that_says_nothing_is_none(output):
    """A child that failed has not answered."""
    with pytest.raises(ValueError, match=r"."):
        read_standing(output)
