"""What two profiles become when they are merged (braze-api.md 9.5)."""

from __future__ import annotations

from exchanger.sandbox.identity.identifiers import SECONDARY
from exchanger.sandbox.identity.phones import is_phone
from exchanger.sandbox.identity.profiles import Profile, Tally
from exchanger.sandbox.scene import Scene

_FIRST, _LAST = "date_of_first_session", "date_of_last_session"


def obstacle(merged: Profile, kept: Profile) -> str | None:
    """Return why nothing happens, in silence, if that is so."""
    if merged is kept:
        return "both are the same user"
    for profile in (merged, kept):
        if "control_group" in profile.flags:
            return "in the global control group"
        if "marked_for_deletion" in profile.flags:
            return "marked for deletion"
    if _has_invalid_phone(merged) and _has_invalid_phone(kept):
        return "both phones are invalid"
    return None


def take_over(scene: Scene, merged: Profile, kept: Profile, now: float) -> None:
    """Copy to the kept profile what it does not have, and the sums of what both have."""
    _take_attributes(scene, merged, kept)
    _take_tallies(merged.events, kept.events)
    _take_tallies(merged.purchases, kept.purchases)
    kept.revenue += merged.revenue
    for label, name in merged.aliases.items():
        if label not in kept.aliases:
            scene.directory.add_alias(kept, label, name)
    if merged.shop is not None:
        if kept.shop is None:
            kept.shop = type(merged.shop)()
        kept.shop.take_over(merged.shop)
    kept.flags |= merged.flags & {"test_user"}
    scene.directory.touch(kept)
    kept.updated_at = now


def _take_attributes(scene: Scene, merged: Profile, kept: Profile) -> None:
    dates = [profile.standard.get(_FIRST) for profile in (merged, kept)]
    first = min(filter(None, dates), default=None)
    dates = [profile.standard.get(_LAST) for profile in (merged, kept)]
    last = max(filter(None, dates), default=None)
    for name, value in merged.standard.items():
        if name in kept.standard:
            continue
        if name in SECONDARY:
            scene.directory.set_contact(kept, name, value)
        kept.standard[name] = value
    kept.standard |= {
        name: value for name, value in ((_FIRST, first), (_LAST, last)) if value is not None
    }
    kept.custom = merged.custom | kept.custom
    kept.subscriptions = merged.subscriptions | kept.subscriptions


def _take_tallies(merged: dict[str, Tally], kept: dict[str, Tally]) -> None:
    for name, tally in merged.items():
        if name in kept:
            kept[name].add(tally.first, tally.count)
            kept[name].add(tally.last, 0)
        else:
            kept[name] = Tally(tally.count, tally.first, tally.last)


def _has_invalid_phone(profile: Profile) -> bool:
    phone = profile.standard.get("phone")
    if phone is None:
        return False
    return "invalid_phone" in profile.flags or not is_phone(phone)
