"""What verbs return that no job does: rows of a listing, findings, who needs a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from exchanger.app.connectivity import Trial
    from exchanger.jobs.planning.preview import PlanReport
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.jobs.send_test import Exchange


@dataclass(frozen=True)
class Rows:
    """
    Rows of one kind, such as runs: a sequence of dictionaries that is also a table.

    Args:
        rows: As the verb of that name prints them with ``--json``.
    """

    rows: list[dict[str, Any]]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self.rows[place]

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the rows as plain values."""
        return self.rows

    def to_frame(self) -> pl.DataFrame:
        """Return the rows as a polars frame; what is nested becomes lists and structs."""
        import polars as pl

        return pl.DataFrame(self.rows, infer_schema_length=None)


@dataclass(frozen=True)
class Tried:
    """
    What one row does.

    Args:
        plan: What it was expected to do.
        exchanges: Requests and answers; only requests if nothing was sent. No secret is in them.
        report: Of the run; None if nothing was sent.
    """

    plan: PlanReport
    exchanges: list[Exchange]
    report: RunReport | None = None


@dataclass(frozen=True)
class Check:
    """
    What a configuration means, and whether what it names works.

    Args:
        jobs: What each job will do, in sentences.
        trials: What was tried; empty if nothing was to be.
    """

    jobs: dict[str, list[str]]
    trials: list[Trial]

    @property
    def ok(self) -> bool:
        """Whether everything that was tried works."""
        return all(trial.ok for trial in self.trials)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"ok": self.ok} | asdict(self)


@dataclass(frozen=True)
class Status:
    """
    How connections stand.

    Args:
        ok: Whether nothing needs a person.
        connections: Each with its daemons.
        jobs: Each with its last run, and when it is due.
        needs: What needs a person: ``kind``, ``message``, and ``next``, the commands to type.
    """

    ok: bool
    connections: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    needs: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)
