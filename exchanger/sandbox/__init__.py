"""
A faithful local Braze over HTTP, and a local S3.

Importing the package is cheap; the servers and their libraries load when a name is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exchanger.sandbox.local_braze import Sandbox
    from exchanger.sandbox.local_s3 import LocalS3
    from exchanger.sandbox.settings import SandboxSettings

__all__ = ["LocalS3", "Sandbox", "SandboxSettings"]

_HOMES = {
    "LocalS3": "exchanger.sandbox.local_s3",
    "Sandbox": "exchanger.sandbox.local_braze",
    "SandboxSettings": "exchanger.sandbox.settings",
}


def __getattr__(name: str) -> Any:
    """Load the public name from its module on first use."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
