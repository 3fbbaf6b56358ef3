"""Who is subscribed to what, also where no profile has the address (braze-api.md 10)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from exchanger.sandbox.identity.directory import Directory
from exchanger.sandbox.identity.phones import canonical
from exchanger.sandbox.identity.profiles import Profile

Channel = Literal["email", "sms"]
CONTACT_OF = {"email": "email", "sms": "phone"}
"""By which contact the users of a group of a channel can be named."""
EMAIL_STATE = "email_subscribe"
_DAY = 24 * 3600.0
ORPHAN_LIFETIME = 30 * _DAY
"""Seconds for which the state of an address without a profile is kept."""
_ANSWER_WITHIN = 30 * _DAY
_BETWEEN_PROMPTS = _DAY
_GROUPS = uuid.UUID("0d2b7d4e-0c8c-4b86-8f0b-54a1d1f7c1aa")


@dataclass(frozen=True)
class SubscriptionGroup:
    """
    A subscription group.

    Args:
        id: UUID made from the workspace and the name.
        name: As in the dashboard.
        channel: ``email``, or ``sms`` for RCS as well.
    """

    id: str
    name: str
    channel: Channel


class Subscriptions:
    """
    The subscription groups of a workspace, and states that wait for a profile.

    Args:
        workspace: What the ids of groups are made from.
        now: Epoch seconds.
    """

    def __init__(self, workspace: str, now: Callable[[], float]) -> None:
        self._names = uuid.uuid5(_GROUPS, workspace)
        self._now = now
        self.groups: dict[str, SubscriptionGroup] = {}
        self._orphans: dict[tuple[str, str], dict[str, tuple[str, float]]] = {}
        self._prompts: dict[tuple[str, str], float] = {}

    def add_group(self, name: str, channel: Channel = "email") -> SubscriptionGroup:
        """Create a group, or return the one of that name as it is now."""
        if channel not in CONTACT_OF:
            raise ValueError("the channel of a subscription group is email or sms")
        group = SubscriptionGroup(str(uuid.uuid5(self._names, name)), name, channel)
        self.groups[group.id] = group
        return group

    # --- Writing ---

    def set_by_track(
        self, profile: Profile, given: list[dict[str, Any]], directory: Directory, now: float
    ) -> None:
        """Take the ``subscription_groups`` of an attributes object, for all of one e-mail."""
        for one in given:
            group = self.groups.get(one["subscription_group_id"])
            if group is None:
                continue
            users = {profile.braze_id: profile}
            if group.channel == "email" and (email := profile.standard.get("email")):
                users |= {user.braze_id: user for user in directory.sharing("email", email)}
            ask = one.get("use_double_opt_in_logic") is True
            for user in users.values():
                self.set_for(user, group, one["subscription_state"], now, ask=ask)

    def set_for(
        self, profile: Profile, group: SubscriptionGroup, state: str, now: float, *, ask: bool
    ) -> None:
        """Set the state of one user; with *ask* a number is subscribed once its owner agrees."""
        held = profile.subscriptions.get(group.id)
        if ask and group.channel == "sms" and state == "subscribed":
            if held == "subscribed":
                return
            asked, key = self._prompts.get((group.id, profile.braze_id)), profile.braze_id
            if asked is None or now >= asked + _BETWEEN_PROMPTS:
                self._prompts[group.id, key] = now
            state = "unsubscribed"
        profile.subscriptions[group.id] = state

    def keep(self, contact: str, value: str, what: str, state: str, now: float) -> None:
        """Keep the state of an address that nobody has: of a group, or of e-mail as such."""
        self._orphans.setdefault((contact, _filed(contact, value)), {})[what] = state, now

    def answer_prompts(self, group_id: str, directory: Directory, now: float) -> int:
        """Let all who were asked in the last 30 days agree; return how many there were."""
        agreed = 0
        for (group, braze_id), asked in list(self._prompts.items()):
            profile = directory.profiles.get(braze_id)
            if group != group_id:
                continue
            del self._prompts[group, braze_id]
            if profile is not None and now < asked + _ANSWER_WITHIN:
                profile.subscriptions[group_id] = "subscribed"
                agreed += 1
        return agreed

    # --- Addresses without a profile ---

    def inherit(self, profile: Profile, contact: str, value: str) -> None:
        """Apply to a profile that got an address the states that were kept for it."""
        kept = self._orphans.pop((contact, _filed(contact, value)), None)
        for what, (state, since) in (kept or {}).items():
            if what == EMAIL_STATE:
                profile.standard[EMAIL_STATE] = state
            elif self._now() < since + ORPHAN_LIFETIME:
                profile.subscriptions[what] = state

    def kept_for(self, contact: str, value: str, what: str) -> str | None:
        """Return the state that waits for whoever gets the address."""
        state, since = self._orphans.get((contact, _filed(contact, value)), {}).get(
            what, (None, 0.0)
        )
        return state if what == EMAIL_STATE or self._now() < since + ORPHAN_LIFETIME else None


def _filed(contact: str, value: str) -> str:
    return value.lower() if contact == "email" else canonical(value)
