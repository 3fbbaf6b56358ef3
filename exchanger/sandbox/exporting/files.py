"""``/users/export/segment``: files that appear one by one (braze-api.md 4)."""

from __future__ import annotations

import gzip
import io
import random
import uuid
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, cast

from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.json_text import render
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.times import read_time, spell_epoch

MAX_CUSTOM_ATTRIBUTES = 500
ROOT = "segment-export"


class Storage(Protocol):
    """The customer's bucket."""

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        ...


@dataclass(frozen=True)
class Order:
    """
    What was asked for.

    Args:
        segment_id: Of which segment.
        fields: ``fields_to_export``.
        custom_attributes: ``custom_attributes_to_export``.
        output_format: ``zip`` or ``gzip``.
        callback: Address to tell when it is ready.
        updated_since: Only profiles that were last updated then or later: epoch seconds.
    """

    segment_id: str
    fields: tuple[str, ...]
    custom_attributes: tuple[str, ...] | None
    output_format: Literal["zip", "gzip"]
    callback: str | None
    updated_since: float = 0.0


@dataclass
class Export:
    """
    One running or finished export.

    Args:
        order: What was asked for.
        prefix: The ``object_prefix``.
        files: Users of each file to write; membership is that of the start.
        started: Epoch seconds.
        interval: Seconds until each file appears.
        fail_after: Goes silent after so many files.
        written: Files written.
        state: ``silent`` is the failure that nobody is told of.
        ready_at: When it became complete.
        parts: Name and lines of each file, kept while there is no bucket.
    """

    order: Order
    prefix: str
    files: list[list[Profile]]
    started: float
    interval: float
    fail_after: int | None
    written: int = 0
    state: Literal["running", "done", "silent", "cancelled"] = "running"
    ready_at: float | None = None
    parts: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def next_due(self) -> float:
        """When the next file, or without files the end, is due: epoch seconds."""
        return self.started + self.interval * (self.written + 1)

    def lines(self, settings: SandboxSettings) -> bytes:
        """The next file's lines: profiles as they are now."""
        return b"".join(
            render(
                profile.exported(
                    self.order.fields,
                    only_custom=self.order.custom_attributes,
                    created_at_style=settings.created_at_style,
                )
            )
            + b"\n"
            for profile in self.files[self.written]
        )

    def finish_if_complete(self, now: float) -> None:
        """Become done when all files are written, or silent when it is to fail."""
        if self.fail_after is not None and self.written >= self.fail_after:
            self.state = "silent"
        elif self.written >= len(self.files):
            self.state, self.ready_at = "done", now

    def archive(self) -> bytes:
        """The single ZIP of all parts, for the download address."""
        return _zipped(self.parts)


def new_export(
    order: Order, users: Iterable[Profile], settings: SandboxSettings, now: float, seed: str
) -> Export:
    """An export that starts now."""
    prefix = uuid.UUID(int=random.Random(seed).getrandbits(128), version=4)  # noqa: S311
    return Export(
        order=order,
        prefix=f"{prefix}-{int(now)}",
        files=_divided(list(users), settings),
        started=now,
        interval=settings.seconds_per_file,
        fail_after=settings.export_fail_after_files,
    )


def write_file(
    export: Export, lines: bytes, storage: Storage | None, now: float, name: str
) -> None:
    """
    Publish a file of rendered lines.

    Args:
        export: Whose file it is.
        lines: From ``Export.lines``.
        storage: The bucket; without one the file joins the archive.
        now: Epoch seconds; gives the date folder.
        name: Random hexadecimal name of the file.
    """
    if storage is None:
        export.parts.append((f"{name}.json", lines))
        return
    zipped = export.order.output_format == "zip"
    body = _zipped([(f"{name}.json", lines)]) if zipped else gzip.compress(lines, 1, mtime=0)
    folder = f"{ROOT}/{export.order.segment_id}/{spell_epoch(now)[:10]}/{export.prefix}"
    storage.put(f"{folder}/{name}.{'zip' if zipped else 'gz'}", body)


def read_order(
    body: dict[str, Any], known: Callable[[str], bool], problem_of: Callable[[Any], str | None]
) -> Order | str:
    """
    What a request asks for, or what is wrong with it.

    Args:
        body: Of the request.
        known: Whether a segment exists.
        problem_of: What is wrong with a ``fields_to_export``.
    """
    fields, custom = body.get("fields_to_export"), body.get("custom_attributes_to_export")
    output_format, callback = body.get("output_format") or "zip", body.get("callback_endpoint")
    if not isinstance(body.get("segment_id"), str) or not known(body["segment_id"]):
        return "segment_id is not valid"
    if problem := problem_of(fields) if fields else "fields_to_export must be provided":
        return problem
    since = body.get("user_last_updated_at")
    instant = read_time(since) if isinstance(since, str) else None
    if problem := _problem_of_attributes(custom) or _problem_of_time(since, instant):
        return problem
    if output_format not in ("zip", "gzip"):
        return "output_format must be zip or gzip"
    if callback is not None and not str(callback).startswith(("http://", "https://")):
        return "callback_endpoint is not a valid URL"
    return Order(
        segment_id=body["segment_id"],
        fields=tuple(cast("list[str]", fields)),
        custom_attributes=None if custom is None else tuple(custom),
        output_format=cast("Literal['zip', 'gzip']", output_format),
        callback=callback,
        updated_since=instant.timestamp() if instant else 0.0,
    )


def _problem_of_attributes(custom: Any) -> str | None:
    if custom is None:
        return None
    if not isinstance(custom, list) or not all(isinstance(name, str) for name in custom):
        return "custom_attributes_to_export must be an array of strings"
    if len(custom) > MAX_CUSTOM_ATTRIBUTES:
        return f"custom_attributes_to_export takes {MAX_CUSTOM_ATTRIBUTES} attributes at most"
    return None


def _problem_of_time(given: Any, read: datetime | None) -> str | None:
    unreadable = given is not None and read is None
    return "'user_last_updated_at' must be a valid datetime" if unreadable else None


def _divided(users: list[Profile], settings: SandboxSettings) -> list[list[Profile]]:
    size = settings.users_per_file
    files = [users[start : start + size] for start in range(0, len(users), size)]
    if not files and settings.empty_export == "file":
        return [[]]
    repeated = [files[n - 1][: settings.export_repeats] if n else [] for n in range(len(files))]
    return [again + users for again, users in zip(repeated, files, strict=True)]


def _zipped(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, lines in members:
            archive.writestr(zipfile.ZipInfo(name), lines, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
