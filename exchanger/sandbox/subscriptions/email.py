"""``/email/status`` and ``/email/blocklist`` (braze-api.md 10)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.attributes.standard_fields import SUBSCRIPTION_STATES
from exchanger.sandbox.http.answers import Answer, Malformed
from exchanger.sandbox.scene import Queued, Scene, Step
from exchanger.sandbox.subscriptions.people import state_of, texts
from exchanger.sandbox.subscriptions.states import EMAIL_STATE

STATUS, BLOCKLIST = "/email/status", "/email/blocklist"


def set_email_state(_scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/email/status``: the state of addresses, for all who have them."""
    state = state_of(body.get("subscription_state"), sorted(SUBSCRIPTION_STATES))
    return _queued(STATUS, _emails(body), state)


def block_emails(_scene: Scene, body: dict[str, Any]) -> Queued:
    """Answer ``/email/blocklist``: unsubscribe addresses, and mark them as hard bounced."""
    return _queued(BLOCKLIST, _emails(body), "unsubscribed")


def _emails(body: dict[str, Any]) -> list[str]:
    if emails := texts(body.get("email"), "email"):
        return emails
    raise Malformed("'email' must be provided")


def _queued(path: str, emails: list[str], state: str) -> Queued:
    def apply(scene: Scene, now: float) -> None:
        for email in emails:
            _set(scene, path, email, state, now)

    return Queued(Answer(201, {"message": "success"}), (Step("subscription", apply),))


def _set(scene: Scene, path: str, email: str, state: str, now: float) -> None:
    sharing = scene.directory.sharing("email", email)
    if not sharing:
        scene.subscriptions.keep("email", email, EMAIL_STATE, state, now)
    for profile in sharing:
        profile.standard[EMAIL_STATE] = state
        if path == BLOCKLIST:
            profile.flags |= {"hard_bounced"}
        if scene.settings.clock_moves == "everything":
            profile.updated_at = now
        scene.writes.note(path, "applied", state, profile.braze_id)
