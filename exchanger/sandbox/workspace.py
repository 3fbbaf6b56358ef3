"""Everything that one sandbox workspace remembers, behind one lock."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from exchanger.sandbox.audiences import listings, segments
from exchanger.sandbox.audiences.cohorts import Cohorts
from exchanger.sandbox.audiences.segment_sizes import SegmentSizes, data_series, day_of
from exchanger.sandbox.audiences.segments import Segment
from exchanger.sandbox.catalogs.catalogs import Catalogs
from exchanger.sandbox.exporting import lookup
from exchanger.sandbox.http.answers import Answer, Malformed
from exchanger.sandbox.http.faults import Faults
from exchanger.sandbox.http.rate_limits import RateLimits, Verdict
from exchanger.sandbox.identity.directory import Directory
from exchanger.sandbox.identity.profiles import FLAGS, Profile
from exchanger.sandbox.inspecting.journal import Journal
from exchanger.sandbox.inspecting.writes import Writes
from exchanger.sandbox.scene import Handler, Scene, Step
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.subscriptions.states import Subscriptions
from exchanger.sandbox.tracking import applying, track
from exchanger.sandbox.tracking.groups import Groups
from exchanger.sandbox.tracking.meter import Meter
from exchanger.sandbox.tracking.track import Accepted

LATE = 60.0
"""Seconds until a request counts where groups are told late."""


class Workspace:
    """Profiles, segments, meter, limits and faults. Every method may be called from any thread."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.lock = threading.RLock()
        self._settings = settings
        self._one_of_its_kind = uuid.uuid4().hex
        self._ahead = self._late = 0.0
        self.reset()

    @property
    def settings(self) -> SandboxSettings:
        """What the workspace is like."""
        return self._settings

    @settings.setter
    def settings(self, settings: SandboxSettings) -> None:
        self._settings = self.scene.settings = settings

    @property
    def directory(self) -> Directory:
        """All profiles."""
        return self.scene.directory

    @property
    def meter(self) -> Meter:
        """Data points so far."""
        return self.scene.meter

    @property
    def identity(self) -> str:
        """What ids are made from: the name in the settings, else one that nobody else has."""
        return str(self.settings.workspace or self._one_of_its_kind)

    def reset(self) -> None:
        """Forget everything but the settings, the clock, and which workspace it is."""
        with self.lock:
            directory = Directory(f"{self.settings.seed} {self.identity}")
            subscriptions = Subscriptions(self.identity, self.now)
            directory.inherit = subscriptions.inherit
            self.scene = Scene(
                self.settings,
                self.now,
                directory,
                Meter(),
                Groups(),
                subscriptions,
                Catalogs(),
                Cohorts(),
                Writes(self.settings.keep_writes),
            )
            self.limits = RateLimits()
            self.faults = Faults(self.settings.seed)
            self.journal = Journal(self.settings.keep_requests, self.settings.keep_bytes)
            self.segments: dict[str, Segment] = {}
            self._sizes = SegmentSizes(self.now())
            self._waiting: list[tuple[float, int, Step]] = []
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

    @contextmanager
    def putting_off(self, seconds: float) -> Iterator[None]:
        """Let what is accepted within take effect so much later."""
        if not seconds:
            yield
            return
        with self.lock:
            self._late = seconds
            try:
                yield
            finally:
                self._late = 0.0

    def serve(self, handle: Handler) -> Callable[..., Answer]:
        """Return how an endpoint answers whose work is done now, or when the settings say."""

        def answer(given: Any, *captured: str) -> Answer:
            with self.settled():
                try:
                    made = handle(self.scene, given, *captured)
                except Malformed as problem:
                    return problem.answer
                if isinstance(made, Answer):
                    return made
                due = self.now() + self._late
                for step in made.steps:
                    due += self.settings.delays.get(step.kind, 0.0)
                    self._put_off(due, step)
                self.settle()
                return made.answer

        return answer

    def track(self, body: dict[str, Any]) -> Answer:
        """Answer ``/users/track``, and apply it now or when the settings say."""
        with self.settled():
            answer, accepted = track.receive(body, self.scene)
            if accepted.objects:
                answer, accepted = self._grouped(body, answer, accepted)
                self._put_off(self._due(), Step("track", partial(self._apply_track, accepted)))
                self.settle()
            return answer

    def _apply_track(self, accepted: Accepted, scene: Scene, now: float) -> None:
        applying.apply(accepted, scene, now)
        if accepted.group and self.settings.group_status != "stuck":
            scene.groups.finish(accepted.group, now)

    def _grouped(
        self, body: dict[str, Any], answer: Answer, accepted: Accepted
    ) -> tuple[Answer, Accepted]:
        """Track a request that names a group, or tell beside its answer why it is not tracked."""
        groups, now = self.scene.groups, self.now()
        if trouble := groups.trouble(body, self.settings, now):
            errors = [*(answer.body.get("errors") or ()), {"type": trouble}]
            return replace(answer, body=answer.body | {"errors": errors}), accepted
        group = body.get("group_id")
        if group is not None and self.settings.group_status == "late":
            self._put_off(max(now, self._due()) + LATE, Step("group", partial(_count, group)))
        elif group is not None:
            groups.receive(group, now)
            accepted = replace(accepted, group=group)
        return answer, accepted

    def tell_group(self, parameters: Mapping[str, str]) -> Answer:
        """Answer ``/users/track/status``."""
        with self.settled():
            return self.scene.groups.status(parameters, self.settings, self.now())

    def _due(self) -> float:
        delay = self.settings.apply_delay
        if self.settings.apply_reorder:
            delay *= self._random.uniform(0, 2)
        delay += self._late
        return self.now() + delay if delay else 0.0

    def _put_off(self, due: float, step: Step) -> None:
        heapq.heappush(self._waiting, (due, next(self._ticket), step))

    def settle(self) -> None:
        """Do the waiting work whose time has come."""
        now = self.now()
        with self.lock:
            self._sizes.pass_time(now, self._counted)
            while self._waiting and self._waiting[0][0] <= now:
                _, _, step = heapq.heappop(self._waiting)
                step.apply(self.scene, now)

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Hold the lock, with all work done whose time has come."""
        with self.lock:
            self.settle()
            yield

    def everyone(self) -> list[Profile]:
        """Return all profiles as they are by now, in order of creation."""
        with self.settled():
            people = list(self.directory.profiles.values())
            for profile in people:
                if profile.shop is not None:
                    profile.shop.forget_carts(self.now())
            return people

    def mark(self, external_id: str, flags: Iterable[str]) -> None:
        """Mark a profile with the flags, and with no other."""
        if unknown := sorted(set(flags) - FLAGS):
            raise ValueError(f"no such flag: {', '.join(unknown)}")
        with self.settled():
            self.directory.by_external_id[external_id].flags = frozenset(flags)

    def look_up(self, body: dict[str, Any]) -> Answer:
        """Answer ``/users/export/ids``."""
        with self.settled():
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
        """Answer ``/segments/list``."""
        with self.lock:
            return listings.list_segments(self.segments.values(), parameters)

    def describe_segment(self, parameters: Mapping[str, str]) -> Answer:
        """Answer ``/segments/details``."""
        with self.lock:
            return listings.describe_segment(self.segments.get(parameters.get("segment_id", "")))

    def size_segment(self, parameters: Mapping[str, str]) -> Answer:
        """Answer ``/segments/data_series``; the size of today is the present one."""
        with self.settled():
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
        """Set profiles without a request: no meter, no limits, no delay; return how many."""
        with self.lock:
            return applying.set_profiles(self.scene, rows, self.now())


def _count(group: str, scene: Scene, now: float) -> None:
    """Count a request as received and done, both at once."""
    scene.groups.receive(group, now)
    scene.groups.finish(group, now)
