"""The types that were inferred for a job's columns: inferred once, kept, and only ever widened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from exchanger.errors import StateDamaged, StorageMissing

if TYPE_CHECKING:
    from exchanger.files.names import StateNames
    from exchanger.outside.s3 import Bucket


class KeptTypes:
    """Column types by job, one small document each."""

    def __init__(self, bucket: Bucket, names: StateNames) -> None:
        self._bucket = bucket
        self._names = names

    def of(self, job: str) -> dict[str, str]:
        """
        Read the kept types of a job's columns; empty before its first run.

        Raises:
            StateDamaged: The document is not what was written.
        """
        key = self._names.kept_types(job)
        try:
            body, _ = self._bucket.read(key)
        except StorageMissing:
            return {}
        try:
            return {str(k): str(v) for k, v in orjson.loads(body)["types"].items()}
        except (ValueError, KeyError, AttributeError) as error:
            raise StateDamaged(key, f"no types in it: {error}") from error

    def keep(self, job: str, types: dict[str, str], *, seq: int) -> None:
        """Write the types that run *seq* settled on; writing them again changes nothing."""
        body = orjson.dumps({"seq": seq, "types": types}, option=orjson.OPT_INDENT_2)
        self._bucket.write(self._names.kept_types(job), body)
