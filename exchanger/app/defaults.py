"""What is chosen where a process begins: its configuration file, and how much it logs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

DEFAULT_CONFIG = Path("config/exchanger.yaml")
"""Where the configuration is if nobody says."""


class LogLevel(StrEnum):
    """How much is logged."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"
