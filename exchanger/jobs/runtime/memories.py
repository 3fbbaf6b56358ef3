"""
What else may remember a file: other states of the bucket, and a memory of our own that was lost.

A connection that was renamed, or whose state prefix was mistyped, begins with an empty memory. What
the state under its old name applied to the same workspace would count twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from exchanger.jobs.runtime.one_moment import demand_values_of_now, has_lost_files
from exchanger.jobs.runtime.recognition import remember, segments_of
from exchanger.notes import Note, noted
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.held.table import HeldValues
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile, FileOutcome
    from exchanger.state.store import ConnectionState
    from exchanger.state.workspace import Verdict, Workspace


class OtherValues(NamedTuple):
    """What another state of the same workspace holds, of the fields that it has delivered."""

    fields: frozenset[str]
    held: HeldValues


@dataclass(frozen=True)
class Memories:
    """
    What else may remember a file, or what Braze has.

    Args:
        lost_before: A memory of ours that was lost may have known files that arrived before.
        others: States that were made with the same workspace, as far as can be told.
        values: What states hold that surely were.
    """

    lost_before: datetime | None = None
    others: Sequence[tuple[Workspace, LedgerSnapshot]] = ()
    values: Sequence[OtherValues] = ()

    def look_up(self, *, keys: Sequence[str] = (), contents: Sequence[str] = ()) -> None:
        """Find what others know of many keys, and of many contents, before each is asked for."""
        for _, applied in self.others:
            applied.look_up(keys=keys, contents=contents)

    def of(
        self, file: ClaimedFile, sums: Sequence[str], arrived: datetime | None
    ) -> tuple[FileOutcome, Note] | None:
        """
        Return why a file that is new to us must wait, as an outcome and a note.

        Args:
            file: The file, which our own memory does not know.
            sums: The summed fields that it would feed.
            arrived: When it arrived, by S3's clock.

        Returns:
            None if nothing else can have applied it.
        """
        for workspace, applied in self.others:
            if _applied_there(applied, file, sums):
                return "applied_elsewhere", noted(
                    "known_elsewhere", state=workspace.prefix, connection=workspace.connection
                )
        if self.lost_before and sums and arrived and arrived <= self.lost_before:
            return "memory_lost", noted("memory_lost")
        return None


def memories_of(context: JobContext, state: ConnectionState, *, record: bool) -> Memories:
    """
    Find what else may remember the files of a connection.

    Args:
        context: The outside.
        state: The connection's own state.
        record: Whether anything may be written.

    Raises:
        StateOlder: The state's runs are gone, and what they applied is not.
        StorageError: S3 refused or did not answer.
    """
    account, ours = context.account, state.workspace.found
    if account is None:
        return Memories()
    if has_lost_files(state) and ours is not None:
        ours = replace(ours, lost_before=_now(context, state.names.workspace).isoformat())
        if record:
            remember(state, ours)
    demand_values_of_now(state)
    entries = state.register.states()
    entry = entries.pop(state.names.prefix, None)
    if entry is None and ours is not None and record:
        state.register.enter(ours)
    others = _others(context, entries.values())
    applied = [(one, _snapshot(state)) for one, state, _ in others]
    lost = datetime.fromisoformat(ours.lost_before) if ours and ours.lost_before else None
    if ours is None and entry is not None and not entry.memory_at:
        # As a run will find and note; only a plan comes here.
        lost = _now(context, state.register.key(entry.prefix))
    return Memories(lost, applied, _values(others))


def values_elsewhere(context: JobContext, state: ConnectionState) -> Memories:
    """Find what else is held of the workspace, for a decision about files that are known."""
    entries = state.register.states()
    entries.pop(state.names.prefix, None)
    return Memories(values=_values(_others(context, entries.values())))


_Other = tuple["Workspace", "ConnectionState", "Verdict"]


def _others(context: JobContext, entries: Iterable[Workspace]) -> list[_Other]:
    """Open the states that were made with the same workspace, as far as can be told."""
    account, found = context.account, list[_Other]()
    alive = [one for one in entries if not one.memory_at]
    if account is None:
        return found
    unknown = [one for one in alive if not one.knows(account)]
    needs_segments = any(one.instance == account.instance for one in unknown)
    segments = segments_of(context) if needs_segments else []
    for one in alive:
        verdict = one.compare(account, segments)
        if verdict != "other":
            found.append((one, open_state(context.bucket, one.prefix), verdict))
    return found


def _values(others: Iterable[_Other]) -> list[OtherValues]:
    return [
        OtherValues(state.first_deliveries.known, state.held)
        for _, state, verdict in others
        if verdict == "same"
    ]


def _now(context: JobContext, key: str) -> datetime:
    """Return the time by S3's clock, which tells when files arrived."""
    return context.bucket.head(key).seen_at or context.clock.now()


def _snapshot(state: ConnectionState) -> LedgerSnapshot:
    """Pin what another state has applied, and what its unfinished run is about to."""
    applied = state.file_ledger.snapshot()
    newest = state.runs.newest()
    if newest is not None and newest.document.state not in ENDED:
        for file in newest.document.files:
            applied = applied.with_file(newest.document.job, file)
    return applied


def _applied_there(applied: LedgerSnapshot, file: ClaimedFile, sums: Sequence[str]) -> bool:
    if applied.knows(file.key, file.etag):
        return True
    if not sums:
        return False
    before = applied.last_version(file.key, sums)
    return before is not None or bool(applied.given(file.sha256, sums))
