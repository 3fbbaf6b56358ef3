"""Bodies compared with the MD5 that most objects have as their ETag."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping
from typing import Any

_MD5 = re.compile(r"[0-9a-f]{32}")


def new_md5() -> hashlib._Hash:
    """Begin an MD5, which finds damage here and protects nothing."""
    return hashlib.md5(usedforsecurity=False)


class Checksums:
    """
    Finds bodies that changed on their way. Safe to use from several threads.

    An ETag is the MD5 of the body unless the object came in parts or is encrypted with keys of its
    owner. Some stores make it up in other ways. So when a body differs from its ETag, a second
    reading decides: damage never strikes twice alike, so equal readings mean that the body is right
    and the ETag is something else.
    """

    def __init__(self) -> None:
        self._differing: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def agree(self, key: str, answer: Mapping[str, Any], md5: str) -> bool:
        """
        Return whether a body can be trusted; if not, it has to be read again.

        Args:
            key: The object's key.
            answer: boto3's answer to the read.
            md5: Of the body as it arrived, in hex.
        """
        etag = str(answer["ETag"]).strip('"')
        if etag == md5 or not _promises_md5(answer, etag):
            return True
        with self._lock:
            before = self._differing.get((key, etag))
            self._differing[key, etag] = md5
            return before == md5


def _promises_md5(answer: Mapping[str, Any], etag: str) -> bool:
    encryption = str(answer.get("ServerSideEncryption", ""))
    own_keys = encryption.startswith("aws:") or bool(answer.get("SSECustomerAlgorithm"))
    return bool(_MD5.fullmatch(etag)) and not own_keys
