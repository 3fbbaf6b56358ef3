"""All profiles of a workspace, and which of them an identifier means (braze-api.md 2.3)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from exchanger.sandbox.identity.identifiers import PRIMARY, SECONDARY, contact_of
from exchanger.sandbox.identity.phones import canonical
from exchanger.sandbox.identity.profiles import Profile


class Directory:
    """
    All profiles of a workspace, found by any identifier. Not thread-safe by itself.

    Args:
        seed: Of the random ids and buckets.
    """

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)  # noqa: S311 (ids, no secrets)
        self._sequence = 0
        self.profiles: dict[str, Profile] = {}
        self.by_external_id: dict[str, Profile] = {}
        self.deprecated: dict[str, Profile] = {}
        self.inherit: Callable[[Profile, str, str], None] | None = None
        """Told when a profile gets an ``email`` or ``phone``: which profile, which, and what."""
        self._by_alias: dict[tuple[str, str], Profile] = {}
        self._by_contact: dict[tuple[str, str], dict[str, Profile]] = {}

    # --- Finding ---

    def find(self, given: dict[str, Any]) -> Profile | None:
        """Return the profile that the identifiers of an object mean, if there is one."""
        if external_id := given.get("external_id"):
            return self.find_external_id(external_id)
        if alias := given.get("user_alias"):
            return self.find_alias(alias["alias_label"], alias["alias_name"])
        if braze_id := given.get("braze_id"):
            return self.profiles.get(braze_id)
        for name in SECONDARY:
            if given.get(name):
                return self._newest(self.sharing(name, given[name]))
        return None

    def find_external_id(self, external_id: str) -> Profile | None:
        """Return the profile of an external id, deprecated ones included."""
        return self.by_external_id.get(external_id) or self.deprecated.get(external_id)

    def find_alias(self, label: str, name: str) -> Profile | None:
        """Return the profile of an alias."""
        return self._by_alias.get((label, name))

    def sharing(self, name: str, value: str) -> list[Profile]:
        """Return all profiles with this ``email`` (in any case) or ``phone`` (in any spelling)."""
        return list(self._by_contact.get((name, _filed(name, value)), {}).values())

    def with_device(self, device_id: str) -> list[Profile]:
        """Return all profiles with a push token of a device."""
        return [
            profile
            for profile in self.profiles.values()
            if any(
                token.get("device_id") == device_id
                for token in profile.standard.get("push_tokens", ())
            )
        ]

    def find_or_create(self, given: dict[str, Any], now: float) -> Profile | None:
        """
        Return the profile that an object applies to, created if the matrix of 2.3 says so.

        Args:
            given: A validated object of a track request.
            now: Epoch seconds, for a new profile.

        Returns:
            ``None`` if the object is skipped silently.
        """
        if found := self.find(given):
            return found
        alias = given.get("user_alias")
        only_existing = given.get("_update_existing_only")
        if only_existing is None:
            only_existing = bool(alias)
        if only_existing or given.get("braze_id"):
            return None
        profile = self.create(now, external_id=given.get("external_id") or None, alias=alias)
        if not any(given.get(name) for name in PRIMARY) and (contact := contact_of(given)):
            self.set_contact(profile, *contact)
        return profile

    # --- Changing ---

    def create(
        self, now: float, *, external_id: str | None = None, alias: dict[str, str] | None = None
    ) -> Profile:
        """Create a profile, filed under what it is identified by."""
        braze_id = f"{self._random.getrandbits(96):024x}"
        profile = Profile(braze_id, self._random.randrange(10_000), now, external_id)
        profile.updated_at = now
        self.profiles[braze_id] = profile
        if external_id is not None:
            self.by_external_id[external_id] = profile
        if alias:
            self.add_alias(profile, alias["alias_label"], alias["alias_name"])
        return profile

    def remove(self, profile: Profile) -> None:
        """Take a profile out, with all that it is identified by."""
        self.profiles.pop(profile.braze_id, None)
        if profile.external_id is not None:
            del self.by_external_id[profile.external_id]
        for old in [old for old, owner in self.deprecated.items() if owner is profile]:
            del self.deprecated[old]
        for label, name in profile.aliases.items():
            if self._by_alias.get((label, name)) is profile:
                del self._by_alias[label, name]
        for contact in SECONDARY:
            self.refile(profile, contact, profile.standard.get(contact), None)

    def rename(self, profile: Profile, new: str) -> None:
        """Set another external id of a profile; the one before stays valid as a deprecated one."""
        if profile.external_id is not None:
            del self.by_external_id[profile.external_id]
            self.deprecated[profile.external_id] = profile
        profile.external_id = new
        self.by_external_id[new] = profile

    def add_alias(self, profile: Profile, label: str, name: str) -> None:
        """Set an alias of a profile, in place of the one of that label."""
        if label in profile.aliases:
            self._by_alias.pop((label, profile.aliases[label]), None)
        profile.aliases[label] = name
        self._by_alias[label, name] = profile

    def set_contact(self, profile: Profile, name: str, value: str) -> None:
        """Set the ``email`` or ``phone`` of a profile."""
        self.refile(profile, name, profile.standard.get(name), value)
        profile.standard[name] = value

    def touch(self, profile: Profile) -> None:
        """Mark the profile as the most recently updated one."""
        self._sequence += 1
        profile.touched = self._sequence

    def refile(self, profile: Profile, name: str, before: str | None, after: str | None) -> None:
        """File the profile under its new ``email`` or ``phone``."""
        if before == after:
            return
        if before is not None:
            self._by_contact[name, _filed(name, before)].pop(profile.braze_id, None)
        if after is not None:
            filed = self._by_contact.setdefault((name, _filed(name, after)), {})
            filed[profile.braze_id] = profile
            if self.inherit is not None:
                self.inherit(profile, name, after)

    @staticmethod
    def _newest(candidates: Iterable[Profile]) -> Profile | None:
        """The most recently updated one; those with an external id come first."""
        return max(
            candidates,
            key=lambda profile: (profile.external_id is not None, profile.touched),
            default=None,
        )


def _filed(name: str, value: str) -> str:
    return value.lower() if name == "email" else canonical(value)
