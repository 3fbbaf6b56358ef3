"""
Whether Braze tells of a connection when it is done with requests: a beta, asked for once a day.

Nothing but a hint: whoever cannot read it asks again, and two that ask at once hear the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from exchanger.errors import StorageMissing
from exchanger.state.documents import from_body, to_body
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames

BELIEVED = timedelta(days=1)
"""For how long an answer counts."""
_TRUE_TO = timedelta(seconds=1)
"""S3 tells times in whole seconds, so to a process that began just now an answer may lie ahead."""


class GroupStatusHint:
    """What Braze answered last, in one small document."""

    def __init__(self, bucket: Bucket, names: StateNames) -> None:
        self._bucket = bucket
        self._key = names.group_status

    def told(self) -> bool | None:
        """Read whether Braze tells it, as of today by S3's clock; None if it has to be asked."""
        try:
            content = from_body(self._bucket.read(self._key)[0], self._key)
            age = self._bucket.now() - datetime.fromisoformat(content["asked_at"])
            return bool(content["told"]) if -_TRUE_TO < age < BELIEVED else None
        except (StorageMissing, ValueError, KeyError, TypeError):
            return None

    def keep(self, *, told: bool) -> None:
        """Write what Braze answered just now."""
        content = {"told": told, "asked_at": self._bucket.now().isoformat(), "nonce": new_nonce()}
        self._bucket.write(self._key, to_body(content))
