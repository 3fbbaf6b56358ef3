"""What a job's own guards say of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.lifecycle.create_run import Guard
    from exchanger.jobs.planning.exposure import Exposure


def guards_of(job: ImportJob) -> tuple[Guard, ...]:
    """Return the guards of a job: of deletions alone, so far."""
    most = job.guards.max_deletes

    def deletes(exposure: Exposure) -> Sequence[Note]:
        if exposure.deletes <= most:
            return []
        return [noted("too_many_deletes", deletes=exposure.deletes, most=most)]

    return (deletes,) if job.object == "deletions" else ()
