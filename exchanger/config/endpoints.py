"""Addresses of Braze instances (braze-api.md 1.1), of stores, and of a cluster's scheduler."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_REGIONS = {"us": "iad", "eu": "fra"}
"""Regions whose addresses spell them otherwise."""
_SPELT_AS_IT_IS = {("us", "10")}
"""Newer instances of such a region, whose addresses do not (1.1)."""
_INSTANCE = re.compile(r"(us|iad|eu|fra|au|id|jp|kr)-(\d\d)", re.IGNORECASE)
_DASHBOARD = re.compile(
    r"(?:https?://)?dashboard(?:-|\.(?P<region>us|au|id|jp|kr)-)(?P<number>\d\d)"
    r"\.braze\.(?P<end>com|eu)/?.*"
)

_PORTS = {"http": 80, "https": 443}
SCHEDULER_PORT = 8786
"""Where a Dask scheduler listens unless it is told otherwise."""


def expand_endpoint(text: str) -> str:
    """
    Write an instance such as ``iad-01`` or ``US-01`` as its address; leave an address as it is.

    A slash at the end is dropped.
    """
    found = _INSTANCE.fullmatch(text.strip())
    if not found:
        return text.strip().rstrip("/")
    region, number = found[1].lower(), found[2]
    if (region, number) not in _SPELT_AS_IT_IS:
        region = _REGIONS.get(region, region)
    return f"https://rest.{region}-{number}.braze.{'eu' if region == 'fra' else 'com'}"


def endpoint_fault(url: str) -> str:
    """Return what is wrong with the address of a Braze instance; empty if nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "this is no web address"
    if parts.scheme not in ("http", "https") or not host:
        return (
            "write an instance such as iad-01, or an address such as https://rest.iad-01.braze.com"
        )
    if parts.scheme == "http" and not is_loopback(host):
        return "the key would travel unprotected; the address must begin with https://"
    if parts.username or parts.path or parts.query or parts.fragment:
        return "write only the address of the instance, with nothing behind the host"
    if _DASHBOARD.fullmatch(url):
        return "this is the address of the dashboard, not of the REST API"
    return ""


def guess_endpoint(url: str) -> str:
    """Find the REST address of a dashboard's address; empty if it is none."""
    found = _DASHBOARD.fullmatch(url)
    if not found:
        return ""
    region = found["region"] or {"com": "us", "eu": "eu"}[found["end"]]
    return expand_endpoint(f"{region}-{found['number']}")


def store_fault(url: str) -> str:
    """Return what is wrong with the address of an S3-compatible store; empty if nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "this is no web address"
    return "" if parts.scheme in ("http", "https") and host else "this is no web address"


def store_of(url: str | None) -> str:
    """Spell the address of a store in one way, so that two of one store are alike."""
    try:
        parts = urlsplit(url or "")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return str(url)  # What is wrong with it is told by itself.
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) or not host:
        return ""  # AWS itself, where a name is given to one bucket alone.
    return f"{host}:{port or _PORTS.get(parts.scheme)}"


def scheduler_fault(address: str) -> tuple[str, str]:
    """Return what is wrong with a Dask scheduler's address, and a guess; both empty if nothing."""
    words = "write the address of the scheduler, such as tcp://scheduler.internal:8786"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return words, ""
    if address and not parts.netloc and not address.startswith("/"):
        # HOST or HOST:PORT, which is read as a scheme or a path.
        return words, f"tcp://{address}" if ":" in address else f"tcp://{address}:{SCHEDULER_PORT}"
    if parts.scheme not in ("tcp", "tls") or not host:
        return words, f"tcp://{host}:{SCHEDULER_PORT}" if host else ""
    if port is None:
        return "the port is missing", f"{parts.scheme}://{host}:{SCHEDULER_PORT}"
    if parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        return "write only the host and the port of the scheduler", ""
    return "", ""


def is_loopback(host: str) -> bool:
    """Return whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
