"""
Whose memory a state is: the Braze workspace that it was made with.

A small document in the state, and a copy of it in the register of the bucket's states. A workspace
is told by its instance and by one of two things: a key that was used with it before, or the ids of
its segments, which outlive keys and differ between workspaces (braze-api.md 1.2, 8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from exchanger.config.loading.shorthand import REGISTER
from exchanger.errors import StateDamaged, StorageChanged, StorageMissing
from exchanger.state.documents import from_body, to_body
from exchanger.state.names import StateNames
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket

Verdict = Literal["same", "other", "unclear"]
_SEGMENTS = 200
"""Segments that are remembered, the oldest ones."""
_KEYS = 20
"""Keys that are remembered, the newest ones."""


@dataclass(frozen=True)
class Account:
    """How this process reaches a workspace."""

    endpoint: str
    api_key: str = field(repr=False)

    @property
    def instance(self) -> str:
        """Return the host of the instance, with its port where that is not the usual one."""
        host = urlsplit(self.endpoint).netloc.lower()
        return host.removesuffix(":443")

    def digest(self, salt: str) -> str:
        """Return a salted hash of the key, by which it is known again and cannot be found out."""
        return hashlib.sha256(f"{salt}\n{self.api_key}".encode()).hexdigest()


@dataclass(frozen=True)
class Workspace:
    """
    What a state knows of the workspace that it was made with.

    Args:
        prefix: The state's prefix.
        connection: The connection that made it, for people.
        instance: Host of the Braze instance.
        salt: Drawn for the hashes of keys.
        keys: Salted hashes of the keys that were used with it.
        segments: Ids of segments of it, the oldest first; empty if the key may not list them.
        memory_at: The state that took this one's place; empty unless one did.
        lost_before: A memory that lay here is gone; it may have known files that arrived before
            this moment (ISO 8601, S3's clock). Empty if none is.
        nonce: Drawn for each version of the document.
    """

    prefix: str
    connection: str
    instance: str = ""
    salt: str = field(default_factory=new_nonce)
    keys: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    memory_at: str = ""
    lost_before: str = ""
    nonce: str = ""

    def knows(self, account: Account) -> bool:
        """Return whether this very key was used with this instance before."""
        return self.instance == account.instance and account.digest(self.salt) in self.keys

    def compare(self, account: Account, segments: Sequence[str]) -> Verdict:
        """
        Return whether an account reaches the workspace that this state was made with.

        Args:
            account: The account.
            segments: Ids of the segments that it lists; empty if it lists none.
        """
        if self.instance != account.instance:
            return "other"
        if self.knows(account):
            return "same"
        if not segments or not self.segments:
            return "unclear"
        return "other" if set(self.segments).isdisjoint(segments) else "same"

    def with_account(self, account: Account, segments: Sequence[str]) -> Workspace:
        """Return this with an account of which it is known that it reaches the same workspace."""
        keys = [key for key in self.keys if self.instance == account.instance]
        keys = [*(key for key in keys if key != account.digest(self.salt))][-_KEYS + 1 :]
        return replace(
            self,
            instance=account.instance,
            keys=(*keys, account.digest(self.salt)),
            segments=tuple(segments[:_SEGMENTS]) or self.segments,
        )

    def to_bytes(self) -> bytes:
        """Return it as it is stored, unlike every other version."""
        return to_body(asdict(replace(self, nonce=new_nonce())))

    @staticmethod
    def from_bytes(body: bytes, key: str) -> Workspace:
        """
        Read what *to_bytes* wrote.

        Raises:
            StateDamaged: It is something else, or of a newer version.
        """
        try:
            content = from_body(body, key)
            lists = {name: tuple(content[name]) for name in ("keys", "segments")}
            return Workspace(**content | lists)
        except (ValueError, KeyError, TypeError) as error:
            raise StateDamaged(key, f"not a workspace: {error}") from error


class WorkspaceDocument:
    """The document of one state, as it was when it was read."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._etag: str | None = None
        self.found: Workspace | None = None
        """What was read, or written since; None if there is none."""
        self.read()

    def read(self) -> None:
        """Read it anew."""
        try:
            body, self._etag = self._bucket.read(self._key)
        except StorageMissing:
            self.found = self._etag = None
        else:
            self.found = Workspace.from_bytes(body, self._key)

    def write(self, workspace: Workspace) -> None:
        """
        Write it over what was read.

        Raises:
            StorageChanged: Another process wrote it meanwhile.
        """
        body = workspace.to_bytes()
        try:
            self._etag = self._bucket.write(
                self._key, body, if_match=self._etag, if_none_match=self._etag is None
            )
        except StorageChanged:
            # The answer to our own write may have been lost on the way.
            kept, self._etag = self._bucket.read(self._key)
            if kept != body:
                raise
        self.found = workspace


class StateRegister:
    """All states of a bucket, each under a key made of its prefix: any of them finds the others."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def key(self, prefix: str) -> str:
        """Return the key of a state's entry."""
        return StateNames(prefix).register_entry

    def states(self) -> dict[str, Workspace]:
        """Read all entries, by the prefixes of their states."""
        found = {}
        for item in self._bucket.list(REGISTER):
            if "/" in item.key.removeprefix(REGISTER):
                continue  # Which run is the newest one of a state.
            entry = Workspace.from_bytes(self._bucket.read(item.key)[0], item.key)
            found[entry.prefix] = entry
        return found

    def enter(self, workspace: Workspace) -> None:
        """Write the entry of a state."""
        self._bucket.write(self.key(workspace.prefix), workspace.to_bytes())
