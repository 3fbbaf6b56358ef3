"""
Which objects are answers of jobs that the configuration no longer has, or has elsewhere.

What lies in a folder of answers is no drop of anybody. Of jobs that are configured their folders
say so; of others, the documents of the runs that answered.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exchanger.config.answers import AnswerNames
from exchanger.errors import StorageMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import RunLog

_FOLDER = re.compile(r"_(reports|rejected|corrected)/")
_ENDINGS = (".json", ".html")


@dataclass(frozen=True)
class FormerAnswers:
    """
    What past runs of a connection have answered, apart from drops.

    Args:
        runs: What has run.
        applied: Which files were met, by any job.
        found: Folders of answers that were found.
    """

    runs: RunLog
    applied: LedgerSnapshot
    found: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Return whether an object lies in a folder in which a past run has answered."""
        for folder in _FOLDER.finditer(key):
            whole, rest = key[: folder.end()], key[folder.end() :]
            names = AnswerNames(f"{key[: folder.start()]}/")
            if whole in self.found:
                return True
            seqs = self._of_report(names, rest) if whole == names.reports else _of_rows(rest)
            if any(self._answered(seq, names) for seq in seqs):
                self.found.add(whole)
                return True
        return False

    def _of_report(self, names: AnswerNames, rest: str) -> Iterator[int]:
        """Number the runs that met the file which a report would be about."""
        for ending in _ENDINGS:
            if rest.endswith(ending):
                name = rest.removesuffix(ending)
                # Where several jobs answer, the name of one stands behind.
                for file in (name, name.rpartition(".")[0]):
                    yield from self.applied.runs_of(f"{names.prefix}{file}")

    def _answered(self, seq: int, names: AnswerNames) -> bool:
        with suppress(StorageMissing):
            return self.runs.read(seq).document.answers.get("prefix") == names.prefix
        return False


def _of_rows(rest: str) -> list[int]:
    """Return the number of the run that would have rejected the rows."""
    number, slash, _ = rest.partition("/")
    return [int(number)] if slash and number.isdecimal() else []
