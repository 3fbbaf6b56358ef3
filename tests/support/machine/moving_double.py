"""People who have a total, and are identified, renamed, named or merged meanwhile."""

import copy
from collections import Counter
from dataclasses import dataclass

from exchanger.braze.endpoints import TRACK
from exchanger.errors import BrazeUnreachable
from exchanger.outside.braze.answers import IdsAnswer
from exchanger.profiles.spelling.profile_key import parts_of
from support.machine.braze_double import BrazeDouble, Workspace
from support.machine.people_double import People, PeopleDouble, Person


@dataclass
class Mover(Person):
    """One profile, and its total: None where it has none."""

    total: int | None = None

    def as_user(self):
        """Render as a look-up shows them."""
        held = {} if self.total is None else {"total": self.total}
        return super().as_user() | {"custom_attributes": held}


class Movers(People, Workspace):
    """
    A workspace whose profiles are people; values land in it as late as in any other.

    ``lost`` is the sum of totals that went with a profile, as who it became part of had one.
    """

    def __init__(self, time, *, spacing, grace):
        Workspace.__init__(self, time, spacing=spacing, grace=grace)
        self.profiles = []
        self.hits = Counter()
        self.lost = 0

    @property
    def people(self):
        """Everybody, as calls know them."""
        return self.profiles

    def write(self, content):
        """Set the total of whom an object names, who is there from now on."""
        alias = content.get("user_alias", {}).get("alias_name")
        email, own = content.get("email"), content.get("external_id")
        found = named(self.profiles, own=own, alias=alias, email=email)
        if not found:
            found = [Mover(email or "", own, alias)]
            self.profiles += found
        found[0].total = content["total"]

    def apply(self, objects, endpoint):
        """Let calls take effect, which look-ups may not show for a while."""
        self._before.append((self.time.seconds, copy.deepcopy(self.profiles)))
        return super().apply(objects, endpoint)

    def _identify(self, one):
        alias = one["user_alias"]["alias_name"]
        found = named(self.profiles, alias=alias)
        if not found or found[0].external_id:
            return ""
        self.hits[alias] += 1
        kept = named(self.profiles, own=one["external_id"])
        if kept:
            self._take_in(kept[0], found[0])
        else:
            found[0].external_id = one["external_id"]
        return ""

    def _merge(self, one):
        dropped = named(self.profiles, own=one["identifier_to_merge"]["external_id"])
        kept = named(self.profiles, own=one["identifier_to_keep"]["external_id"])
        if dropped and kept and dropped[0] is not kept[0]:
            self.hits[one["identifier_to_merge"]["external_id"]] += 1
            self._take_in(kept[0], dropped[0])
        return ""

    def _take_in(self, kept, gone):
        """Let somebody have what another one had, where there was nothing (braze-api.md 9.5)."""
        self.profiles.remove(gone)
        kept.address = kept.address or gone.address
        kept.alias = kept.alias or gone.alias
        if kept.total is None:
            kept.total = gone.total
        else:
            self.lost += gone.total or 0


def named(people, *, own=None, alias=None, email=None):
    """Find whom an identifier means; an address those who have an external id before others."""
    if own is not None:
        return [one for one in people if own in (one.external_id, *one.old)]
    if alias is not None:
        return [one for one in people if alias == one.alias]
    found = [one for one in people if email == one.address]
    return [one for one in found if one.external_id] or found


class MovingDouble(PeopleDouble):
    """A client that sends values, and asks for calls about people."""

    async def track(self, body, endpoint, group=""):
        if endpoint.path == TRACK:
            return await BrazeDouble.track(self, body, endpoint, group)
        return await super().track(body, endpoint, group)

    async def export_ids(self, keys, fields):
        shown = self._process.effect(
            "look_up",
            self._workspace.shown,
            failure=lambda: BrazeUnreachable("/users/export/ids", 0, "fault"),
            odd=lambda fault, apply: self._workspace.stale(),
        )
        found = {key: _meant(shown, key) for key in keys}
        users = {one.braze_id: one for some in found.values() for one in some}
        missing = [parts_of(key)[1] for key, some in found.items() if not some]
        return IdsAnswer([one.as_user() for one in users.values()], missing, [])


def _meant(people, key):
    """Find everybody whom a key means."""
    kind, value, _ = parts_of(key)
    if kind == "email":
        return [one for one in people if value == one.address]
    if kind == "braze_id":
        return [one for one in people if value == one.braze_id]
    return named(people, **{"own" if kind == "external_id" else kind: value})
