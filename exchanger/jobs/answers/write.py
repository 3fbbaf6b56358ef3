"""
Writes the answers of a run: once it has ended, and again by whoever finds that nobody came to it.

The run itself is over and counts. So an answer that cannot be written is noted, and fails nothing.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from exchanger.config.answers import AnswerNames
from exchanger.errors import LeaseLost, Stopped, StorageChanged, StorageError
from exchanger.files.drops import is_drop
from exchanger.files.scratch.prefetch import prefetch_several
from exchanger.jobs.answers.facts import RunAnswer
from exchanger.jobs.answers.masking import Mask
from exchanger.jobs.answers.not_taken import kept_rows, reasons_by_file
from exchanger.jobs.answers.rejected import write_rejected
from exchanger.jobs.answers.terms import is_due
from exchanger.notes import Note, noted, with_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument, VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

_THREADS = 16
"""Reports that are written at once."""
_TYPES = {"json": "application/json", "html": "text/html; charset=utf-8"}


def answer_run(context: JobContext, state: ConnectionState, stored: VersionedRun) -> list[Note]:
    """
    Write the answers of a run that has ended, unless they are written; may be done again.

    Args:
        context: The outside; its lease is ours.
        state: Where the run is.
        stored: The run.

    Returns:
        What is noted of it: nothing, if all was written.
    """
    run = stored.document
    if context.pages is None or not is_due(run):
        return []
    notes: list[Note] = []
    try:
        for _ in _written(context, state, run):
            context.go_on()
    except (LeaseLost, Stopped) as error:
        # Whoever goes on here finds that it is still to be done.
        log.info("answers.not_written", reason=type(error).__name__)
        return []
    except Exception as error:  # noqa: BLE001 - a row that cannot be shown must stop no job
        said = str(error) if isinstance(error, StorageError) else type(error).__name__
        log.warning("answers.not_written", error=said)
        folder = AnswerNames(run.answers["prefix"]).reports
        notes.append(noted("answers_not_written", folder=folder, error=said))
    try:
        report = with_notes(run.report, notes)
        if notes:
            # Of several reports of one run the one counts that ended last.
            report["finished_at"] = context.clock.now().isoformat()
            state.run_index.amend(report)
        state.runs.change(stored, answered=True, report=report)
    except StorageError as error:
        log.info("answers.not_noted", reason=type(error).__name__)
        if isinstance(error, StorageChanged):
            state.tenure.forget()
    return notes


def answer_newest(context: JobContext, state: ConnectionState) -> None:
    """Write the answers of the newest run, if a process that ended it did not come to it."""
    newest = state.runs.newest()
    if newest is not None:
        answer_run(context, state, newest)


def write_again(
    context: JobContext, state: ConnectionState, seq: int, left: Mapping[str, bytes]
) -> None:
    """
    Write the answers of an earlier run anew, as its quarantine is about to have less in it.

    Args:
        context: The outside; its lease is ours.
        state: Where the run is.
        seq: Its number.
        left: What will be left of its quarantine, by the key.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    run = state.runs.read(seq).document
    written = {*_written(context, state, run, left)}
    context.bucket.delete(key for key in _rejected_of(context, run) if key not in written)


def answers_of(context: JobContext, state: ConnectionState, run: RunDocument) -> Iterator[str]:
    """Name the answers of a run, but for those about files that a later run has answered about."""
    if not run.answers:
        return
    if run.report.get("quarantine"):
        yield from _rejected_of(context, run)
    answered = {file.key for file in run.files}
    if run.continued_by:
        later = state.runs.read(run.continued_by).document
        answered -= {file.key for file in later.files}
    for key in _latest(state, run, sorted(answered)):
        named = _named(context, run, key)
        yield from (named.report(key, ending) for ending in _TYPES)


def _written(
    context: JobContext,
    state: ConnectionState,
    run: RunDocument,
    left: Mapping[str, bytes] | None = None,
) -> Iterator[str]:
    """Write what a run answers about each of its files, and yield the keys of what is written."""
    put_aside, left_out = run.report.get("quarantine"), run.report.get("warnings")
    with (
        kept_rows(context, put_aside, left) as rows,
        kept_rows(context, left_out, left) as values,
    ):
        rejected: dict[str, str] = {}
        if rows is not None and run.answers.get("rejected"):
            name_of = partial(_rejected_name, context, run)
            for key, name in write_rejected(context, run, name_of, rows):
                rejected[key] = name
                yield name
        if run.answers.get("report"):
            yield from _reports(context, state, run, reasons_by_file((rows, values)), rejected)


def _reports(
    context: JobContext,
    state: ConnectionState,
    run: RunDocument,
    reasons: Mapping[str, list[dict[str, Any]]],
    rejected: Mapping[str, str],
) -> Iterator[str]:
    """Write the report about each file of a run, several at a time."""
    parent = state.runs.read(run.parent).document if run.parent else None
    origin, undos = _origin(state, run)
    mask = Mask(frozenset(run.answers.get("masked", ())))
    earlier, puts_back = (origin if undos else parent), undos > 0 and undos % 2 == 0
    answer = RunAnswer(
        run, reasons, rejected, context.words, context.budget, earlier, mask, puts_back
    )

    keys = _latest(state, origin, answer.keys)
    yield from write_reports(context, keys, partial(_named, context, run), answer.facts)


def _origin(state: ConnectionState, run: RunDocument) -> tuple[RunDocument, int]:
    """Find the run that read the files an undo is about, and count the undos from there."""
    undos = 0
    while run.takes_back:
        run, undos = state.runs.read(run.takes_back).document, undos + 1
    return run, undos


def write_reports(
    context: JobContext,
    keys: Iterable[str],
    named: Callable[[str], AnswerNames],
    facts: Callable[[str], Mapping[str, Any]],
) -> Iterator[str]:
    """
    Write what there is to say of files, as JSON and as a page, several at a time.

    Args:
        context: The outside.
        keys: The files.
        named: Names the answers about each.
        facts: Tells what there is to say of it.

    Yields:
        The files that were answered about.
    """
    pages = context.pages
    if pages is None:
        return

    def write(key: str) -> str:
        context.may_send()
        bodies = pages({**facts(key), "bucket": context.bucket.name})
        for (ending, kind), body in zip(_TYPES.items(), bodies, strict=True):
            context.bucket.write(named(key).report(key, ending), body.encode(), content_type=kind)
        return key

    several = prefetch_several(write, keys, lambda _: 1, threads=_THREADS, room=2 * _THREADS)
    with closing(several) as written:
        yield from written


def _rejected_of(context: JobContext, run: RunDocument) -> Iterator[str]:
    """Name the rejected rows of each file of a run: others may answer in the same folder."""
    if run.answers.get("rejected"):
        yield from (_rejected_name(context, run, key) for key in {file.key for file in run.files})


def _rejected_name(context: JobContext, run: RunDocument, key: str) -> str:
    return _named(context, run, key).rejected(run.seq, key)


def _named(context: JobContext, run: RunDocument, key: str) -> AnswerNames:
    names, prefix = AnswerNames(run.answers["prefix"]), run.answers["prefix"]
    beside = run.answers.get("beside")
    if beside is None:  # Earlier versions have asked the configuration.
        return names.of(run.job, shared=context.folders.shared(key))
    shared = any(is_drop(key, prefix, pattern, context.state_prefix) for pattern in beside)
    return names.of(run.job, shared=shared)


def _latest(state: ConnectionState, run: RunDocument, keys: list[str]) -> list[str]:
    """Leave out the files that a later run has answered about since, with a newer version."""
    newest = state.runs.newest()
    if newest is None or newest.document.seq == run.seq:
        return keys
    latest = state.file_ledger.snapshot().latest(run.job, keys)
    return [key for key in keys if key not in latest or latest[key].seq <= run.seq]
