"""Pages of which a part is written from the code: the commands and the configuration."""

from __future__ import annotations

from pathlib import Path

from pages import commands, configuration

DOCS = Path(__file__).resolve().parents[2] / "docs"
MARK = "<!-- What follows is written by scripts/reference, from the code. -->\n"


def written() -> dict[Path, str]:
    """Write both pages anew: what stands above the mark as it is, what follows from the code."""
    parts = {DOCS / "commands.md": commands, DOCS / "configuration.md": configuration}
    return {page: f"{_by_hand(page)}{MARK}\n{part.told()}" for page, part in parts.items()}


def _by_hand(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition(MARK)[0]
