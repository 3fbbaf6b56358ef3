"""``/subscription/status/set``, old and new (braze-api.md 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exchanger.sandbox.http.answers import Answer, Malformed
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.scene import Queued, Scene, Step
from exchanger.sandbox.subscriptions.people import (
    BOTH,
    require_e164,
    state_of,
    texts,
)
from exchanger.sandbox.subscriptions.states import CONTACT_OF, SubscriptionGroup

PATH = "/subscription/status/set"
_STATES = ("subscribed", "unsubscribed")


@dataclass(frozen=True)
class Change:
    """
    Who gets which state in a group.

    Args:
        group: The group; ``None`` for one that does not exist.
        state: ``subscribed`` or ``unsubscribed``.
        external_ids: Users by external id.
        contacts: Users by e-mail address or phone number: which of them, and its value.
        ask: Whether owners of numbers are asked first.
    """

    group: SubscriptionGroup | None
    state: str
    external_ids: list[str]
    contacts: list[tuple[str, str]]
    ask: bool


def set_states(scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/subscription/status/set``: one group."""
    names = ("external_id", "email", "phone")
    return _queued(scene, [body], names)


def set_states_of_groups(scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/v2/subscription/status/set``: several groups."""
    given = body.get("subscription_groups")
    if not isinstance(given, list) or not given or not all(isinstance(x, dict) for x in given):
        raise Malformed("'subscription_groups' must be an array of objects")
    return _queued(scene, given, ("external_ids", "emails", "phones"))


def _queued(scene: Scene, given: list[dict[str, Any]], names: tuple[str, str, str]) -> Queued:
    changes = [_change(scene, one, names) for one in given]
    if len({contact for change in changes for contact, _ in change.contacts}) > 1:
        raise Malformed(BOTH)

    def apply(scene: Scene, now: float) -> None:
        for change in changes:
            _apply(scene, change, now)

    return Queued(Answer(201, {"message": "success"}), (Step("subscription", apply),))


def _change(scene: Scene, given: dict[str, Any], names: tuple[str, str, str]) -> Change:
    external_ids, emails, phones = (texts(given.get(name), name) for name in names)
    group = scene.subscriptions.groups.get(str(given.get("subscription_group_id")))
    if group is None and scene.settings.unknown_group == "refused":
        raise Malformed("'subscription_group_id' is not valid")
    if emails and phones:
        raise Malformed(BOTH)
    if not (external_ids or emails or phones):
        raise Malformed(f"one of {', '.join(names)} must be provided")
    require_e164(phones)
    contacts = [("email", email) for email in emails] + [("phone", phone) for phone in phones]
    if group and any(contact != CONTACT_OF[group.channel] for contact, _ in contacts):
        wanted = CONTACT_OF[group.channel]
        raise Malformed(f"users of this subscription group are named by external id or {wanted}")
    state = state_of(given.get("subscription_state"), _STATES)
    ask = given.get("use_double_opt_in_logic") is True
    return Change(group, state, external_ids, contacts, ask)


def _apply(scene: Scene, change: Change, now: float) -> None:
    group = change.group
    if group is None:
        scene.writes.note(PATH, "skipped", change.state, reason="no such group")
        return
    for profile in _users(scene, change, group, now):
        scene.subscriptions.set_for(profile, group, change.state, now, ask=change.ask)
        if scene.settings.clock_moves == "everything":
            profile.updated_at = now
        scene.writes.note(PATH, "applied", change.state, profile.braze_id)


def _users(scene: Scene, change: Change, group: SubscriptionGroup, now: float) -> Iterator[Profile]:
    for external_id in change.external_ids:
        if found := scene.directory.find_external_id(external_id):
            yield found
        else:
            scene.writes.note(PATH, "skipped", external_id, reason="no such user")
    for contact, value in change.contacts:
        sharing = scene.directory.sharing(contact, value)
        yield from sharing
        asked = change.ask and group.channel == "sms" and change.state == "subscribed"
        if not sharing and not asked:
            scene.subscriptions.keep(contact, value, group.id, change.state, now)
