"""Names the requests of a run, so that Braze can be asked whether it is done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.errors import BrazeError, BrazeForbidden, BrazeRefused
from exchanger.jobs.history.shown import done_with
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

_NO_GROUP = "exchanger"
"""A group that does not exist: asking for it shows whether asking is allowed."""


def new_group(context: JobContext, state: ConnectionState, seq: int) -> str:
    """
    Draw a ``group_id`` for all requests that this process sends of a run (braze-api.md 2.11).

    Returns:
        Nothing where Braze does not tell when it is done, or nobody would wait for it.
    """
    if not context.grace:
        return ""
    told = state.group_status.told()
    if told is None:
        told = _is_told(context)
        if told is not None:
            state.group_status.keep(told=told)
    return f"exchanger-{seq}-{new_nonce()}" if told else ""


def _is_told(context: JobContext) -> bool | None:
    """Ask whether Braze tells when it is done with requests; None if there was no answer."""
    try:
        done_with(context, _NO_GROUP)
    except (BrazeForbidden, BrazeRefused):
        return False
    except (BrazeError, TimeoutError):
        return None
    return True
