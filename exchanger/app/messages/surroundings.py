"""What surrounds a process, and keeps it from reaching a service: certificates and proxies."""

from __future__ import annotations

import re

from exchanger.errors import BrazeError, BrazeUnreachable, StorageError, StorageUnreachable

_ADDRESS = re.compile(r"\S+://\S+")
"""In which any word may stand."""
_CERTIFICATES = re.compile(r"certificate|X509|SSL validation", re.IGNORECASE)
_NO_CERTIFICATES = re.compile(r"No CA certificates", re.IGNORECASE)
_PROXY = re.compile(r"\bproxy\b|unsupported scheme", re.IGNORECASE)
_THEN = "Then: exchanger check --connect"


def cure_of_surroundings(error: StorageError | BrazeError) -> str | None:
    """Return what to do about the machine itself; None if it is not what is in the way."""
    detail = _ADDRESS.sub("", error.detail)
    if not isinstance(error, (StorageUnreachable, BrazeUnreachable)):
        return None
    if _NO_CERTIFICATES.search(detail):
        return f"This machine trusts no certificates at all: install ca-certificates. {_THEN}"
    if _CERTIFICATES.search(detail):
        return (
            "This machine does not trust the certificate. Behind one of your own, set both"
            " AWS_CA_BUNDLE and SSL_CERT_FILE to a file that has it (docs/getting-started.md). "
            f"{_THEN}"
        )
    if _PROXY.search(detail):
        return (
            "Look at HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment of this process: a"
            f" proxy is written http://HOST:PORT. {_THEN}"
        )
    return None
