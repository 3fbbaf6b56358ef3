"""
Looks profiles up a request at a time, and asks again for those that an answer leaves out.

Braze lists the identifiers that it does not know, but need not (braze-api.md 5). Whom an answer
neither returns nor lists may still have a profile: it is asked once more, alone, before it counts
as absent (law 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchanger.braze.identifiers import PER_LOOK_UP
from exchanger.profiles.exported.held_rows import fields_to_export
from exchanger.profiles.spelling.profile_key import keys_of_user, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.outside.braze.client import Braze

IN_VAIN = 50
"""
Requests for one profile alone that may find nobody, in one look-up.

After so many, Braze is taken to say nothing of whom it does not know, and those that an answer
leaves out are asked once more in one request: a look-up costs twice the requests at most, where
asking each alone would cost fifty times as many.
"""


class LookUp:
    """
    One look-up of any number of profiles.

    Args:
        braze: Is asked.
        fields: Attributes.
        exported: What else is asked for, as exports call it.

    ``again`` counts the requests that asked for somebody once more.
    """

    def __init__(
        self, braze: Braze, fields: Sequence[str], *, exported: Sequence[str] = ()
    ) -> None:
        self._braze = braze
        self._wanted = [*fields_to_export(fields), *exported]
        self._in_vain = 0
        self.again = 0

    async def users(self, asked: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """
        Find the profiles of as many keys as one request takes; who is not among them has none.

        Several profiles may have one e-mail address or phone number.

        Raises:
            BrazeError: Braze gave no usable answer.
        """
        kind, _, _ = parts_of(asked[0])
        if PER_LOOK_UP[kind] == 1:
            found = (await self._braze.export_ids(asked, self._wanted)).users
            return {asked[0]: found} if found else {}
        users, left_out, strangers = await self._request(asked)
        return users | await self._once_more(left_out, strangers=strangers)

    async def _request(
        self, asked: Sequence[str]
    ) -> tuple[dict[str, list[dict[str, Any]]], list[str], bool]:
        """Ask, and tell whom the answer leaves out, and whether it names anybody else."""
        answer = await self._braze.export_ids(asked, self._wanted)
        wanted = {*asked}
        users: dict[str, list[dict[str, Any]]] = {}
        strangers = False
        for user in answer.users:
            keys = keys_of_user(user) & wanted
            strangers |= not keys
            users = {key: [user] for key in keys} | users
        return users, answer.unanswered, strangers

    async def _once_more(
        self, left_out: Sequence[str], *, strangers: bool
    ) -> dict[str, list[dict[str, Any]]]:
        """
        Ask again for whom an answer left out, alone.

        A renamed profile answers to its old identifier with its new one (braze-api.md 9.6), so that
        the answer names a stranger: only of who is asked for alone there is no doubt who it is.
        """
        found: dict[str, list[dict[str, Any]]] = {}
        together: list[str] = []
        for profile in left_out:
            if not strangers and self._in_vain >= IN_VAIN:
                together.append(profile)
                continue
            self.again += 1
            users = (await self._braze.export_ids([profile], self._wanted)).users
            if users:
                found[profile] = users[:1]
            else:
                self._in_vain += 1
        if together:
            self.again += 1
            more, still, strange = await self._request(together)
            found |= more
            if strange:
                found |= await self._once_more(still, strangers=True)
        return found
