"""
exchanger keeps Braze and an S3 bucket in step.

``Exchanger`` is the product as a library, loaded when it is first asked for; the command line lives
in ``exchanger.cli``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.version import __version__

if TYPE_CHECKING:
    from exchanger.app.api import Exchanger

__all__ = ["Exchanger", "__version__"]


def __getattr__(name: str) -> object:
    if name == "Exchanger":
        from exchanger.app.api import Exchanger

        return Exchanger
    raise AttributeError(name)
