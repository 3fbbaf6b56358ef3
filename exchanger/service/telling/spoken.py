"""
What children write on standard error, as events of the daemon.

Their own events pass as they are. Everything else becomes one: sentences for people, tracebacks,
and what native code writes before it dies. So each line of the daemon's log is JSON.
"""

from __future__ import annotations

import json
import os
import select
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import structlog

PAUSE = 0.1
"""Seconds without a word after which what was said counts as one piece."""

_CHUNK = 1 << 16
_LONGEST = 1 << 20
"""Bytes that wait for the end of a line, or for a pause."""

_BEGIN, _END = 2_000, 6_000
"""Characters that are kept of a long text: how it begins, and how it ends."""

_LEVELS = ("debug", "info", "warning", "error", "critical")
_OURS = ("event", "level", "self")
"""Names that cannot be facts of an event."""

log = structlog.get_logger()


def pieces(stream: int) -> Iterator[list[str]]:
    """
    Read whole lines, those together that come without a pause.

    Args:
        stream: The reading end of a pipe, which is read until it is closed.
    """
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    buffer = b""
    while True:
        if b"\n" in buffer and (len(buffer) > _LONGEST or not poll.poll(PAUSE * 1000)):
            whole, _, buffer = buffer.rpartition(b"\n")
            yield _lines(whole)
        chunk = os.read(stream, _CHUNK)
        buffer += chunk
        if not chunk or (len(buffer) > _LONGEST and b"\n" not in buffer):
            if buffer:
                yield _lines(buffer)
            buffer = b""
        if not chunk:
            return


def tell(lines: Iterable[str], name: str, **about: Any) -> None:
    """
    Log what a child said.

    Args:
        lines: Whole lines.
        name: The event that words of no event become.
        about: Whom they are about; a child's own events say it first.
    """
    read = [(line, _event_of(line)) for line in lines]
    for is_event, group in groupby(read, key=lambda each: each[1] is not None):
        if is_event:
            for _, event in group:
                _tell_event(about | (event or {}))
        else:
            text = "\n".join(line for line, _ in group).strip()
            if text:
                log.warning(name, **about, text=_cut(text))


def _lines(piece: bytes) -> list[str]:
    return piece.decode(errors="replace").splitlines()


def _event_of(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content.get("event"), str) else None


def _tell_event(content: dict[str, Any]) -> None:
    level = content.get("level")
    facts = {name: value for name, value in content.items() if name not in _OURS}
    log_it = getattr(log, level if level in _LEVELS else "warning")
    log_it(content["event"], **facts)


def _cut(text: str) -> str:
    if len(text) <= _BEGIN + _END:
        return text
    left_out = len(text) - _BEGIN - _END
    return f"{text[:_BEGIN]}\n... {left_out:,} characters left out ...\n{text[-_END:]}"
