"""Runs segment exports: starts them, makes their files appear in time, tells the callback."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import urllib.request
from typing import Any

from exchanger.sandbox.exporting.files import Export, Storage, new_export, read_order, write_file
from exchanger.sandbox.exporting.lookup import fields_problem
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.json_text import render
from exchanger.sandbox.workspace import Workspace

_CALLBACK_SECONDS = 10
_FAR = 3600.0


class Exporter:
    """
    All segment exports of a workspace.

    Args:
        workspace: Whose profiles are exported.
        storage: The customer's bucket; without one exports are downloaded.
    """

    def __init__(self, workspace: Workspace, storage: Storage | None) -> None:
        self._workspace = workspace
        self._storage = storage
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="sandbox-exports", daemon=True)
        self._names = random.Random(  # noqa: S311 (file names)
            f"{workspace.settings.seed} {workspace.identity}"
        )
        self._numbers = itertools.count()
        self.exports: list[Export] = []
        self.base_url = ""

    def start_thread(self) -> None:
        """Begin to write files in the background."""
        self._thread.start()

    def stop_thread(self) -> None:
        """Stop writing; what is running stays unfinished."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def forget(self) -> None:
        """Forget all exports."""
        with self._writing, self._workspace.lock:
            self.exports.clear()

    def start(self, body: dict[str, Any]) -> Answer:
        """Answer ``/users/export/segment``."""
        space = self._workspace
        with space.settled():
            settings = space.settings
            order = read_order(
                body, space.segments.__contains__, lambda names: fields_problem(names, settings)
            )
            if isinstance(order, str):
                return refused(400, order)
            running = [export for export in self.exports if export.state == "running"]
            if len(running) >= settings.max_running_exports or any(
                export.order.segment_id == order.segment_id for export in running
            ):
                return refused(429)
            segment = space.segments[order.segment_id]
            users = [
                one
                for one in space.directory.profiles.values()
                if one.updated_at >= order.updated_since and segment.holds(one)
            ]
            seed = f"{settings.seed} {space.identity} {next(self._numbers)}"
            export = new_export(order, users, settings, space.now(), seed)
            self.exports.append(export)
        self._wake()
        answer = {"message": "success", "object_prefix": export.prefix, "url": self._url(export)}
        return Answer(settings.export_status, answer)

    def cancel(self, body: dict[str, Any]) -> Answer:
        """Answer ``/export/segment/cancel``."""
        with self._workspace.lock:
            for export in self.exports:
                if export.order.segment_id == body.get("segment_id") and export.state == "running":
                    export.state = "cancelled"
        return Answer(201, {"message": "success"})

    def archive(self, prefix: str) -> bytes | None:
        """The ZIP behind a download address; ``None`` before it is ready and after it expired."""
        with self._workspace.lock:
            now, lifetime = self._workspace.now(), self._workspace.settings.export_url_lifetime
            for export in self.exports:
                ready = export.ready_at if self._storage is None else None
                if export.prefix == prefix and ready is not None and now <= ready + lifetime:
                    return export.archive()
        return None

    def write_due(self) -> None:
        """Write every file whose time has come, end what is complete, forget what is over."""
        with self._writing:
            for export in list(self.exports):
                while self._write_next(export):
                    pass
            with self._workspace.lock:
                self.exports = [export for export in self.exports if self._is_of_use(export)]

    def _is_of_use(self, export: Export) -> bool:
        """Whether an export still writes files, or can be downloaded."""
        if export.state == "running":
            return True
        if self._storage is not None or export.ready_at is None:
            return False
        lifetime = self._workspace.settings.export_url_lifetime
        return self._workspace.now() <= export.ready_at + lifetime

    def _write_next(self, export: Export) -> bool:
        """Take one step of an export; ``False`` when nothing more is due."""
        space = self._workspace
        with space.lock:
            now = space.now()
            if export.state != "running" or export.next_due > now:
                return False
            if export.written >= len(export.files) or export.fail_after == 0:
                export.finish_if_complete(now)
                self._tell(export)
                return False
            space.settle()
            lines = export.lines(space.settings)
            name = f"{self._names.getrandbits(128):032x}"
        write_file(export, lines, self._storage, now, name)
        with space.lock:
            export.written += 1
            if export.state == "running":
                export.finish_if_complete(now)
                self._tell(export)
            return export.state == "running"

    def _tell(self, export: Export) -> None:
        if export.state != "done" or export.order.callback is None:
            return
        body: dict[str, Any] = {"success": True}
        if url := self._url(export):
            body["url"] = url
        arguments = (export.order.callback, render(body))
        threading.Thread(target=_call_back, args=arguments, daemon=True).start()

    def _url(self, export: Export) -> str | None:
        return None if self._storage else f"{self.base_url}/exports/{export.prefix}.zip"

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                self._changed.wait(self._until_next())
                if self._stopped:
                    return
            self.write_due()

    def _until_next(self) -> float:
        with self._workspace.lock:
            due = [export.next_due for export in self.exports if export.state == "running"]
            return max(0.0, min(due, default=_FAR) - self._workspace.now()) if due else _FAR


def _call_back(url: str, body: bytes) -> None:
    request = urllib.request.Request(  # noqa: S310 (only http and https are accepted)
        url, body, {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=_CALLBACK_SECONDS):  # noqa: S310
            pass
    except OSError as error:
        # Braze documents no retry: whoever waits for the callback alone waits for ever.
        logging.getLogger(__name__).info("The export callback failed: %s", error)
