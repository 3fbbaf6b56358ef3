"""Results as Markdown tables, so that they can be kept as they are printed."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import polars as pl

MEBI = 1 << 20


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    print(f"\n### {title}\n")
    print(f"| {' | '.join(columns)} |")
    print(f"| --- {'| ---: ' * (len(columns) - 1)}|")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def machine() -> str:
    """Describe the machine in general terms."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    versions = f"Python {platform.python_version()}, polars {pl.__version__}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {versions}, {platform.system()}"


def load() -> str:
    """Say how busy the machine is besides: figures of a busy machine are worth less."""
    return f"load average {Path('/proc/loadavg').read_text(encoding='utf-8').split()[0]}"


def count(number: float) -> str:
    """Spell a number with thousands separated."""
    return f"{number:,.0f}"


def seconds(number: float) -> str:
    """Spell seconds."""
    return f"{number:.2f} s"


def micros(number: float) -> str:
    """Spell seconds as microseconds."""
    return f"{number * 1e6:.1f} µs"


def mebibytes(size: float) -> str:
    """Spell bytes."""
    return f"{size / MEBI:,.0f} MiB"


def times(ratio: float) -> str:
    """Spell a ratio."""
    return f"{ratio:.2f}"
