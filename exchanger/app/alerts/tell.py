"""
Tells people: what is new goes into the book, and what is due is sent.

Nothing of it fails a run. Who claims an alert sends it, so that of two processes one does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import structlog

from exchanger.app.alerts.news import news_of_run, rejected_percent
from exchanger.app.alerts.texts import together
from exchanger.app.wiring import open_context
from exchanger.config.describing.notifications import channel_name
from exchanger.state.alerts.document import AlertDocument
from exchanger.state.names import StateNames

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.app.outcome import Outcome
    from exchanger.config.models import Config, Notification
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.notify.channel import Tone
    from exchanger.state.alerts.book import Alert, AlertBook, News, Wants
    from exchanger.state.alerts.document import Change

AT_A_TIME = 20
"""Alerts that a channel gets at a time."""
SINGLY = 3
"""More than so many alerts at a time are sent as one text."""
PATIENCE = 60.0
"""Seconds after which a process begins to send nothing more: others may claim the rest."""

_TONES: dict[str, Tone] = {"succeeded": "success", "recovered": "success", "failed": "failure"}

log = structlog.get_logger()


def tell_of_run(config: Config, outcome: Outcome, *, begins: bool) -> int | None:
    """
    Send people what the end of a run means for them.

    Args:
        config: The configuration.
        outcome: What became of the run.
        begins: Whether it may begin troubles; what a person decides only ends some.

    Returns:
        How many alerts could not be sent and wait; None if none does.
    """
    job = outcome.report["job"]
    if outcome.report.get("stopped"):
        return None
    try:
        with open_context(config, config.connection_of(job)) as context:
            return _told(context, config, outcome, begins=begins)
    except Exception as error:  # noqa: BLE001 - it has ended as it did, whoever hears of it
        # What is in the words of others nobody knows, so they stay out of the log.
        log.warning("alert.not_told", job=job, error=type(error).__name__)
        return None


def _told(context: JobContext, config: Config, outcome: Outcome, *, begins: bool) -> int | None:
    if outcome.report["state"] == "partial" and outcome.report.get("seq"):
        outcome = replace(outcome, report=_with_counts(context, outcome.report))
    report = outcome.report
    document = open_alerts(context)
    held = None
    if document.read().find(report["job"], "held_back") and not report.get("held_back"):
        held = _is_held(context, report["job"])
    news = news_of_run(config, outcome, held=held, begins=begins)
    percent = rejected_percent(config, report)
    return tell(document, config, [(news, percent)]).waiting or None


def _is_held(context: JobContext, job: str) -> bool:
    from exchanger.jobs.history.held_runs import held_runs
    from exchanger.state.store import open_state

    state = open_state(context.bucket, context.state_prefix)
    return bool(held_runs(state, state.file_ledger.snapshot(), job))


def _with_counts(context: JobContext, report: dict[str, Any]) -> dict[str, Any]:
    """Add to each file of a run how many of its rows were rejected, as its document knows."""
    from exchanger.state.store import open_state

    state = open_state(context.bucket, context.state_prefix)
    claimed = state.runs.read(report["seq"]).document.files
    rejected = {file.key: file.rejected for file in claimed}
    files = [{**file, "rejected": rejected.get(file["key"], 0)} for file in report["files"]]
    return {**report, "files": files}


def open_alerts(context: JobContext) -> AlertDocument:
    """Open the book of a connection."""
    # As of heartbeats: where the configuration says, also if the memory itself is elsewhere.
    return AlertDocument(context.bucket, StateNames(context.state_prefix).alerts)


@dataclass(frozen=True)
class Told:
    """How many alerts wait, and after how many seconds one may be tried again."""

    waiting: int = 0
    again_in: float | None = None


def tell(
    document: AlertDocument, config: Config, heard: Iterable[tuple[News, float | None]] = ()
) -> Told:
    """
    Write down what is new, and send what is due.

    Args:
        document: The book.
        config: The configuration.
        heard: What is new of jobs, each with how many rows were rejected, if nothing else was.

    Raises:
        StorageError: The book could not be read or written.
    """
    channels = {one.url.get_secret_value().strip(): one for one in reversed(config.notifications)}
    news = [*heard]
    claimed: dict[str, list[Alert]] = {}

    def change(book: AlertBook, now: datetime) -> AlertBook:
        for one, percent in news:
            book = book.heard(one, _listeners(book, config, one.job, percent), now)
        claimed.clear()
        book, mine = book.claimed(map(book.channel, channels), now, AT_A_TIME)
        claimed.update(mine)
        return book

    until = time.monotonic() + PATIENCE
    while time.monotonic() <= until:
        book = document.change(change)
        news.clear()
        if not claimed:
            break
        for url, one in channels.items():
            channel = _Channel(book.channel(url), url, channel_name(config, one))
            _send_all(document, channel, claimed.get(channel.id, []), until)
    again = book.seconds_to_next(map(book.channel, channels), document.now())
    return Told(len(book.alerts), again)


@dataclass(frozen=True)
class _Channel:
    """What a channel is called in the book, its URL, and what people may know it by."""

    id: str
    url: str = field(repr=False)
    name: str


def _listeners(
    book: AlertBook, config: Config, job: str, percent: float | None
) -> dict[str, Wants]:
    """Return by channel what it is told of a job: each of its entries adds to that."""
    entries: dict[str, list[Notification]] = {}
    for one in config.told_of(job):
        entries.setdefault(book.channel(one.url.get_secret_value().strip()), []).append(one)

    def wants(told: list[Notification]) -> Wants:
        return lambda kind: any(one.wants(kind, percent) for one in told)

    return {channel: wants(told) for channel, told in entries.items()}


def _send_all(
    document: AlertDocument, channel: _Channel, alerts: list[Alert], until: float
) -> None:
    """Send what was claimed for a channel, and write down what became of each text."""
    texts = [alerts] if len(alerts) > SINGLY else [[alert] for alert in alerts]
    for nth, text in enumerate(texts):
        left = [alert for rest in texts[nth:] for alert in rest]
        if time.monotonic() > until:
            document.change(_released(channel, left))
            return
        if not _send(channel.url, text):
            _failed(document, channel, left)
            return
        document.change(_sent(channel, text))
        for alert in text:
            log.info("alert.sent", channel=channel.name, job=alert.job, kind=alert.kind)


def _sent(channel: _Channel, alerts: list[Alert]) -> Change:
    return lambda book, _: book.sent(channel.id, alerts)


def _released(channel: _Channel, alerts: list[Alert]) -> Change:
    return lambda book, _: book.released(channel.id, alerts)


def _send(url: str, alerts: list[Alert]) -> bool:
    from exchanger.outside.notify.channel import send

    tones: set[Tone] = {_TONES.get(alert.kind, "warning") for alert in alerts}
    title, body = alerts[0].title, alerts[0].body
    if len(alerts) > 1:
        title, body = together((alert.title, alert.body) for alert in alerts)
    return send(url, title, body, tones.pop() if len(tones) == 1 else "warning")


def _failed(document: AlertDocument, channel: _Channel, alerts: list[Alert]) -> None:
    before: list[AlertBook] = []

    def change(book: AlertBook, now: datetime) -> AlertBook:
        before[:] = [book]
        return book.refused(channel.id, alerts, now)

    after = document.change(change)
    given_up = len(before[0].alerts) - len(after.alerts)
    if given_up:
        log.warning("alert.given_up", channel=channel.name, alerts=given_up)
    # Once for as long as it lasts.
    say = log.info if channel.id in before[0].failing else log.warning
    say("alert.failed", channel=channel.name, waiting=len(after.alerts))
