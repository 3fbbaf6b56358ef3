"""What is wrong with a channel that people are told by, as far as it shows without sending."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from exchanger.config.findings import Finding, closest
from exchanger.config.models import Notification


def check_notifications(
    notifications: Iterable[tuple[int, Notification]], jobs: Sequence[str]
) -> Iterator[Finding]:
    """
    Check each channel; whether Apprise knows its URL is tried by ``check`` alone.

    Args:
        notifications: Those that could be built, by their places.
        jobs: The names of all jobs.
    """
    for place, one in notifications:
        url = one.url.get_secret_value().strip()
        # The URL may be a secret: no word of it is repeated.
        if not url.partition("://")[2]:
            message = "write an Apprise URL, such as slack://... or mailto://..., by ${NAME}"
            yield Finding(("notifications", place, "url"), message)
        for nth, name in enumerate(one.jobs):
            if not set(name) & set("*?[") and name not in jobs:
                where = ("notifications", place, "jobs", nth)
                yield Finding(where, f"there is no job '{name}'", closest(name, jobs))
