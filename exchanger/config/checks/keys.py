"""Keys: what nobody but those who are asked may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from exchanger.config.findings import Finding, Where

if TYPE_CHECKING:
    from pydantic import SecretStr


def check_key(key: SecretStr, where: Where) -> Iterator[Finding]:
    """Find out whether a secret can be part of a request's header."""
    text = key.get_secret_value()
    if not text or any(sign.isspace() for sign in text):
        yield Finding(where, "the key is empty, or holds a space or a line break")
    elif not text.isascii() or not text.isprintable():
        message = "the key holds a sign that no key has, such as a dash or a mark of a text program"
        yield Finding(where, f"{message}; copy it anew")
    elif text[0] == text[-1] and text[0] in "\"'":
        yield Finding(where, "the key stands in quotes; leave them out of the variable")
