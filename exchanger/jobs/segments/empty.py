"""
An export without users: an empty segment, or files that went where nobody looked.

Braze writes no object for a segment without users (braze-api.md 4.4), and none that we could see
where the folder in the configuration is not Braze's. Only the size that Braze estimates tells these
apart, and only if it is well above 0.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import BrazeError, BrazeForbidden, ExportEmpty
from exchanger.jobs.segments.files import watched_folder

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.segments.wait import CompleteExport

log = structlog.get_logger()

_SECONDS = 30.0
"""An answer that only explains is not worth a longer wait."""


def without_users(
    context: JobContext, export: CompleteExport, *, may_be_allowed: bool
) -> ExportEmpty:
    """
    Build the error of an export in which no user came, and ask Braze how many there should be.

    Args:
        context: The connection.
        export: The export.
        may_be_allowed: Whether its job can say that an empty segment is fine.
    """
    size, unknown_because = asyncio.run(_estimated(context, export.segment.id))
    log.warning("export.without_users", segment=export.segment.name, estimate=size)
    return ExportEmpty(
        export.segment.name,
        watched_folder(context, export.segment.id) if export.archive is None else "",
        estimate=size,
        unknown_because=unknown_because,
        files=len(export.files),
        may_be_allowed=may_be_allowed,
    )


async def _estimated(context: JobContext, segment_id: str) -> tuple[int | None, str]:
    """Ask how many users a segment has; or say why that is not known. Fails in no way."""
    try:
        async with context.braze() as braze:
            size = await asyncio.wait_for(braze.segment_size(segment_id), _SECONDS)
    except BrazeForbidden:
        return None, "the API key lacks the permission segments.data_series"
    except BrazeError as error:
        return None, f"Braze answered {error.status or 'nothing'} at {error.endpoint}"
    except TimeoutError:
        return None, "Braze did not answer"
    return size, "" if size is not None else "Braze has no estimate of it"
