"""
Looks up states of subscriptions: of people in groups, and of e-mail addresses.

Several people may have one address or number, and setting its state sets it for all of them: it is
unsubscribed if any of them is, and subscribed if all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exchanger.braze.attributes import UNSUBSCRIBED
from exchanger.profiles.frames.columns import EMAIL_STATE, GROUP
from exchanger.profiles.spelling.profile_key import parts_of

if TYPE_CHECKING:
    from exchanger.outside.braze.client import Braze

_FIELD = "email_subscribe"
_AT_FIRST = "subscribed"
"""What a profile is that was never set (braze-api.md 2.5)."""
Users = dict[str, list[dict[str, Any]]]
"""Profiles by key, as look-ups of attributes give them: states stand among custom attributes."""


class StateLookUp:
    """
    One look-up of the states of any number of people.

    Args:
        braze: Is asked.
        fields: ``@email_state``, or groups.

    ``again`` is 0, as nobody is asked for twice.
    """

    def __init__(self, braze: Braze, fields: Sequence[str]) -> None:
        self._braze = braze
        self._groups = [name.removeprefix(GROUP) for name in fields if name.startswith(GROUP)]
        self.again = 0

    async def users(self, asked: Sequence[str]) -> Users:
        """
        Find the states of as many keys of one kind as a request takes; who is absent has none.

        Raises:
            BrazeError: Braze gave no usable answer.
        """
        if self._groups:
            return await self._in_groups(asked)
        found: Users = {}
        for key in asked:
            users = (await self._braze.export_ids([key], [_FIELD])).users
            states = [str(user.get(_FIELD) or _AT_FIRST) for user in users]
            if states:
                found[key] = [_as_profile({EMAIL_STATE: _of_all(states) or _AT_FIRST})]
        return found

    async def _in_groups(self, asked: Sequence[str]) -> Users:
        people = await self._braze.group_states(asked)
        found = {key: [_as_profile(self._states(users))] for key, users in people.items()}
        strangers = [key for key in asked if key not in people]
        if strangers and parts_of(strangers[0])[0] != "external_id":
            found |= await self._kept(strangers)
        return found

    def _states(self, users: Sequence[dict[str, str]]) -> dict[str, str | None]:
        """Return the state of people who share an identifier, in each group."""
        return {
            GROUP + group: _of_all([user.get(group, "") for user in users])
            for group in self._groups
        }

    async def _kept(self, addresses: Sequence[str]) -> Users:
        """Find states that are kept for addresses and numbers that no profile has."""
        kept: dict[str, dict[str, str | None]] = {}
        for group in self._groups:
            for key, state in (await self._braze.states_in_group(group, addresses)).items():
                kept.setdefault(key, {})[GROUP + group] = state
        return {key: [_as_profile(states)] for key, states in kept.items()}


def _of_all(states: Sequence[str]) -> str | None:
    """Return the state of an address by those of all who have it; None if it is not that of all."""
    if UNSUBSCRIBED in states:
        return UNSUBSCRIBED
    return (states[0] or None) if len({*states}) == 1 else None


def _as_profile(states: dict[str, str | None]) -> dict[str, Any]:
    return {"custom_attributes": {name: state for name, state in states.items() if state}}
