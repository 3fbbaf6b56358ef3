"""How the demo speaks: chapters, commands with their answers, checks. Terminal and log alike."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_LOG_WIDTH = 118
_MARGIN = "  "


class Narrator:
    """
    Writes the story on standard output and remembers whether every check held.

    Nothing moves and nothing depends on colour, so a log reads like the terminal.
    """

    def __init__(self) -> None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _LOG_WIDTH
        self._width = min(width, _LOG_WIDTH)
        self._console = Console(width=self._width, highlight=False, markup=False, emoji=False)
        self._chapters = 0
        self._among_checks = False
        self.checks = 0
        self.failures: list[str] = []

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._part()
        self._chapters += 1
        self._console.print(f"\n{self._chapters}. {title}\n", style="bold")

    def say(self, text: str) -> None:
        """Write a paragraph, followed by an empty line."""
        self._part()
        self._console.print(textwrap.fill(text, self._width) + "\n", soft_wrap=True)

    def command(self, words: str, answer: Iterable[str]) -> None:
        """Show a command as one would type it, and what it answered."""
        self._part()
        self._console.print(f"{_MARGIN}$ exchanger {words}", style="bold", soft_wrap=True)
        self.lines(answer)

    def lines(self, lines: Iterable[str]) -> None:
        """Show lines as they are, followed by an empty one."""
        for line in lines:
            self._console.print(_MARGIN + line, soft_wrap=True)
        self._console.print()

    def table(self, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Show a table."""
        table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def _part(self) -> None:
        """Leave a line empty after checks, which stand together; all else ends with one."""
        if self._among_checks:
            self._console.print()
        self._among_checks = False

    def check(self, what: str, expected: object, found: object) -> None:
        """Compare what happened with what had to happen, and say so."""
        self.checks += 1
        self._among_checks = True
        if expected == found:
            self._console.print(f"{_MARGIN}ok   {what}", soft_wrap=True)
            return
        self.failures.append(what)
        line = f"{_MARGIN}NOT  {what}: expected {expected}, found {found}"
        self._console.print(line, style="bold red", soft_wrap=True)
