"""Everything that one sandbox workspace remembers, behind one lock."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from exchanger.sandbox.audiences import segments
from exchanger.sandbox.audiences.segment_sizes import SegmentSizes, data_series, day_of
from exchanger.sandbox.audiences.segments import Segment
from exchanger.sandbox.exporting import lookup
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.http.faults import Faults
from exchanger.sandbox.http.journal import Journal
from exchanger.sandbox.http.rate_limits import RateLimits, Verdict
from exchanger.sandbox.identity.identifiers import Directory
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.times import spell_epoch
from exchanger.sandbox.tracking import track
from exchanger.sandbox.tracking.groups import Groups
from exchanger.sandbox.tracking.meter import Meter
from exchanger.sandbox.tracking.track import Accepted


class Workspace:
    """
    Profiles, segments, meter, limits and faults. Every method may be called from any thread.

    Args:
        settings: What the workspace is like.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self.lock = threading.RLock()
        self.settings = settings
        self._one_of_its_kind = uuid.uuid4().hex
        self._ahead = 0.0
        self.reset()

    @property
    def identity(self) -> str:
        """What ids are made from: the name in the settings, else one that nobody else has."""
        return str(self.settings.workspace or self._one_of_its_kind)

    def reset(self) -> None:
        """Forget everything but the settings, the clock, and which workspace it is."""
        with self.lock:
            self.directory = Directory(f"{self.settings.seed} {self.identity}")
            self.meter = Meter()
            self.groups = Groups()
            self.limits = RateLimits()
            self.faults = Faults(self.settings.seed)
            self.journal = Journal(self.settings.keep_requests, self.settings.keep_bytes)
            self.segments: dict[str, Segment] = {}
            self._sizes = SegmentSizes(self.now())
            self._waiting: list[tuple[float, int, Accepted]] = []
            self._ticket = itertools.count()
            self._random = random.Random(self.settings.seed)  # noqa: S311 (repeatable)

    def now(self) -> float:
        """The workspace's time in epoch seconds: the machine's, and what it was set ahead."""
        return time.time() + self._ahead

    def set_ahead(self, seconds: float) -> None:
        """Let so much time pass at once."""
        with self.lock:
            self._ahead += seconds

    def spend(self, pool: str) -> Verdict:
        """Count a request against a rate limit."""
        with self.lock:
            return self.limits.spend(pool, self.settings, self.now())

    def track(self, body: dict[str, Any]) -> Answer:
        """Answer ``/users/track``, and apply it now or when the settings say."""
        with self.lock:
            self.settle()
            answer, accepted = track.receive(body, self.settings)
            if accepted.objects:
                answer, accepted = self._grouped(body, answer, accepted)
                heapq.heappush(self._waiting, (self._due(), next(self._ticket), accepted))
                self.settle()
            return answer

    def _grouped(
        self, body: dict[str, Any], answer: Answer, accepted: Accepted
    ) -> tuple[Answer, Accepted]:
        """Track a request that names a group, or tell beside its answer why it is not tracked."""
        if trouble := self.groups.trouble(body, self.settings, self.now()):
            errors = [*(answer.body.get("errors") or ()), {"type": trouble}]
            return replace(answer, body=answer.body | {"errors": errors}), accepted
        if "group_id" in body:
            self.groups.receive(body["group_id"], self.now())
            accepted = replace(accepted, group=body["group_id"])
        return answer, accepted

    def tell_group(self, parameters: Mapping[str, str]) -> Answer:
        """Answer ``/users/track/status``."""
        with self.lock:
            self.settle()
            return self.groups.status(parameters, self.settings, self.now())

    def _due(self) -> float:
        delay = self.settings.apply_delay
        if self.settings.apply_reorder:
            delay *= self._random.uniform(0, 2)
        return self.now() + delay if delay else 0.0

    def settle(self) -> None:
        """Apply the waiting requests whose time has come."""
        now = self.now()
        with self.lock:
            self._sizes.pass_time(now, self._counted)
            while self._waiting and self._waiting[0][0] <= now:
                accepted = heapq.heappop(self._waiting)[2]
                track.apply(accepted, self.directory, self.meter, self.settings, now)
                if accepted.group:
                    self.groups.finish(accepted.group, now)

    def look_up(self, body: dict[str, Any]) -> Answer:
        """Answer ``/users/export/ids``."""
        with self.lock:
            self.settle()
            return lookup.look_up(body, self.directory, self.settings)

    def add_segment(
        self,
        name: str,
        where: Iterable[Mapping[str, Any]] = (),
        members: Iterable[str] | None = None,
        tags: Iterable[str] = (),
    ) -> Segment:
        """Create the segment, or replace the one of the same name; see ``segments.Segment``."""
        segment = segments.new_segment(
            name, where, members, self.now(), tags, workspace=self.identity
        )
        with self.lock:
            self.segments[segment.id] = segment
        return segment

    def list_segments(self, parameters: Mapping[str, str]) -> Answer:
        """Answer ``/segments/list``: 100 per page, oldest first unless asked otherwise."""
        page = parameters.get("page", "0")
        if not page.isdecimal():
            return refused(400, "page must be a non-negative integer")
        with self.lock:
            listed = [segment.listed() for segment in self.segments.values()]
        if parameters.get("sort_direction") == "desc":
            listed.reverse()
        start = int(page) * segments.PAGE
        return Answer(
            200, {"message": "success", "segments": listed[start : start + segments.PAGE]}
        )

    def describe_segment(self, parameters: Mapping[str, str]) -> Answer:
        """Answer ``/segments/details``."""
        with self.lock:
            segment = self.segments.get(parameters.get("segment_id", ""))
        if segment is None:
            return refused(400, "segment_id is not valid")
        created = spell_epoch(segment.created_at)
        return Answer(
            200,
            {
                "message": "success",
                "created_at": created,
                "updated_at": created,
                "name": segment.name,
                "description": "",
                "text_description": "",
                "tags": list(segment.tags),
                "teams": [],
            },
        )

    def size_segment(self, parameters: Mapping[str, str]) -> Answer:
        """Answer ``/segments/data_series``; the size of today is the present one."""
        with self.lock:
            self.settle()
            now, segment = self.now(), self.segments.get(parameters.get("segment_id", ""))

            def size_on(day: date) -> int | None:
                if segment is None or day_of(segment.created_at) > day:
                    return None
                return (
                    self._size(segment) if day == day_of(now) else self._sizes.on(day, segment.id)
                )

            return data_series(parameters, segment, size_on, self.settings, now)

    def _size(self, segment: Segment) -> int:
        return sum(map(segment.holds, self.directory.profiles.values()))

    def _counted(self) -> dict[str, int]:
        return {segment.id: self._size(segment) for segment in self.segments.values()}

    def set_profiles(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """
        Set profiles without a request: no meter, no limits, no delay.

        Args:
            rows: Attributes objects with an ``external_id``; a null says nothing.

        Returns:
            How many there were.
        """
        count = 0
        with self.lock:
            for row in rows:
                given = {name: value for name, value in row.items() if value is not None}
                if not given.get("external_id"):
                    raise ValueError("a seeded profile needs an external_id")
                profile = self.directory.find_or_create(given, self.now())
                if profile is not None:
                    track.set_attributes(self.directory, profile, given, self.settings)
                count += 1
        return count
