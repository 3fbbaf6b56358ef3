"""Who is told of a job, in words, without a word of an address."""

from __future__ import annotations

from exchanger.config.findings import listed
from exchanger.config.models import Config, Notification

_WHEN = {
    "failed": "a run fails",
    "partial": "rows are not taken, or none came",
    "held_back": "a run waits for a person",
    "missed": "a start is missed",
    "overdue": "it is overdue",
    "recovered": "that is over",
    "succeeded": "a run succeeds",
}


def channel_name(config: Config, notification: Notification) -> str:
    """Name a channel by its place in the configuration and its kind, which are no secrets."""
    place = config.notifications.index(notification)
    kind = notification.url.get_secret_value().strip().partition("://")[0].lower()
    return f"notifications[{place}]" + (f" ({kind})" if kind.isalnum() else "")


def describe_told(config: Config, job: str) -> list[str]:
    """Describe by which channels people are told of a job, and of what."""
    return [
        f"tells {channel_name(config, one)} when {listed(_WHEN[kind] for kind in one.when)}"
        for one in config.told_of(job)
    ]
