"""
People of a workspace, and calls about them: renamed, identified, named, merged, deleted.

Whoever is identified or deleted by an address is followed by somebody new with the same one: a call
that is repeated would hit them.
"""

import itertools
import json
from collections import Counter
from dataclasses import dataclass, field

from exchanger.braze.endpoints import (
    DELETE,
    IDENTIFY,
    MERGE,
    NEW_ALIASES,
    RENAME_IDS,
    TRACK_STATUS,
)
from exchanger.errors import BrazeForbidden, BrazeRefused, BrazeUnreachable
from exchanger.outside.braze.answers import IdsAnswer, TrackAnswer
from exchanger.profiles.spelling.profile_key import parts_of
from support.machine.braze_double import BrazeDouble

_numbers = itertools.count()
LABEL = "crm"
LATE = 8
"""Seconds after which a request arrives whose answer was lost on its way."""


@dataclass
class Person:
    """One profile; a renamed one also answers to its old ids."""

    address: str
    external_id: str | None = None
    alias: str | None = None
    old: list = field(default_factory=list)
    braze_id: str = field(default_factory=lambda: f"braze-{next(_numbers)}")

    def as_user(self):
        """Render as a look-up shows them."""
        name = {"alias_name": self.alias, "alias_label": LABEL}
        return {
            "braze_id": self.braze_id,
            "external_id": self.external_id,
            "email": self.address,
            "user_aliases": [name] if self.alias else [],
        }


class People:
    """Everybody of one workspace. ``hits`` counts how often a call about somebody took effect."""

    def __init__(self, time):
        self.time = time
        self.people = []
        self.hits = Counter()

    def called(self, word):
        """List who has an external id, an alias or an address."""
        return [
            one
            for one in self.people
            if word in (one.external_id, one.address, one.alias, *one.old)
        ]

    def apply(self, objects, endpoint):
        """Let a request take effect, and return who was refused by their position."""
        do = {
            RENAME_IDS: self._rename,
            IDENTIFY: self._identify,
            DELETE: self._delete,
            NEW_ALIASES: self._name,
            MERGE: self._merge,
        }
        refused = {at: do[endpoint.path](one) for at, one in enumerate(objects)}
        return {at: reason for at, reason in refused.items() if reason}

    def _rename(self, one):
        old, new = one["current_external_id"], one["new_external_id"]
        found = [person for person in self.people if person.external_id == old]
        if not found or self.called(new):
            return "not found, or taken"
        found[0].external_id = new
        found[0].old.append(old)
        self.hits[old] += 1
        return ""

    def _identify(self, one):
        alias = one.get("user_alias", {}).get("alias_name")
        word = alias or one.get("email") or one["phone"]
        nobody = [person for person in self.called(word) if person.external_id is None]
        if nobody:
            nobody[-1].external_id = one["external_id"]
            self.hits[word] += 1
            if not alias:
                self.people.append(Person(word))
        return ""

    def _name(self, one):
        """Give a name that nobody has to somebody who has none; else nothing happens."""
        found, name = self.called(one["external_id"]), one["alias_name"]
        if found and not found[0].alias and not self.called(name):
            found[0].alias = name
            self.hits[one["external_id"]] += 1
        return ""

    def _merge(self, one):
        """Let somebody go who is merged into another one; if either is not there, nobody."""
        [dropped], [kept] = one["identifier_to_merge"].values(), one["identifier_to_keep"].values()
        gone = self.called(dropped)
        if gone and self.called(kept):
            self.people.remove(gone[0])
            self.hits[dropped] += 1
        return ""

    def _delete(self, braze_id):
        for person in [one for one in self.people if one.braze_id == braze_id]:
            self.people.remove(person)
            self.hits[person.address] += 1
            self.people.append(Person(person.address))
        return ""


class PeopleDouble(BrazeDouble):
    """A client that asks for calls about people."""

    async def track(self, body, endpoint, group=""):
        objects = json.loads(body)[endpoint.array]
        self._process.tick()
        self.permit()
        self.requests += 1
        fault = self._process.fault("track")
        if fault is None:
            return TrackAnswer(accepted=True, refused=self._workspace.apply(objects, endpoint))
        if fault.fate == "odd":
            return self._answer_oddly(fault, objects, endpoint)
        self._perhaps(fault, objects, endpoint)
        if fault.fate == "crash":
            self._process.die()
        if fault.fate == "pause":
            self._process.park()
        raise BrazeUnreachable(endpoint.path, 0, "fault", uncertain=True)

    def _perhaps(self, fault, objects, endpoint):
        """Take effect now, late, or never."""
        if fault.after:
            self._workspace.apply(objects, endpoint)
        elif fault.variant % 2:
            self._workspace.time.later(LATE, lambda: self._workspace.apply(objects, endpoint))

    def _answer_oddly(self, fault, objects, endpoint):
        bad = fault.nth % len(objects)
        if fault.variant % 3 == 0:
            good = [one for at, one in enumerate(objects) if at != bad]
            self._workspace.apply(good, endpoint)
            return TrackAnswer(accepted=True, refused={bad: "bad"})
        if fault.variant % 3 == 1:
            return TrackAnswer(accepted=False, refused={bad: "bad"})
        raise BrazeRefused(endpoint.path, 400, "bad")

    async def done_with(self, group):
        raise BrazeForbidden(TRACK_STATUS, 403, "off")

    async def export_ids(self, keys, fields):
        asked = [parts_of(key)[1] for key in keys]
        found = self._process.effect(
            "look_up",
            lambda: [p for word in asked for p in self._workspace.called(word)],
            failure=lambda: BrazeUnreachable("/users/export/ids", 0, "fault"),
        )
        missing = [word for word in asked if not self._workspace.called(word)]
        return IdsAnswer([one.as_user() for one in found], missing, [])
