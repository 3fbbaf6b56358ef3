"""
A workspace that keeps what it is sent, and a client of it that knows every way to go wrong.

Braze answers 201 once an object is queued, and may apply it seconds later, after a newer one; a
look-up may show what was before for a while, the grace, counted from the answer. Both are done here
as late as is still allowed. It may tell when it is done with the requests of a group: only if that
is true, and then look-ups show them.
"""

import copy
import json
from collections import defaultdict
from dataclasses import dataclass

from exchanger.braze.endpoints import TRACK, TRACK_STATUS
from exchanger.errors import BrazeForbidden, BrazeKeyRefused, BrazeRefused, BrazeUnreachable
from exchanger.outside.braze.answers import IdsAnswer, TrackAnswer


@dataclass(frozen=True)
class Landed:
    """One object that took effect; ``sent`` is the moment at which its request was sent."""

    sent: int
    content: dict


@dataclass
class Group:
    """Requests of one id: how many came in and took effect; the number of the last landing."""

    received: int = 0
    done: int = 0
    landings: int = 0


class Workspace:
    """
    Profiles of one Braze workspace.

    Args:
        time: The clock.
        spacing: Seconds by which an answered object may take effect late.
        grace: Seconds for which a look-up may show what was before.

    ``slow_to_apply`` and ``slow_to_show`` make it as late as that every time. ``tells`` says
    whether a question about a group is answered; None where nobody may ask.
    """

    def __init__(self, time, *, spacing, grace):
        self.time = time
        self.spacing = spacing
        self.grace = grace
        self.slow_to_apply = False
        self.slow_to_show = False
        self.profiles = {}
        self.landed = []
        self.refused = []
        self.tells = None
        self._groups = defaultdict(Group)
        self.questions = []
        """The groups of which it was asked how many requests it has received."""
        self._before = []
        self._surely_shown = 0

    def receive(self, group):
        """Count a request that came in."""
        self._groups[group].received += 1

    def received(self, group):
        """Count the requests of a group that came in; it may be slow to tell."""
        known = self._groups.get(group)
        return known.received if known is not None and self.tells() else 0

    def done_with(self, group):
        """Count the requests of a group if all that came in took effect, and show them then."""
        known = self._groups.get(group)
        if known is None or known.done < known.received or not self.tells():
            return 0
        self._surely_shown = max(self._surely_shown, known.landings)
        return known.received

    def land(self, objects, sent=None, answered=None, group=""):
        """Let objects of a request that came in take effect now; it was answered before, or is."""
        answered = self.time.seconds if answered is None else answered
        self._before.append((answered, copy.deepcopy(self.profiles)))
        self._groups[group].done += 1
        self._groups[group].landings = len(self._before)
        sent = self.time.moment() if sent is None else sent
        for content in objects:
            self.landed.append(Landed(sent, content))
            self.write(content)

    def write(self, content):
        """Let one object take effect."""
        profile = self.profiles.setdefault(content["external_id"], {})
        for name, value in content.items():
            if name not in ("external_id", "_update_existing_only"):
                _assign(profile, name, value)

    def take(self, objects, group):
        """Answer that objects are queued."""
        if self.slow_to_apply:
            self.late(objects, self.spacing, self.time.seconds, group=group)
        else:
            self.receive(group)
            self.land(objects, group=group)
        return TrackAnswer(accepted=True, refused={})

    def late(self, objects, seconds, answered=None, group=""):
        """
        Let objects take effect later; gives what lets them take effect at once, if not yet.

        A request that is answered has come in; any other comes in when it takes effect.
        """
        sent = self.time.moment()
        left = [objects]
        if answered is not None:
            self.receive(group)

        def land(answered=answered, *, arrived=answered is not None):
            while left:
                if not arrived:
                    self.receive(group)
                self.land(left.pop(), sent, answered, group)

        self.time.later(seconds, land)
        return land

    def shown(self):
        """Show the profiles in a look-up."""
        return self.stale() if self.slow_to_show else self.profiles

    def stale(self):
        """Hide what was answered a little less than the grace ago, and all that came after it."""
        since = self.time.seconds - self.grace + 1
        shown = self.profiles
        for answered, before in reversed(self._before[self._surely_shown :]):
            if answered <= since:
                break
            shown = before
        return shown


def _assign(profile, name, value):
    if isinstance(value, dict) and value.keys() == {"inc"}:
        profile[name] = (profile.get(name) or 0) + value["inc"]
    elif isinstance(value, dict) and value.keys() == {"add"}:
        held = profile.get(name) or []
        profile[name] = held + [member for member in value["add"] if member not in held]
    elif value in (None, [], ""):
        profile.pop(name, None)
    else:
        profile[name] = value


class BrazeDouble:
    """A client as one process has it, with what jobs use of ``outside.braze.client.Braze``."""

    def __init__(self, workspace, process):
        self._workspace = workspace
        self._process = process
        self.requests = 0
        self.permit = None
        self.group = ""
        self.taken_at_most = 0

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        return None

    def expect(self, requests):
        """Nothing is paced here."""

    def in_flight(self, endpoint):
        return 48

    async def track(self, body, endpoint, group=""):
        objects = json.loads(body)[endpoint.array]
        self._process.tick()
        self.permit()
        self.requests += 1
        fault = self._process.fault("track")
        group = group or self.group
        if fault is None:
            self.taken_at_most += 1
            return self._workspace.take(objects, group)
        fate = _Fate(self._workspace, self._process, fault, objects, group)
        try:
            return fate.meet()
        finally:
            self.taken_at_most += fate.attempts

    async def done_with(self, group):
        self._process.tick()
        if self._workspace.tells is None:
            raise BrazeForbidden(TRACK_STATUS, 403, "off")
        return self._workspace.done_with(group)

    async def received(self, group):
        self._process.tick()
        self._workspace.questions.append(group)
        if self._workspace.tells is None:
            raise BrazeForbidden(TRACK_STATUS, 403, "off")
        return self._workspace.received(group)

    async def export_ids(self, external_ids, fields):
        shown = self._process.effect(
            "look_up",
            self._workspace.shown,
            failure=lambda: BrazeUnreachable("/users/export/ids", 0, "fault"),
            odd=lambda fault, apply: self._workspace.stale(),
        )
        users = [
            {"external_id": profile, "custom_attributes": copy.deepcopy(shown[profile])}
            for profile in external_ids
            if profile in shown
        ]
        return IdsAnswer(users, [p for p in external_ids if p not in shown], [])


class _Fate:
    """
    What becomes of one request that does not simply succeed.

    ``attempts`` is how often it was sent.
    """

    def __init__(self, workspace, process, fault, objects, group):
        self.attempts = 1
        self._group = group
        self._workspace = workspace
        self._process = process
        self._fault = fault
        self._objects = objects

    def meet(self):
        fault = self._fault
        if fault.fate == "odd":
            odd = (
                self._refused,
                self._named,
                self._unnamed,
                self._late,
                self._again,
                self._key,
                self._refused_later,
            )
            return odd[fault.variant % len(odd)]()
        if fault.fate == "pause":
            land = self._land(self._lost_after())
            self._process.park()
            # It goes on with the answer, and what was answered is not later than any other.
            now = self._workspace.time.seconds
            self._workspace.time.later(self._workspace.spacing, lambda: land(now))
        elif fault.fate == "crash":
            self._land(self._lost_after())
            self._process.die()
        elif fault.fate == "fail":
            self._land(self._workspace.spacing)
            raise BrazeUnreachable(TRACK, 0, "fault", uncertain=True)
        else:
            # It arrives in its time, also if the process stands still meanwhile for much longer.
            self._workspace.late(self._objects, 8, group=self._group)
            for _ in range(8):
                self._process.sleep(1)
        return TrackAnswer(accepted=True, refused={})

    def _land(self, latest):
        """Take effect now, late, or (a request that ends with an error) never."""
        never = self._fault.fate != "pause" and not self._fault.after
        if self._fault.variant % 2:
            return self._workspace.late(self._objects, latest, group=self._group)
        if not never:
            self._take(self._objects)
        return lambda _: None

    def _take(self, objects):
        """Let one attempt come in and take effect at once."""
        self._workspace.receive(self._group)
        self._workspace.land(objects, group=self._group)

    def _late_attempt(self, *, arrives=True):
        """Let one attempt come in late, after another one was answered; or never."""
        self.attempts += 1
        if arrives:
            self._workspace.late(self._objects, self._workspace.spacing, group=self._group)

    def _lost_after(self):
        """Say how late a request may be whose process lost its lease: within the grace after it."""
        return self._process.lease_left() + self._workspace.grace

    def _bad(self):
        """Choose the object that Braze does not like."""
        return self._fault.nth % len(self._objects)

    def _refused(self):
        """One object is refused, the others are taken; so was all of it before, perhaps."""
        bad = self._bad()
        if self._fault.after:
            self.attempts += 1
            self._take(self._objects)
            self._take([])
        else:
            self._take([o for i, o in enumerate(self._objects) if i != bad])
        self._workspace.refused.append(self._objects[bad])
        return TrackAnswer(accepted=True, refused={bad: "bad"}, uncertain=self._fault.after)

    def _named(self):
        """400 that names one object: nothing was processed."""
        bad = self._bad()
        self._workspace.refused.append(self._objects[bad])
        return TrackAnswer(accepted=False, refused={bad: "bad"})

    def _unnamed(self):
        """400 that names none."""
        self._workspace.refused.extend(self._objects)
        if self._fault.after:
            self.attempts += 1
            self._take(self._objects)
        raise BrazeRefused(TRACK, 400, "bad", uncertain=self._fault.after)

    def _late(self):
        """201, and applied as late as may be."""
        workspace = self._workspace
        workspace.late(self._objects, workspace.spacing, workspace.time.seconds, group=self._group)
        return TrackAnswer(accepted=True, refused={})

    def _again(self):
        """The first attempt lost its answer and arrives late; the second is taken."""
        self._take(self._objects)
        self._late_attempt()
        return TrackAnswer(accepted=True, refused={}, uncertain=True)

    def _key(self):
        """401 from here on: nothing was processed."""
        raise BrazeKeyRefused(TRACK, 401, "fault")

    def _refused_later(self):
        """Of the first attempt nobody heard: it arrives late, or never; then one is refused."""
        bad = self._bad()
        self._take([o for i, o in enumerate(self._objects) if i != bad])
        self._late_attempt(arrives=self._fault.after)
        self._workspace.refused.append(self._objects[bad])
        return TrackAnswer(accepted=True, refused={bad: "bad"}, uncertain=True)
