"""
The story of a value: which runs changed a field of a profile, and who has seen it last.

Nothing is written and nobody waits; Braze is asked for nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.errors import StateMissing
from exchanger.jobs.history.changes import changes_of_profiles
from exchanger.jobs.quarantine.of_profile import MOST_RUNS, PutAside, Sought, rows_put_aside
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.notes import Note, as_plain, noted
from exchanger.profiles.frames.columns import IDENTIFIED, PROFILE
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import EMPTY
from exchanger.profiles.spelling.profile_key import item_key, parts_of
from exchanger.profiles.spelling.profile_key import shown as shown_key
from exchanger.state.changes import TAKEN
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.held.table import HeldValues
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
            or ``unseen``: Braze took it, and may not have such a profile.
        file: The file that gave it; the last one of several.
        row: The last row of the profile there.
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


@dataclass(frozen=True)
class HeldNow:
    """
    What is held of one field now, and how it is known.

    Args:
        field: The attribute.
        value: JSON; None if it is unknown, or no longer certain.
        by: ``run`` (a run delivered it), ``look`` (a look-up or an export showed it), or None.
        run: The run that delivered it.
        at: When it was learnt; ISO 8601.
    """

    field: str
    value: str | None
    by: str | None = None
    run: int | None = None
    at: str | None = None


@dataclass
class Explanation:
    """
    Why a profile has its values.

    Args:
        job: The job that was asked for.
        profile: The profile, as people write it.
        keys: All keys under which anything was recorded of it, likewise.
        changes: By field, then in the order of the runs, of whichever job.
        held: What is held now, by field.
        put_aside: Rows that did not come through, the newest run first.
        notes: What there is to say besides, in words.
        facts: The same as facts.
    """

    job: str
    profile: str
    keys: list[str] = field(default_factory=list)
    changes: list[ToldChange] = field(default_factory=list)
    held: list[HeldNow] = field(default_factory=list)
    put_aside: list[PutAside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: list[Note] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the profile, or of the field that was asked for."""
        return bool(self.changes or self.held or self.put_aside)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as ``explain --json`` prints it."""
        return asdict(self, dict_factory=as_plain)


def item_of(job: ImportJob, item: str, catalog: str = "") -> str | None:
    """
    Return the key of an item of a job's catalog.

    Args:
        job: Of catalog items.
        item: The id.
        catalog: Its name, which a job needs where a column names it.

    Returns:
        None if the catalog is not named, or is none of the job's.
    """
    named = job.one_catalog or catalog
    if not named or catalog not in ("", named):
        return None
    return str(pl.select(item_key(pl.lit(named), pl.lit(item))).item())


def explain(
    context: JobContext, name: str, job: ImportJob, profile: str, field: str | None = None
) -> Explanation:
    """
    Find why a profile has the values that it has.

    Args:
        context: The connection.
        name: A job of it, whose quarantine is searched; changes are those of every job.
        job: The job.
        profile: The key of the profile, or of an item of a catalog of the job.
        field: Only this attribute; all if left out.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    catalogs = (parts_of(profile)[2],) if job.catalog else ()
    keys = [profile] if catalogs else _keys_of(state, profile)
    told = Explanation(name, _shown(profile), [_shown(key) for key in keys])
    known = changes_of_profiles(context, state, pl.Series(PROFILE, keys))
    told.facts += [noted("changes_not_kept", run=seq) for seq in known.gone]
    found = known.rows.sort("field", "seq", maintain_order=True)
    if field is not None:
        found = found.filter(pl.col("field") == field)
    told.changes = [*_Changes(context, state, keys).told(found, told)]
    held = state.items(*catalogs) if catalogs else state.held
    told.held = [*_held(held, keys, field, told.changes)]
    told.put_aside, searched = rows_put_aside(
        context, state, name, Sought(keys, job.match_columns, field)
    )
    if searched:
        told.facts.append(noted("quarantines_not_searched", searched=MOST_RUNS))
    return told


def _keys_of(state: ConnectionState, profile: str) -> list[str]:
    """Name all keys that are held to mean one person: the asked one first."""
    named = state.held.of(pl.Series(PROFILE, [profile]), [IDENTIFIED])
    external = [
        text for text in named.filter(pl.col(PROFILE) == profile)[IDENTIFIED].to_list() if text
    ]
    owner = profile
    for text in external:
        if text not in (EMPTY, UNCERTAIN):
            owner = str(pl.Series([text]).str.json_decode(pl.String).item())
    keys = [profile, owner, *state.held.linked_to(owner)]
    return [*dict.fromkeys(keys)]


class _Changes:
    """Puts beside changes what their runs know."""

    def __init__(self, context: JobContext, state: ConnectionState, keys: Sequence[str]) -> None:
        self._context = context
        self._state = state
        self._keys = pl.Series(keys)
        self._runs: dict[int, RunDocument] = {}
        self._gave: dict[int, pl.DataFrame] = {}

    def told(self, found: pl.DataFrame, explanation: Explanation) -> Iterable[ToldChange]:
        """Yield each change; what nobody keeps any more is noted, once for each run."""
        for row in found.iter_rows(named=True):
            run = self._run(row["seq"])
            try:
                given = self._given(run, row)
            except StateMissing:
                given = ()
                note = noted("given_not_kept", run=run.seq)
                explanation.facts += [note] if note not in explanation.facts else []
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
                outcome=row["outcome"],
                file=row["file"],
                row=row["row"],
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


def _held(
    held: HeldValues, keys: Iterable[str], field: str | None, changes: Sequence[ToldChange]
) -> Iterable[HeldNow]:
    """Find what is held of the profile, by whichever key it was learnt last."""
    fields = [name for name in held.fields() if name != IDENTIFIED]
    asked = fields if field is None else [name for name in fields if name == field]
    parts = [held.sightings(key, asked) for key in keys]
    newest = pl.concat(parts).sort("field", "stamp", "seen", "at").unique("field", keep="last")
    for row in newest.sort("field").iter_rows(named=True):
        name, value = row["field"], row["value"]
        at: datetime = row["at"]
        if value == UNCERTAIN:
            yield HeldNow(name, None, None, None, at.isoformat())
            continue
        run = None if row["seen"] else _deliverer(name, value, changes)
        yield HeldNow(name, value, "look" if row["seen"] else "run", run, at.isoformat())


def _deliverer(name: str, value: str, changes: Sequence[ToldChange]) -> int | None:
    """Find the last run that delivered a value."""
    delivered = (
        change.run
        for change in reversed(changes)
        if (change.field, change.wanted) == (name, value) and change.outcome in TAKEN
    )
    return next(delivered, None)


def _shown(key: str) -> str:
    return str(pl.select(shown_key(pl.lit(key))).item())
