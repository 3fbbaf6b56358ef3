"""
Runs that wait for a person: their files may count twice, so nothing of them is sent.

The run is numbered like any other, claims its files, and keeps their content. It blocks nothing
but these files. ``approve`` plans them against what is held then; ``discard`` drops them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from exchanger.jobs.read_files import read_every_file
from exchanger.jobs.report import FileReport, RunReport
from exchanger.jobs.totals import in_words, totals_of
from exchanger.state.runs import RunDocument, new_nonce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.intake import WaitingFile
    from exchanger.state.connection import ConnectionState
    from exchanger.state.runs import ClaimedFile, Stored

log = structlog.get_logger()


def hold_back(call: ImportCall, report: RunReport, waiting: Sequence[WaitingFile]) -> Stored | None:
    """
    Create the run that waits.

    Args:
        call: The job.
        report: A new one, with the run's number.
        waiting: Its files.

    Returns:
        None if none of the files is there any more.

    Raises:
        StorageChanged: Another process created a run of this number first.
    """
    seq = report.seq or 1
    nonce = new_nonce()
    reading = read_every_file(call, [file.intake for file in waiting])
    waiting = [file for file in waiting if (file.claim.key, file.claim.etag) not in reading.gone]
    if not waiting:
        return None
    claims = [
        replace(
            file.claim,
            note=_note(call, seq, file.claim, reading.untold.get(file.claim.key)),
            kept=_keep(call, file, call.state.names.kept_file(seq, nonce, position)),
        )
        for position, file in enumerate(waiting)
    ]
    totals = totals_of(reading)
    report.files = [FileReport(file.key, file.outcome, 0, file.note) for file in claims]
    report.notes += in_words(totals)
    document = RunDocument(
        seq=seq,
        run_id=report.run_id,
        job=call.name,
        state="planned",
        nonce=nonce,
        counter=1,
        created_at=call.world.clock.now().isoformat(),
        files=tuple(claims),
        hold=True,
        totals=totals,
        report=report.to_json(),
    )
    return call.state.runs.create(document)


def wait_for_a_person(state: ConnectionState, stored: Stored, finished_at: str) -> RunReport:
    """Bring a run that waits to its end for now; may be done again."""
    run = stored.document
    state.applied.record(run.job, run.files, seq=run.seq)
    report = RunReport.from_json(run.report | {"finished_at": finished_at})
    report.state = "held_back"
    report.check()
    state.finished.record(report.to_json())
    state.runs.change(stored, state="held_back", report=report.to_json())
    log.info("run.held_back", seq=run.seq, files=len(run.files))
    return report


def hold_again(
    state: ConnectionState, stored: Stored, totals: dict[str, str], finished_at: str
) -> RunReport:
    """
    Show a person the totals as they are by now, as they go beyond what was approved.

    They are shown before they count as shown: should this process die between the two, the next
    approval finds that they go beyond what counts, shows them again, and both agree.
    """
    run = stored.document
    report = RunReport.from_json(run.report | {"finished_at": finished_at})
    said = (
        "Other totals would be added by now than were shown when the run was held back, so nothing "
        f"was sent. If these are right: exchanger approve {run.seq}"
    )
    report.notes = [said, *in_words(totals)]
    state.finished.amend(report.to_json())
    state.runs.change(stored, totals=totals, report=report.to_json())
    return report


def _keep(call: ImportCall, file: WaitingFile, key: str) -> str:
    path = call.world.workdir / "kept"
    call.world.bucket.download(file.claim.key, file.claim.etag, path)
    call.world.bucket.upload(key, path)
    path.unlink()
    return key


def _note(call: ImportCall, seq: int, file: ClaimedFile, untold: str | None) -> str:
    if untold is not None:
        return (
            f"{file.note} {untold} To drop it: exchanger discard {seq}. To add it in full: "
            f"exchanger run {call.name} --force"
        )
    does = "add the difference" if file.outcome == "replaced" else "add it once more"
    return (
        f"{file.note} To {does}: exchanger approve {seq}. To drop it: exchanger discard {seq}. "
        f"To add it in full: exchanger run {call.name} --force"
    )
