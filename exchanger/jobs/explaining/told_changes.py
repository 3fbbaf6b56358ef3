"""The changes of one profile for a person who asks: beside each, what its run knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.errors import StateMissing
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.notes import noted
from exchanger.profiles.frames.columns import PROFILE
from exchanger.state.changes import DROPPED, SHADOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.notes import Note
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState


@dataclass(frozen=True)
class ToldChange:
    """
    What one run did to one field of the profile, or meant to.

    Args:
        run: Its number.
        run_id: Its id.
        job: Its job.
        at: When Braze's last answer to it came; ISO 8601.
        field: The attribute.
        strategy: How it was merged.
        given: What was given to it, as JSON texts: one for each file of a sum or a list.
        before: The value before, as JSON; None if it was unknown.
        wanted: The value after, likewise.
        outcome: ``accepted``, ``refused``, ``withheld``, ``in_doubt``, ``dropped``, ``no_effect``,
            ``shadow`` (its job was in shadow, so it was not sent), or ``unseen``: Braze took it,
            and may not have such a profile.
        file: The file that gave it; the last one of several.
        row: The last row of the profile there; None if the file gave it by lacking the profile.
        takes_back: The run whose change it took back; 0 if it took none back.
    """

    run: int
    run_id: str
    job: str
    at: str
    field: str
    strategy: str | None
    given: tuple[str, ...]
    before: str | None
    wanted: str
    outcome: str
    file: str | None
    row: int | None
    takes_back: int = 0


class ChangesTold:
    """Puts beside changes what their runs know."""

    def __init__(self, context: JobContext, state: ConnectionState, keys: Sequence[str]) -> None:
        self._context = context
        self._state = state
        self._keys = pl.Series(keys)
        self._runs: dict[int, RunDocument] = {}
        self._gave: dict[int, pl.DataFrame] = {}

    def told(self, found: pl.DataFrame, facts: list[Note]) -> Iterator[ToldChange]:
        """
        Yield each change.

        Args:
            found: Rows as ``changes.TOLD``.
            facts: Gets what nobody keeps any more, once for each run.
        """
        for row in found.iter_rows(named=True):
            run = self._run(row["seq"])
            try:
                given = self._given(run, row)
            except StateMissing:
                given = ()
                note = noted("given_not_kept", run=run.seq)
                facts += [note] if note not in facts else []
            yield ToldChange(
                run=run.seq,
                run_id=run.run_id,
                job=row["job"],
                at=run.acked_at,
                field=row["field"],
                strategy=row["strategy"],
                given=given,
                before=row["before"],
                wanted=row["wanted"],
                outcome=SHADOW if run.shadow and row["outcome"] == DROPPED else row["outcome"],
                file=row["file"],
                row=None if run.removal else row["row"],
                takes_back=run.takes_back,
            )

    def _run(self, seq: int) -> RunDocument:
        if seq not in self._runs:
            self._runs[seq] = self._state.runs.read(seq).document
        return self._runs[seq]

    def _given(self, run: RunDocument, row: dict[str, Any]) -> tuple[str, ...]:
        if run.takes_back:
            return ()
        if row["given"] is not None:
            return (row["given"],)
        theirs = self._contributed(run).filter(pl.col("field") == row["field"])
        return tuple(theirs["given"].to_list())

    def _contributed(self, run: RunDocument) -> pl.DataFrame:
        """Read what the files of a run gave the profile, where that is not the value itself."""
        if run.seq not in self._gave:
            parts = [pl.DataFrame(schema={"field": pl.String, "given": pl.String})]
            if run.settled_contributions:
                with fetched(self._context, run.settled_contributions) as frames:
                    parts += [self._of(frame) for frame in frames.frames()]
            self._gave[run.seq] = pl.concat(parts)
        return self._gave[run.seq]

    def _of(self, frame: pl.DataFrame) -> pl.DataFrame:
        theirs = frame.filter(pl.col(PROFILE).is_in(self._keys.implode()))
        return theirs.select("field", "given")
