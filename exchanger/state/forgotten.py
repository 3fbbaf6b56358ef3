"""
In which slices of profiles somebody was forgotten, and when: nothing else is remembered of them.

A slice is one of 1,024 shares of all profiles, so it names nobody. Whoever is not known in such a
slice may have been forgotten, so "never seen" means nothing there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.frames.slices import slice_of
from exchanger.state.documents import read_document, to_body
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames


class Forgotten:
    """The slices of one connection in which somebody was forgotten."""

    def __init__(self, bucket: Bucket, names: StateNames) -> None:
        self._bucket = bucket
        self._key = names.forgotten

    def add(self, number: int, seq: int) -> None:
        """Note a slice, and the last run before somebody in it was forgotten."""
        noted = self._read() | {number: seq}
        content = {"nonce": new_nonce(), "slices": {str(key): noted[key] for key in sorted(noted)}}
        self._bucket.write(self._key, to_body(content))

    def may_have_had(self, since: int = 0) -> pl.Expr | None:
        """
        Build a condition over ``@profile``: it may have been forgotten.

        Args:
            since: Only after this run.

        Returns:
            None if nobody was.
        """
        slices = [number for number, seq in self._read().items() if seq >= since]
        return slice_of(PROFILE).is_in(slices) if slices else None

    def _read(self) -> dict[int, int]:
        def slices(content: dict[str, Any]) -> dict[int, int]:
            return {int(key): int(seq) for key, seq in content["slices"].items()}

        found = read_document(self._bucket, self._key, slices, "no slices in it")
        return found[0] if found else {}
