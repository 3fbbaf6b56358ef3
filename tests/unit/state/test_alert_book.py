"""What the book of troubles is after something was heard, claimed or sent."""

from datetime import UTC, datetime, timedelta

import pytest

from exchanger.state.alerts.book import CLAIM, KEPT, AlertBook, News, Words
from exchanger.state.alerts.document import AlertDocument
from exchanger.state.names import StateNames

NOW = datetime(2026, 9, 15, tzinfo=UTC)
WORDS = Words("title", "body")
ALL = {"chat": lambda _: True}


def began(kind="failed", job="crm"):
    return News(job, began={kind: Words(f"{job} {kind}", "body")})


def waits(*runs):
    return News("crm", began={"held_back": Words(f"crm waits {runs}", "body", runs)})


def over(kind="failed", job="crm"):
    return News(job, over={kind: Words(f"{job} fine", "body")})


def waiting(book):
    return [(alert.title, sorted(alert.to)) for alert in book.alerts]


def told(book, channels=("chat",), now=NOW):
    """Send all that is due, and return the book after it with what each channel got."""
    book, mine = book.claimed(channels, now, 20)
    for channel, alerts in mine.items():
        book = book.sent(channel, alerts)
    return book, [alert.title for alerts in mine.values() for alert in alerts]


@pytest.mark.parametrize(
    ("news", "titles"),
    [
        ([began(), began()], ["crm failed"]),
        ([began(), over(), began()], ["crm failed", "crm fine", "crm failed"]),
        ([began(), began("partial")], ["crm failed", "crm partial"]),
        ([began(), began(job="shop")], ["crm failed", "shop failed"]),
        ([over()], []),
        ([began(), over("partial")], ["crm failed"]),
        ([waits(3), waits(3), waits(5), waits(3, 5)], ["crm waits (3,)", "crm waits (5,)"]),
        ([waits(3), over("held_back"), waits()], ["crm waits (3,)", "crm fine", "crm waits ()"]),
        ([News("crm", passed={"succeeded": WORDS})] * 2, ["title", "title"]),
    ],
)
def test_an_incident_is_told_once_and_once_when_it_is_over(news, titles):
    """
    The same kind of the same job is the same incident until it is over.

    Each run that waits takes a decision of its own, so that each is told.
    """
    book, got = AlertBook(), []
    for each in news:
        book, new = told(book.heard(each, ALL, NOW))
        got += new
    assert titles == got
    assert () == book.alerts


def test_a_channel_hears_what_it_wants_also_if_it_came_later():
    """Who was not told is told the next time; that it is over hears who was told, if it wants."""
    wants = {"chat": lambda kind: kind == "failed", "mail": lambda _: True}
    book = AlertBook().heard(began(), {"chat": wants["chat"]}, NOW)
    book = book.heard(began("partial"), {"chat": wants["chat"]}, NOW)
    assert [("crm failed", ["chat"])] == waiting(book)
    book = book.heard(began(), wants, NOW)
    assert [("crm failed", ["chat"]), ("crm failed", ["mail"])] == waiting(book)
    book = book.heard(over(), wants, NOW)
    assert ("crm fine", ["mail"]) == waiting(book)[-1]
    assert () == book.incidents


def test_what_one_has_claimed_nobody_else_sends_until_it_is_old():
    """Two processes never hold one alert; what a killed one has left is claimed again."""
    book = AlertBook().heard(began(), ALL, NOW)
    book, first = book.claimed(["chat"], NOW, 20)
    later = NOW + CLAIM - timedelta(seconds=1)
    assert {} == book.claimed(["chat"], later, 20)[1]
    # Of the same job nothing overtakes it; of another one something may be sent.
    book = book.heard(over(), ALL, NOW).heard(began(job="shop"), ALL, NOW)
    book, others = book.claimed(["chat"], later, 20)
    assert ["shop failed"] == [alert.title for alert in others["chat"]]
    _, again = book.claimed(["chat"], NOW + CLAIM, 20)
    assert ["crm failed", "crm fine"] == [alert.title for alert in again["chat"]]
    assert ["crm failed"] == [alert.title for alert in first["chat"]]
    assert ["crm fine", "shop failed"] == [
        alert.title for alert in book.sent("chat", first["chat"]).alerts
    ]


def test_a_channel_that_fails_is_left_alone_for_longer_and_longer_and_not_for_ever():
    """From a minute to an hour; what is a day old is given up, and counts as not told."""
    book = AlertBook().heard(began(), ALL, NOW)
    now, pauses = NOW, []
    while book.alerts:
        book, mine = book.claimed(["chat"], now, 20)
        book = book.refused("chat", mine["chat"], now)
        pause = timedelta(seconds=book.seconds_to_next(["chat"], now) or 0)
        assert {} == book.claimed(["chat"], now + pause - timedelta(seconds=1), 20)[1]
        pauses.append(pause)
        now += pause
    minutes = [pause.total_seconds() / 60 for pause in pauses]
    assert [1, 2, 4, 8, 16, 32, 60, 60] == minutes[:8]
    assert KEPT <= now - NOW < KEPT + timedelta(hours=1)
    assert ((), {"chat"}) == (book.incidents, book.failing.keys())
    book, got = told(book.heard(began(), ALL, now), now=now + timedelta(hours=2))
    assert (["crm failed"], {}) == (got, book.failing)


def test_what_is_for_a_channel_that_is_gone_is_dropped():
    """A channel that is taken out of the configuration leaves nothing behind."""
    book = AlertBook().heard(began(), {"chat": lambda _: True, "mail": lambda _: True}, NOW)
    book, got = told(book, ["mail"])
    assert (["crm failed"], ()) == (got, book.alerts)


def test_the_book_in_the_bucket_keeps_what_two_write_at_once(bucket):
    """A change is made again on what another process wrote meanwhile; a URL is nowhere in it."""
    key = StateNames("state/").alerts
    ours, theirs = AlertDocument(bucket, key), AlertDocument(bucket, key)
    assert ours.read().alerts == ()
    competing = iter([began(job="shop"), None])

    def change(book, now):
        if news := next(competing, None):
            theirs.change(lambda other, at: other.heard(news, ALL, at))
        return book.heard(began(), {book.channel("json://secret"): lambda _: True}, now)

    changed = ours.change(change)
    assert ["shop failed", "crm failed"] == [alert.title for alert in changed.alerts]
    assert changed == theirs.read()
    etag = bucket.head(key).etag
    ours.change(lambda book, _: book)
    assert etag == bucket.head(key).etag
    assert b"secret" not in bucket.read(key)[0]
