"""
Where whoever drops files into a folder finds the answers: beside the folder, never below it.

So the listing of drops stays as long as it is, and no name below a prefix has two meanings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchanger.config.models import Config, ImportJob
    from exchanger.config.models.sources import Source


_LONGEST_KEY = 1_024
"""Bytes that S3 takes of a key, in UTF-8."""
_LONGER = 1
"""Bytes by which the folder of corrected rows has a longer name than that of rejected ones."""
_ENDING = re.compile(r"(?:\.[A-Za-z0-9]{1,8}){1,2}$")
"""What says how to read a file."""
_SNAPSHOT = (
    "The newest file of this job is the whole truth, so rows are not corrected by themselves. Drop "
    "the whole file again, with these rows corrected."
)
_ORDER = (
    "The rows of an order become one event, so they are not corrected one by one. Drop all rows of "
    "the order in a new file: an order counts once, by its id."
)
_MADE = "The job does not take its rows as they stand in its files. Drop the rows in a new file."
_STOPS = "The job stops at rows that cannot be used (on_invalid). Drop the rows in a new file."


@dataclass(frozen=True)
class AnswerNames:
    """
    Names of the answers of one job.

    Args:
        prefix: The folder of its drops, with a slash at the end.
        job: Its name, where another job takes the same file, and answers beside it.
    """

    prefix: str
    job: str = ""

    @property
    def reports(self) -> str:
        """The folder of the reports."""
        return self._beside("reports")

    @property
    def rejected_rows(self) -> str:
        """The folder of rejected rows."""
        return self._beside("rejected")

    @property
    def corrected_rows(self) -> str:
        """The folder into which people drop rejected rows once they have corrected them."""
        return self._beside("corrected")

    def corrected_in(self, key: str) -> tuple[str, list[str]]:
        """
        Return of a file of corrected rows the folder of its run, and which files they may be of.

        Named as the rejected rows are: perhaps below the name of the job, and of a workbook with
        the ending of CSV behind.
        """
        run, _, name = key.removeprefix(self.corrected_rows).partition("/")
        names = [name, name.removeprefix(f"{self.job}/")] if self.job else [name]
        names += [one.removesuffix(".csv") for one in names if one.lower().endswith(".xlsx.csv")]
        return run, [f"{self.prefix}{one}" for one in dict.fromkeys(names)]

    def rejected_in(self, run: int) -> str:
        """Name the folder of the rows that a run has rejected."""
        return f"{self.rejected_rows}{run}/"

    def rejected(self, run: int, key: str) -> str:
        """Name the rows of a file that a run has rejected; those of a workbook are CSV."""
        csv = ".csv" if key.lower().endswith(".xlsx") else ""
        of = f"{self.job}/" if self.job else ""
        name = f"{self._name(key)}{csv}"
        ending = _ENDING.search(name)
        end = ending[0] if ending else ""
        front = f"{self.rejected_in(run)}{of}"
        return _fitting(front, name.removesuffix(end), end, most=_LONGEST_KEY - _LONGER)

    def corrected(self, rejected: str) -> str:
        """Name the file of corrected rows, by the rejected rows as they lie there."""
        return f"{self.corrected_rows}{rejected.removeprefix(self.rejected_rows)}"

    def correcting(self, run: int) -> tuple[str, str]:
        """Name where the rows lie that a run has rejected, and where they are dropped corrected."""
        rejected = self.rejected_in(run)
        return rejected, self.corrected(rejected)

    def stands_for(self, corrected: str, run: int, key: str) -> bool:
        """Return whether a file of corrected rows is about a file of a run, by their names."""
        both = (self, AnswerNames(self.prefix))
        return any(corrected == one.corrected(one.rejected(run, key)) for one in both)

    def report(self, key: str, ending: str) -> str:
        """Name the report about a file; *ending* is ``json`` or ``html``."""
        of = f".{self.job}" if self.job else ""
        return _fitting(self.reports, self._name(key), f"{of}.{ending}")

    def of(self, job: str, *, shared: bool) -> AnswerNames:
        """Return the names of a job, told apart from those of another one that takes the file."""
        return AnswerNames(self.prefix, job if shared else "")

    def _name(self, key: str) -> str:
        if key.startswith(self.corrected_rows):
            return f"_corrected/{key.removeprefix(self.corrected_rows)}"  # No drop is named so.
        return key.removeprefix(self.prefix)

    def _beside(self, what: str) -> str:
        return f"{self.prefix.rstrip('/')}_{what}/"


def _fitting(front: str, name: str, end: str, most: int = _LONGEST_KEY) -> str:
    """Build a key; a name that is too long for S3 is cut, and told apart by a checksum."""
    room = most - len(f"{front}{end}".encode())
    whole = name.encode()
    if len(whole) > room:
        mark = f"~{sha256(whole).hexdigest()[:16]}"
        name = whole[: max(room - len(mark), 0)].decode(errors="ignore") + mark
    return f"{front}{name}{end}"


def answer_folders(job: ImportJob) -> tuple[str, ...]:
    """List the folders in which a job answers, or is answered; nobody else looks there."""
    names = AnswerNames(job.source.prefix)
    reports = (names.reports,) if job.after.report else ()
    rejected = (names.rejected_rows, names.corrected_rows) if job.after.rejected else ()
    return (*reports, *rejected)


def answers_of(config: Config, *connections: str) -> tuple[str, ...]:
    """
    List the folders in which the jobs of some connections answer, of all if none is named.

    Also of jobs that do not answer any more: what they answered before is no drop of anybody.
    """
    found: list[str] = []
    for name, job in config.jobs.items():
        home = config.connection_of(name)
        if job.type == "import" and (not connections or home in connections):
            names = AnswerNames(job.source.prefix)
            found += (names.reports, names.rejected_rows, names.corrected_rows)
    return tuple(dict.fromkeys(found))


def met_by(prefix: str, folders: Iterable[str]) -> tuple[str, ...]:
    """Choose of folders of answers those that a listing of a prefix shows among other objects."""
    return tuple(folder for folder in folders if folder.startswith(prefix))


def takes_corrections(job: ImportJob) -> bool:
    """Return whether a job shows rejected rows beside its folder, and takes them corrected."""
    return job.after.rejected and not job.delivery.shadow and not not_correctable(job)


def not_correctable(job: ImportJob) -> str:
    """Return why rejected rows of a job cannot be corrected one by one; empty if they can."""
    if job.source.is_snapshot:
        return _SNAPSHOT
    if job.order is not None:
        return _ORDER
    if not as_they_are(job.source):
        return _MADE
    return _STOPS if job.on_invalid == "stop" else ""


def as_they_are(source: Source) -> bool:
    """Return whether rows are read as they stand in a file, so that they can be dropped again."""
    return not (source.sql or source.payload or source.skip_rows) and source.header == "auto"
