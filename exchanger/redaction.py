"""Taking secrets out of text, however they are spelt (law 9: secrets never leave)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

REDACTED = "[redacted]"
"""What stands in the place of a secret."""

_LONGEST = 500
_SHORTEST = 8
"""Characters of a part of a URL that may be a secret by itself, but for a password."""


class Redactor:
    """
    Takes the secrets that it was made with out of text.

    A secret is found as it is, URL-quoted, escaped as in JSON or in a Python literal, and inside
    base64 text, whatever was encoded around it.

    Args:
        secrets: The secrets; empty ones are left out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {text for secret in secrets if secret for text in _spellings(secret)}
        # The longest first, so that no spelling is cut in half by a shorter one.
        longest_first = sorted(spellings, key=lambda text: (-len(text), text))
        self._found = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def clean(self, text: str) -> str:
        """Return *text* with every secret replaced, and cut to a length fit for a log line."""
        # Replaced before it is cut: half a secret at the edge would no longer be recognised.
        clean = self._found.sub(REDACTED, text)
        return clean if len(clean) <= _LONGEST else clean[:_LONGEST] + "..."

    def replaced(self, text: str) -> str:
        """Return *text* with every secret replaced, however long it is."""
        return self._found.sub(REDACTED, text)

    def __repr__(self) -> str:
        return "Redactor()"


def secret_parts(url: str) -> list[str]:
    """
    Find the parts of a URL that may be secrets: what is no word, no number, and no host.

    Args:
        url: An address that is a secret as a whole, as those of channels are; of any other text
            nothing is found.
    """
    try:
        parts = urlsplit(url) if "://" in url else None
    except ValueError:
        parts = None
    if parts is None:
        return []
    user, _, host = parts.netloc.rpartition("@")
    rest = re.split(r"[/&=?#,;:+]", f"{user}/{parts.path}/{parts.query}/{parts.fragment}")
    # The host of many services is no host: the first of their tokens stands in its place.
    hosts = [] if "." in host or host.startswith("[") else host.split(":")
    found = [part for part in (*rest, *hosts) if len(part) >= _SHORTEST and _is_no_word(part)]
    password = user.partition(":")[2]
    return [*dict.fromkeys(unquote(part) for part in (*found, password) if part)]


def _is_no_word(text: str) -> bool:
    return not text.isdecimal() and not (text.isalpha() and text in (text.lower(), text.title()))


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield from _inside_base64(secret.encode())


def _inside_base64(secret: bytes) -> Iterator[str]:
    """
    Spell the secret as it stands inside base64 text, at each of the three alignments.

    Characters that also depend on the neighbouring bytes are left out; short secrets, of which
    too little would remain, are only found where they were encoded alone.
    """
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode()
        for offset in range(3):
            text = encode(b"\0" * offset + secret).decode().rstrip("=")
            shared_after = 1 if (offset + len(secret)) % 3 else 0
            inner = text[(0, 2, 3)[offset] : len(text) - shared_after]
            if len(inner) >= 8:
                yield inner
