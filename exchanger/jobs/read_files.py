"""Reads as many files as one run takes, each by its exact version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.errors import Stopped
from exchanger.jobs.intake import WaitingFile
from exchanger.jobs.opening import OpenedFile, cast_file, open_file
from exchanger.jobs.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.intake import Intake


def read_files(call: ImportCall, intakes: Sequence[Intake]) -> Reading:
    """
    Read as many files as one run takes, each by its exact version.

    Types are settled over all of them first, so that a later file may widen a type before any is
    cast.

    Raises:
        StorageError: A file could not be read; nothing was claimed.
        Stopped: The process was asked to stop; nothing was claimed.
    """
    before = applied = call.state.applied.snapshot()
    reading = Reading(types=call.state.types.of(call.name))
    opened: list[OpenedFile] = []
    call.world.progress.step("reading files", len(intakes))
    for intake in intakes:
        if reading.rows >= call.job.max_rows_per_run:
            break
        if call.world.stopping.is_set():
            raise Stopped
        file = open_file(call, intake, len(opened), applied, reading)
        call.world.progress.advance(1)
        if isinstance(file, WaitingFile):
            reading.waiting.append(file)
            continue
        applied = applied.with_file(call.name, file.claim)
        opened.append(file)
    reading.left = len(intakes) - len(opened) - len(reading.waiting)
    for position, file in enumerate(opened):
        cast_file(call, position, file, before, reading)
    return reading
