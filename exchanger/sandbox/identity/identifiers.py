"""Which profile an object means, and whether it creates one (braze-api.md 2.3)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from exchanger.sandbox import refusals
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.refusals import Refusal

PRIMARY = ("external_id", "user_alias", "braze_id")
SECONDARY = ("email", "phone")
MAX_EXTERNAL_ID_BYTES = 987


def refusal(given: dict[str, Any]) -> Refusal | None:
    """Why the identifiers of an object refuse it, if they do."""
    primary = [name for name in PRIMARY if given.get(name)]
    if len(primary) > 1:
        return refusals.SEVERAL_IDENTIFIERS
    if not primary:
        found = any(isinstance(given.get(name), str) and given[name] for name in SECONDARY)
        return None if found or _is_token_import(given) else refusals.NO_IDENTIFIER
    value = given[primary[0]]
    if primary[0] == "user_alias":
        return None if _is_alias(value) else refusals.NO_IDENTIFIER
    if not isinstance(value, str):
        return refusals.NO_IDENTIFIER
    if primary[0] == "external_id" and len(value.encode()) > MAX_EXTERNAL_ID_BYTES:
        return refusals.EXTERNAL_ID_TOO_LARGE
    return refusals.BAD_TOKEN_IMPORT if _is_token_import(given) else None


def _is_token_import(given: dict[str, Any]) -> bool:
    return given.get("push_token_import") is True


def _is_alias(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(part), str) and value[part] for part in ("alias_name", "alias_label")
    )


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
        self._by_alias: dict[tuple[str, str], Profile] = {}
        self._by_contact: dict[tuple[str, str], dict[str, Profile]] = {}

    def find(self, given: dict[str, Any]) -> Profile | None:
        """The profile that the identifiers of an object mean, if there is one."""
        if external_id := given.get("external_id"):
            return self.by_external_id.get(external_id)
        if alias := given.get("user_alias"):
            return self.find_alias(alias["alias_label"], alias["alias_name"])
        if braze_id := given.get("braze_id"):
            return self.profiles.get(braze_id)
        for name in SECONDARY:
            if given.get(name):
                return self._newest(self.sharing(name, given[name]))
        return None

    def find_alias(self, label: str, name: str) -> Profile | None:
        """The profile of an alias."""
        return self._by_alias.get((label, name))

    def sharing(self, name: str, value: str) -> list[Profile]:
        """All profiles with this ``email`` (in any case) or ``phone``."""
        return list(self._by_contact.get((name, value.lower()), {}).values())

    def find_or_create(self, given: dict[str, Any], now: float) -> Profile | None:
        """
        The profile that an object applies to, created if the creation matrix of 2.3 says so.

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
        return self.create(now, external_id=given.get("external_id") or None, alias=alias)

    def create(
        self, now: float, *, external_id: str | None = None, alias: dict[str, str] | None = None
    ) -> Profile:
        """A new profile, filed under what it is identified by."""
        braze_id = f"{self._random.getrandbits(96):024x}"
        profile = Profile(braze_id, self._random.randrange(10_000), now, external_id)
        self.profiles[braze_id] = profile
        if external_id is not None:
            self.by_external_id[external_id] = profile
        if alias:
            profile.aliases[alias["alias_label"]] = alias["alias_name"]
            self._by_alias[alias["alias_label"], alias["alias_name"]] = profile
        return profile

    def touch(self, profile: Profile) -> None:
        """Make the profile the most recently updated one."""
        self._sequence += 1
        profile.touched = self._sequence

    def refile(self, profile: Profile, name: str, before: str | None, after: str | None) -> None:
        """File the profile under its new ``email`` or ``phone``."""
        if before == after:
            return
        if before is not None:
            self._by_contact[name, before.lower()].pop(profile.braze_id, None)
        if after is not None:
            self._by_contact.setdefault((name, after.lower()), {})[profile.braze_id] = profile

    @staticmethod
    def _newest(candidates: Iterable[Profile]) -> Profile | None:
        """The most recently updated one; those with an external id come first."""
        return max(
            candidates,
            key=lambda profile: (profile.external_id is not None, profile.touched),
            default=None,
        )
