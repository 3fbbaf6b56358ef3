"""Whether the channels that a configuration names can be read, and whether they take a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchanger.config.describing.notifications import channel_name
from exchanger.errors import ConfigError, Problem

if TYPE_CHECKING:
    from exchanger.config.models import Config, Notification

UNREAD = (
    "Apprise, which sends it, does not know this URL; its spelling for each service:"
    " https://appriseit.com/services/"
)


@dataclass(frozen=True)
class ChannelTrial:
    """
    A channel that was sent a text.

    Args:
        channel: Its name.
        ok: Whether it took it.
    """

    channel: str
    ok: bool


def check_channels(config: Config, source: str = "") -> None:
    """
    Check that Apprise can read the URL of each channel; nothing is sent.

    Args:
        config: The configuration.
        source: The name of its file, for the error.

    Raises:
        ConfigError: It cannot, with the place of each.
    """
    if not config.notifications:
        return
    from exchanger.outside.notify.channel import can_be_read

    problems = [
        Problem(f"notifications[{place}].url", UNREAD)
        for place, one in enumerate(config.notifications)
        if not can_be_read(one.url.get_secret_value().strip())
    ]
    if problems:
        raise ConfigError(problems, source)


def try_channels(config: Config) -> list[ChannelTrial]:
    """Send a text to each channel that says that it is a trial."""
    from exchanger.app.alerts.texts import trial_text
    from exchanger.outside.notify.channel import send

    title, body = trial_text()
    trials = []
    for url, one in _by_url(config).items():
        taken = send(url, title, body, "info")
        trials.append(ChannelTrial(channel_name(config, one), taken))
    return trials


def _by_url(config: Config) -> dict[str, Notification]:
    """Return the channels by their URLs, each with its first entry."""
    urls: dict[str, Notification] = {}
    for one in config.notifications:
        urls.setdefault(one.url.get_secret_value().strip(), one)
    return urls
