"""
The story of an adoption: a connection goes on with a memory that it did not recognise as its own.

Either its own state was made with the same workspace under another key or address; or the state
under an earlier name of the connection takes the place of its own, which has applied nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import NothingToAdopt
from exchanger.jobs.lifecycle.exclusive import with_lease
from exchanger.jobs.runtime.recognition import remember, segments_of
from exchanger.state.store import open_state
from exchanger.state.workspace import Workspace

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState
    from exchanger.state.workspace import Account

log = structlog.get_logger()


@dataclass(frozen=True)
class Adoption:
    """
    What a connection goes on with.

    Args:
        connection: The connection.
        state: The prefix of the state that is its memory from now on.
        moved: Whether that is another one than before.
        made_by: The connection that made it.
        instance_before: The Braze instance that it was made with; empty if it did not say.
        instance: The one of the connection.
        runs: How many runs it remembers.
    """

    connection: str
    state: str
    moved: bool
    made_by: str
    instance_before: str
    instance: str
    runs: int


def adopt(context: JobContext, source: str | None, wait: float) -> Adoption:
    """
    Let a connection go on with a memory.

    Args:
        context: The outside of the connection.
        source: The prefix of the state to take over. If None: its own state, if that is not
            recognised; otherwise the one state that was made with the same workspace.
        wait: Seconds to wait for processes that write to either state.

    Raises:
        NothingToAdopt: There is no such state, or several, or the connection has applied files.
        JobBusy: A process writes to one of the states, and did not end while we waited.
        BrazeError: Braze refused the key, or did not answer.
        StorageError: S3 refused or did not answer.
    """
    own = open_state(context.bucket, context.state_prefix)
    return with_lease(
        context, own, "exchanger adopt", wait, lambda held: _adopt(held, source, wait)
    )


def _adopt(context: JobContext, source: str | None, wait: float) -> Adoption:
    own, account = open_state(context.bucket, context.state_prefix), context.account
    if account is None:
        raise NothingToAdopt(context.connection, "nothing says which workspace it reaches")
    segments = segments_of(context)
    if source in (None, own.names.prefix) and _is_unrecognised(own, account, segments):
        return _accepted(context, own, own.names.prefix, account, segments)
    prefix = _chosen(context, own, account, segments) if source is None else source
    taken = open_state(context.bucket, prefix)
    if own.names.prefix in (prefix, taken.names.prefix):
        raise NothingToAdopt(context.connection, f"{own.names.prefix} is its own state already")
    if not own.file_ledger.snapshot().is_unused:
        detail = f"its own state {own.names.prefix} has applied files, and two cannot be joined"
        raise NothingToAdopt(context.connection, detail)
    if taken.workspace.found is None and taken.runs.newest() is None:
        raise NothingToAdopt(context.connection, f"there is no state at {prefix}")

    def moved(_: JobContext) -> Adoption:
        adoption = _accepted(context, taken, own.names.prefix, account, segments)
        pointer = own.workspace.found or Workspace(own.names.prefix, context.connection)
        remember(own, replace(pointer, memory_at=taken.names.prefix))
        return adoption

    return with_lease(context, taken, "exchanger adopt", wait, moved)


def _is_unrecognised(state: ConnectionState, account: Account, segments: list[str]) -> bool:
    """Return whether a state is there that does not say that it is of this workspace."""
    known = state.workspace.found
    if known is None:
        return state.runs.newest() is not None
    return known.compare(account, segments) != "same"


def _chosen(
    context: JobContext, own: ConnectionState, account: Account, segments: list[str]
) -> str:
    """Find the only other state that may be of the same workspace, and is nobody's any more."""
    may_be = [
        entry.prefix
        for entry in own.register.states().values()
        if entry.prefix != own.names.prefix
        and not entry.memory_at
        and entry.compare(account, segments) != "other"
    ]
    # A connection of this configuration goes on with its own: to share it, a person names it.
    found = [prefix for prefix in may_be if prefix not in context.folders.written]
    if len(found) == 1:
        return found[0]
    if found:
        detail = "several states may be meant"
    elif may_be:
        detail = "what may be of its workspace is the memory of another connection"
    else:
        detail = "no other state is of its workspace"
    raise NothingToAdopt(context.connection, detail, sorted(found or may_be))


def _accepted(
    context: JobContext, state: ConnectionState, before: str, account: Account, segments: list[str]
) -> Adoption:
    """Note that a state was made with the workspace that the connection reaches."""
    known = state.workspace.found or Workspace(state.names.prefix, context.connection)
    # One that was copied here says where it was.
    known = replace(known, prefix=state.names.prefix)
    remember(state, known.with_account(account, segments))
    newest = state.runs.newest()
    log.info("state.adopted", state=state.names.prefix)
    return Adoption(
        connection=context.connection,
        state=state.names.prefix,
        moved=state.names.prefix != before,
        made_by=known.connection,
        instance_before=known.instance,
        instance=account.instance,
        runs=newest.document.seq if newest else 0,
    )
