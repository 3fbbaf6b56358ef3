"""
A channel: one URL of Apprise.

Apprise is imported here alone, and only once something is sent or a URL is checked: it takes a
fifth of a second and 25 MB. What it logs may hold parts of the URL, so it is muted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from apprise import Apprise

SECONDS = 20
"""How long one text may take; whether it came is unknown after that, and counts as not."""

Tone = Literal["info", "success", "warning", "failure"]
"""How a text is shown, where a channel has colours or signs for it."""

_LOGGERS = ("apprise", "urllib3.connectionpool")


def can_be_read(url: str) -> bool:
    """Return whether Apprise knows what a URL names; nothing is sent."""
    with _muted():
        try:
            return _opened(url) is not None
        except Exception:  # noqa: BLE001 - whatever a service does with an odd URL
            return False


def send(url: str, title: str, body: str, tone: Tone) -> bool:
    """
    Send a text, and return whether it was taken. No error leaves, as it might show the URL.

    Args:
        url: The channel.
        title: What people read first.
        body: What they read then, as plain text.
        tone: How it is shown.
    """
    with _muted():
        try:
            channel = _opened(url)
            if channel is None:
                return False
            told = channel.notify(
                body=body, title=title, notify_type=tone, body_format="text", timeout=SECONDS
            )
            return bool(told)
        except Exception:  # noqa: BLE001 - a channel fails nothing, whatever its service does
            return False


def _opened(url: str) -> Apprise | None:
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="exchanger",
        app_desc="exchanger keeps Braze and S3 in step",
        app_url="",
        language="en",
        storage_mode="memory",
        service_timeout=SECONDS,
        secure_logging=True,
    )
    channel = Apprise(asset=asset)
    return channel if channel.add(url) else None


@contextmanager
def _muted() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
