"""What people were told of and is not over, and what is yet to be told, for programs and people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from exchanger.config.describing.notifications import channel_name

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.state.alerts.book import AlertBook


def alerts_json(config: Config, books: Mapping[str, AlertBook]) -> dict[str, Any]:
    """
    Render the books of connections.

    Returns:
        ``open``: what is not over. ``waiting``: what could not be told yet. ``failing``: channels
        that do not take anything, and when each is tried again.
    """
    return {
        "open": [
            {"connection": name, "job": one.job, "kind": one.kind, "since": one.since}
            for name, book in books.items()
            for one in book.incidents
        ],
        "waiting": [
            {"connection": name, "job": one.job, "kind": one.kind, "at": one.at, "text": one.title}
            for name, book in books.items()
            for one in book.alerts
        ],
        "failing": [
            {"connection": name, **one}
            for name, book in books.items()
            for one in _failing(config, book)
        ],
    }


def describe_alerts(content: Mapping[str, Any]) -> Iterator[str]:
    """Describe what *alerts_json* gave."""
    for one in content["open"]:
        yield f"{one['job']}: {one['kind'].replace('_', ' ')} since {_time(one['since'])}"
    for one in content["waiting"]:
        yield f"not told yet: {one['text']} ({_time(one['at'])})"
    for one in content["failing"]:
        yield (
            f"{one['channel']} takes nothing since {_time(one['since'])}; it is tried again at"
            f" {_time(one['again_at'])}, by the next run or the daemon"
        )
    if not any(content.values()):
        yield "Nothing is open, and nothing waits to be told."


def _failing(config: Config, book: AlertBook) -> Iterator[dict[str, Any]]:
    names = {
        book.channel(one.url.get_secret_value().strip()): channel_name(config, one)
        for one in reversed(config.notifications)
    }
    for channel, failing in book.failing.items():
        if channel in names:
            yield {"channel": names[channel], "since": failing.since, "again_at": failing.due}


def _time(text: str) -> str:
    return text[:19].replace("T", " ")
