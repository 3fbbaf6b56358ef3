"""
Recognises whose memory a state is, before anything is read from it or written to it.

A state knows the workspace that it was made with. It is asked for by a key, so a key that was used
before says all; where it is new, the segments that it lists decide.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import (
    BrazeForbidden,
    JobBusy,
    StateOlder,
    StorageChanged,
    WorkspaceDiffers,
)
from exchanger.notes import Note, noted
from exchanger.state.workspace import Workspace

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState
    from exchanger.state.workspace import Account

log = structlog.get_logger()


def recognise(context: JobContext, state: ConnectionState) -> None:
    """
    Check that a state was made with the workspace that the connection reaches. Writes nothing.

    Braze is asked only where the key was never used with this state.

    Raises:
        WorkspaceDiffers: It was made with another one, or nobody can tell.
        BrazeError: Braze refused the key, or did not answer.
    """
    account, known = context.account, state.workspace.found
    if account is None or (known is not None and known.knows(account)):
        return
    if known is None:
        if state.runs.newest() is not None:
            raise _differs(context, state, account, was="")
        return
    elsewhere = known.instance != account.instance
    verdict = known.compare(account, () if elsewhere else segments_of(context))
    if verdict != "same":
        raise _differs(context, state, account, was=known.instance, unclear=verdict == "unclear")


def establish(context: JobContext, state: ConnectionState) -> list[Note]:
    """
    Recognise a state as *recognise* does, and see to it that it knows its workspace from now on.

    To be called before anything is written. A state that the register of the bucket names, and that
    is not there, was lost: the new one remembers that.

    Returns:
        A note if that is found out now.

    Raises:
        WorkspaceDiffers: As *recognise* does.
        JobBusy: Another state took this one's place a moment ago.
        BrazeError: Braze refused the key, or did not answer.
        StorageError: S3 refused or did not answer.
    """
    account = context.account
    if account is None:
        return []
    state.workspace.read()
    if state.workspace.found is not None and state.workspace.found.memory_at:
        raise JobBusy(context.connection, "exchanger adopt, which moved its state a moment ago")
    recognise(context, state)
    known = state.workspace.found
    if known is None:
        return _begin(context, state, account)
    prefix = state.names.prefix
    if not known.knows(account):
        known = known.with_account(account, segments_of(context))
    elif known.prefix == prefix:
        return []
    # One that was copied or moved here is a state of its own from now on.
    remember(state, replace(known, prefix=prefix))
    return []


def remember(state: ConnectionState, workspace: Workspace) -> None:
    """
    Write what a state knows of its workspace, there and in the register.

    In this order: an entry of the register whose state is not there means that it was lost.
    """
    state.workspace.write(workspace)
    state.register.enter(workspace)


def segments_of(context: JobContext) -> list[str]:
    """List the ids of the workspace's segments, the oldest first; none if the key may not."""

    async def listed() -> list[str]:
        async with context.braze() as braze:
            return [segment.id for segment in await braze.segments()]

    try:
        return asyncio.run(listed())
    except BrazeForbidden:
        return []


def _begin(context: JobContext, state: ConnectionState, account: Account) -> list[Note]:
    prefix = state.names.prefix
    entry = state.register.states().get(prefix)
    lost, told = "", list[Note]()
    if entry is not None and not entry.memory_at:
        _demand_nothing_left(context, state)
        state.runs.begin_anew()
        seen_at = context.bucket.head(state.register.key(prefix)).seen_at or context.clock.now()
        lost = seen_at.isoformat()
        log.error("state.memory_lost", state=f"s3://{context.bucket.name}/{prefix}")
        told.append(noted("state_lost", state=f"s3://{context.bucket.name}/{prefix}"))
    begun = Workspace(prefix, context.connection, lost_before=lost)
    try:
        remember(state, begun.with_account(account, segments_of(context)))
    except StorageChanged:
        # Another process began it just now, perhaps with another workspace.
        state.workspace.read()
        recognise(context, state)
        return []
    return told


def _demand_nothing_left(context: JobContext, state: ConnectionState) -> None:
    """
    Check that a memory is gone as a whole.

    Raises:
        StateOlder: Tables of it are left, which know numbers of runs: none would be written again.
    """
    names = state.names
    for item in context.bucket.list(names.prefix):
        if "/_delta_log/" in item.key and not item.key.startswith(f"{names.run_index}/"):
            raise StateOlder(names.prefix, names.run(max(state.runs.last_made(), 1)), 0)


def _differs(
    context: JobContext,
    state: ConnectionState,
    account: Account,
    *,
    was: str,
    unclear: bool = False,
) -> WorkspaceDiffers:
    where = f"s3://{context.bucket.name}/{state.names.prefix}"
    return WorkspaceDiffers(context.connection, where, was, account.instance, unclear=unclear)
