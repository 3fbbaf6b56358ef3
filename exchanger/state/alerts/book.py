"""
The book of troubles: what is open, who was told of it, and what is yet to be sent.

Pure: it says what the book is after something was heard, claimed or sent. An incident is a job and
a kind of trouble. Who has claimed an alert may send it until then; whoever comes later may try it
again, so that a process which is killed leaves nothing untold.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

CLAIM = timedelta(minutes=2)
"""For how long an alert belongs to the process that has claimed it."""
KEPT = timedelta(days=1)
"""After so long an alert that could not be sent is given up."""
_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)
"""How long a channel that failed is left alone: at first, and at most."""

Wants = Callable[[str], bool]
"""Whether a channel is told of a kind."""


@dataclass(frozen=True)
class Words:
    """
    What people read.

    Args:
        title: What they read first.
        body: What they read then.
        runs: The runs to decide about, if it is about some.
    """

    title: str
    body: str
    runs: tuple[int, ...] = ()


@dataclass(frozen=True)
class News:
    """
    What is known of a job by now.

    Args:
        job: The job.
        began: Its troubles.
        over: Kinds of trouble that it has no more, if it had them.
        passed: What is no trouble and told each time, such as ``succeeded``.
    """

    job: str
    began: Mapping[str, Words] = field(default_factory=dict)
    over: Mapping[str, Words] = field(default_factory=dict)
    passed: Mapping[str, Words] = field(default_factory=dict)


@dataclass(frozen=True)
class Incident:
    """
    A trouble that is not over, since when, and the channels that were told or will be.

    Of runs that wait it also knows which ones were told: each takes a decision of its own.
    """

    job: str
    kind: str
    since: str
    told: tuple[str, ...] = ()
    runs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Alert:
    """
    Something that is yet to be sent.

    Args:
        id: Drawn for it.
        job: The job that it is about.
        kind: The kind of trouble, ``recovered`` or ``succeeded``.
        title: What people read first.
        body: What they read then.
        at: When it was heard.
        to: The channels that it is yet to be sent to, with the moment until which a process has
            claimed that; empty if none has.
    """

    id: str
    job: str
    kind: str
    title: str
    body: str
    at: str
    to: Mapping[str, str]


@dataclass(frozen=True)
class Failing:
    """Since when a channel does not take anything, how often it was tried, and when it is next."""

    since: str
    tried: int
    due: str


@dataclass(frozen=True)
class AlertBook:
    """What is open, what is yet to be sent, and which channels fail."""

    salt: str = field(default_factory=lambda: secrets.token_hex(8))
    incidents: tuple[Incident, ...] = ()
    alerts: tuple[Alert, ...] = ()
    failing: Mapping[str, Failing] = field(default_factory=dict)

    def channel(self, url: str) -> str:
        """Return what a channel is called here: nobody can tell its URL from that."""
        return hashlib.sha256(f"{self.salt}{url}".encode()).hexdigest()[:12]

    def find(self, job: str, kind: str) -> Incident | None:
        """Return the incident of a job that is open."""
        return next((one for one in self.incidents if (one.job, one.kind) == (job, kind)), None)

    def heard(self, news: News, listeners: Mapping[str, Wants], now: datetime) -> AlertBook:
        """
        Return the book once something was heard of a job.

        Args:
            news: What was heard.
            listeners: The channels that are told of this job.
            now: The time.
        """
        book = self
        for kind, words in news.over.items():
            incident = book.find(news.job, kind)
            if incident is not None:
                rest = tuple(one for one in book.incidents if one is not incident)
                to = [each for each in incident.told if _wants(listeners, each, "recovered")]
                book = replace(book, incidents=rest).with_alert(
                    news.job, "recovered", words, to, now
                )
        for kind, words in news.began.items():
            book = book.begun(news.job, kind, words, listeners, now)
        for kind, words in news.passed.items():
            to = [each for each, wants in listeners.items() if wants(kind)]
            book = book.with_alert(news.job, kind, words, to, now)
        return book

    def begun(
        self, job: str, kind: str, words: Words, listeners: Mapping[str, Wants], now: datetime
    ) -> AlertBook:
        """
        Return the book once a job has a trouble: whoever was not told of it is to be.

        Of a run that waits and was not told yet, everybody is.
        """
        before = self.find(job, kind) or Incident(job, kind, now.isoformat())
        told, runs = before.told, {*words.runs} - {*before.runs}
        to = [
            each for each, wants in listeners.items() if wants(kind) and (runs or each not in told)
        ]
        if not to:
            return self
        rest = tuple(one for one in self.incidents if one is not before)
        incident = replace(
            before,
            told=(*told, *(each for each in to if each not in told)),
            runs=(*before.runs, *sorted(runs)),
        )
        book = replace(self, incidents=(*rest, incident))
        return book.with_alert(job, kind, words, to, now)

    def with_alert(
        self, job: str, kind: str, words: Words, to: Iterable[str], now: datetime
    ) -> AlertBook:
        """Return the book with something that is yet to be sent to some channels, if any."""
        waiting = dict.fromkeys(to, "")
        if not waiting:
            return self
        alert = Alert(
            secrets.token_hex(8), job, kind, words.title, words.body, now.isoformat(), waiting
        )
        return replace(self, alerts=(*self.alerts, alert))

    def claimed(
        self, channels: Iterable[str], now: datetime, most: int
    ) -> tuple[AlertBook, dict[str, list[Alert]]]:
        """
        Claim what is to be sent now; of one job, a channel gets the older alert first.

        Args:
            channels: All that are configured; what is for another one is dropped.
            now: The time.
            most: How many alerts a channel gets at a time.

        Returns:
            The book after it, and the alerts of each channel.
        """
        known = [*channels]
        kept = [_only_to(alert, known) for alert in self.alerts]
        mine: dict[str, list[Alert]] = {}
        for channel in known:
            found = self._due(channel, kept, now)[:most]
            if found:
                mine[channel] = found
        until = (now + CLAIM).isoformat()
        marked = [
            replace(
                alert,
                to={
                    channel: until if alert in mine.get(channel, []) else before
                    for channel, before in alert.to.items()
                },
            )
            for alert in kept
            if alert.to
        ]
        return replace(self, alerts=tuple(marked)), mine

    def _due(self, channel: str, alerts: Iterable[Alert], now: datetime) -> list[Alert]:
        failing = self.failing.get(channel)
        if failing is not None and _is_ahead(failing.due, now):
            return []
        found: list[Alert] = []
        busy: set[str] = set()
        for alert in alerts:
            if channel not in alert.to or alert.job in busy:
                continue
            if _is_ahead(alert.to[channel], now):
                busy.add(alert.job)
            else:
                found.append(alert)
        return found

    def sent(self, channel: str, alerts: Iterable[Alert]) -> AlertBook:
        """Return the book once a channel took alerts."""
        gone = {alert.id for alert in alerts}
        rest = [_less(alert, channel) if alert.id in gone else alert for alert in self.alerts]
        failing = {name: it for name, it in self.failing.items() if name != channel}
        return replace(self, alerts=tuple(one for one in rest if one.to), failing=failing)

    def released(self, channel: str, alerts: Iterable[Alert]) -> AlertBook:
        """Return the book once a process let go of alerts that it did not try to send."""
        free = {alert.id for alert in alerts}
        rest = [
            replace(one, to={**one.to, channel: ""})
            if one.id in free and channel in one.to
            else one
            for one in self.alerts
        ]
        return replace(self, alerts=tuple(rest))

    def refused(self, channel: str, alerts: Iterable[Alert], now: datetime) -> AlertBook:
        """
        Return the book once a channel did not take alerts: it is left alone for a while.

        What is a day old is given up: who was to hear of it counts as not told.
        """
        before = self.failing.get(channel)
        tried = before.tried + 1 if before else 1
        due = now + min(_FIRST * 2 ** min(tried - 1, 10), _LONGEST)
        since = before.since if before else now.isoformat()
        failing = dict(self.failing) | {channel: Failing(since, tried, due.isoformat())}
        book = replace(self.released(channel, alerts), failing=failing)
        old = [it for it in book.alerts if channel in it.to and _is_ahead_by(it.at, now)]
        for alert in old:
            book = book.given_up(alert, channel)
        return book

    def given_up(self, alert: Alert, channel: str) -> AlertBook:
        """Return the book without an alert for a channel, which counts as not told."""
        rest = [_less(one, channel) if one.id == alert.id else one for one in self.alerts]
        incidents = [
            replace(one, told=tuple(it for it in one.told if it != channel))
            if (one.job, one.kind) == (alert.job, alert.kind)
            else one
            for one in self.incidents
        ]
        return replace(
            self,
            alerts=tuple(one for one in rest if one.to),
            incidents=tuple(one for one in incidents if one.told),
        )

    def seconds_to_next(self, channels: Iterable[str], now: datetime) -> float | None:
        """Return after how many seconds something may be tried again; None if nothing waits."""
        moments = []
        for channel in channels:
            failing = self.failing.get(channel)
            held = [alert.to[channel] for alert in self.alerts if channel in alert.to]
            if held:
                moments.append(max(min(held), failing.due if failing else ""))
        if not moments:
            return None
        first = min(moments)
        return max((datetime.fromisoformat(first) - now).total_seconds(), 0.0) if first else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Render as plain values."""
        return asdict(self)

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> AlertBook:
        """
        Read what *to_dict* gave.

        Raises:
            KeyError: Something is missing.
            TypeError: Something is of another kind.
        """
        return AlertBook(
            salt=content["salt"],
            incidents=tuple(
                Incident(**one | {"told": tuple(one["told"]), "runs": tuple(one.get("runs", ()))})
                for one in content["incidents"]
            ),
            alerts=tuple(Alert(**one) for one in content["alerts"]),
            failing={name: Failing(**it) for name, it in content["failing"].items()},
        )


def _wants(listeners: Mapping[str, Wants], channel: str, kind: str) -> bool:
    wants = listeners.get(channel)
    return wants is not None and wants(kind)


def _is_ahead(moment: str, now: datetime) -> bool:
    return bool(moment) and datetime.fromisoformat(moment) > now


def _is_ahead_by(heard: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(heard) >= KEPT


def _only_to(alert: Alert, channels: Iterable[str]) -> Alert:
    return replace(alert, to={name: it for name, it in alert.to.items() if name in set(channels)})


def _less(alert: Alert, channel: str) -> Alert:
    return replace(alert, to={name: it for name, it in alert.to.items() if name != channel})
