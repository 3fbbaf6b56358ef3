"""A month of a watched folder: what takes a decision is told, and nothing else."""

from __future__ import annotations

from datetime import datetime

import pytest
from support.month.script import TOLD, Script
from support.month.senders import START
from support.month.stepped_daemon import story_environment
from support.month.story import Month
from support.receiver import Receiver
from support.stepped.story_time import StoryTime
from support.warm_start import WarmServer

DAYS = range(1, 31)
JOBS = ("crm", "kunden", "visits", "shops")
STANDS = {
    "inbox/crm/2030-09-04/delta-00.ndjson": "left_over",
    "inbox/crm/2030-09-06/delta-00_copy.ndjson": "dropped",
    "inbox/crm/full/007.ndjson": "taken",
    "inbox/kunden/Kunden 09.09.2030.csv": "left_over",
    "inbox/kunden/Kunden 13.09.2030.csv": "left_over",
    "inbox/kunden/Kunden 20.09.2030.csv": "taken",
    "inbox/shops/shop-02.csv": "taken",
}
"""What became of some files: rejected in part and as a whole, discarded, approved, empty."""


@pytest.fixture
def month(exchange, tmp_path, monkeypatch):
    """A connection in a time of its own, with people who are told."""
    story = StoryTime(tmp_path / "story-time")
    story.step_to(START)
    receiver = Receiver()
    monkeypatch.setenv("ALERT_URL", receiver.url())
    for name, value in story_environment(story).items():
        monkeypatch.setenv(name, value)
    exchange.warm = WarmServer()
    month = Month(exchange, receiver, story)
    month.configure()
    with story.here():
        yield month
        month.stop()
    exchange.warm.close()
    receiver.close()


@pytest.mark.nightly
@pytest.mark.long(400)
def test_a_month_of_four_senders(month, exchange):
    """
    Two thousand files, of which some are damaged, doubled, empty, missing or far too many.

    Whatever takes a person is told on that day, once, and that it is over; nothing else is. What
    Braze has in the end is what the rows say, and of every file is known what became of it.
    """
    script = Script(month)
    month.at(0)
    month.start()
    for day in DAYS:
        script.play(day)
    assert 0 == month.stop()

    assert sorted(TOLD) == sorted(month.heard)
    told = month.people.told()
    assert told == {
        who: {name: exchange.attribute(who, name) for name in attributes}
        for who, attributes in told.items()
    }
    assert loud(month.logged) <= troubled()
    assert 2_000 <= month.keys.total()
    met = {file["key"] for run in exchange.ask("runs") for file in run["files"]}
    assert set() == month.keys.keys() - month.deleted - met
    fates = {key: exchange.ask("files", key)[0]["jobs"] for key in STANDS}
    assert STANDS == {key: jobs[0]["stand"] for key, jobs in fates.items()}
    assert {"open": [], "waiting": [], "failing": []} == exchange.ask("alerts")
    waiting = exchange.ask("jobs", "--waiting")
    assert not any(entry["files_waiting"] or entry["held_back"] for entry in waiting)


def loud(events):
    """Name the jobs of what a log has above the usual, each with the day."""
    return {
        (datetime.fromisoformat(one["timestamp"]).day, one.get("job"))
        for one in events
        if one["level"] not in ("debug", "info")
    }


def troubled():
    """Name the jobs of which people know that something is the matter, each with the day."""
    days = set()
    for job in JOBS:
        open_since = None
        for day, title in sorted(TOLD, key=lambda told: (told[0], "fine" in told[1])):
            if title.split()[0] != job:
                continue
            open_since = open_since or day
            if "is fine again" in title:
                days |= {(each, job) for each in range(open_since, day + 1)}
                open_since = None
    return days
