"""One call of an import: what every step of its story needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchanger.config.models import ImportJob
from exchanger.jobs.memories import Memories
from exchanger.jobs.options import ImportOptions
from exchanger.jobs.report import RunReport
from exchanger.jobs.world import World
from exchanger.state.connection import ConnectionState


@dataclass(frozen=True)
class ImportCall:
    """
    One call of ``run_import`` or ``plan_import``.

    Args:
        world: The outside.
        state: What the bucket remembers.
        name: The job's name.
        job: The job.
        options: What a person asked for.
        record: Whether anything may be written; ``plan`` writes nothing.
        learn: Whether what was looked up may be recorded all the same.
        taken: Key and ETag of the file versions that this call has taken already.
        memories: What else may remember the job's files.
        ended: Reports of the runs of earlier processes that this call has finished.
    """

    world: World
    state: ConnectionState
    name: str
    job: ImportJob
    options: ImportOptions
    record: bool = True
    learn: bool = False
    memories: Memories = field(default_factory=Memories)
    taken: set[tuple[str, str]] = field(default_factory=set)
    ended: list[RunReport] = field(default_factory=list)
