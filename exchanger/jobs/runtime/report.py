"""What a run did, in the words of the command contract."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from exchanger.notes import Note, as_plain, noted, read_notes
from exchanger.state.runs.log import FileOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.state.runs.acknowledgements import SendCounts

RunState = Literal[
    "succeeded", "partial", "failed", "held_back", "nothing_to_do", "released", "discarded"
]
EXIT_CODES: dict[RunState, int] = {
    "succeeded": 0,
    "nothing_to_do": 0,
    "partial": 4,
    "held_back": 5,
    "failed": 1,
    "released": 0,
    "discarded": 0,
}
"""``released`` and ``discarded`` are what a run becomes that was held back, or dropped."""
ROW_KINDS = (
    "applied", "unchanged", "superseded", "skipped", "rejected", "refused", "repeated", "in_doubt",
)  # fmt: skip
PROFILE_KINDS = ("new", "updated", "unchanged", "skipped", "refused")


def new_run_id(job: str, started_at: datetime) -> str:
    """
    Draw a run id that sorts by time and names the job.

    Runs of one second are told apart by what is drawn: of two with one id, history shows one.
    """
    return f"{started_at:%Y%m%dT%H%M%SZ}-{job}-{secrets.token_hex(4)}"


_NOT_ALWAYS = (
    "rows_written", "bytes_written", "manifest", "error", "quarantine", "warnings", "seq",
    "files_waiting", "files_incomplete", "awaits_corrections",
    "held_back", "totals", "stopped", "by_field", "alerts_waiting", "verified",
)  # fmt: skip


@dataclass(frozen=True)
class FileReport:
    """
    What became of one file.

    ``facts`` are what is noted of it, and ``note`` the same for a person; empty when there is
    nothing to say.
    """

    key: str
    outcome: FileOutcome
    rows: int = 0
    note: str = ""
    facts: tuple[Note, ...] = ()


@dataclass
class RunReport:
    """
    One run of a job, as ``--json`` prints it.

    The ``rows_`` kinds add up to ``rows_read`` and the ``profiles_`` kinds to the profiles named;
    ``check`` asserts both. ``requests`` counts the attempts to send of all processes that worked on
    the run, as far as each noted them before it died, so at least as many were made; of an export,
    all that was asked of Braze. ``facts`` are what the run notes, and ``notes`` the same in words,
    which whoever shows a report puts there; earlier versions noted nothing but words.
    ``rows_warned`` are rows, counted above, of which ``values_dropped`` were left out; the object
    ``warnings`` lists these.
    ``files_waiting`` are those that a run left to the next one, if it was to be the only one;
    ``files_incomplete`` those that it left as they are not complete. ``awaits_corrections`` is true
    where rejected rows of the job are kept that a person may correct. ``fields_withheld`` are
    values that would have subscribed somebody who is unsubscribed. ``leavers`` are people whom a
    snapshot lacks, of the ``members_before`` that its job had by then.
    ``held_back`` numbers the runs that wait for a person since this call, ``totals`` are what they
    would add to each summed field, ``stopped`` is true where the process was asked to stop before
    the end. ``by_field`` has data points of each field: those ``sent``, and what it would have cost
    to send it with each of the ``whole_rows``; exports and runs of earlier versions have none.
    ``verified`` says of how many ``profiles`` and ``values`` it was looked whether Braze has them
    as they were sent, and how many are ``differing``; nothing before that was done.
    ``alerts_waiting`` are those that people are yet to be told, as a channel failed.
    """

    run_id: str
    job: str
    state: RunState = "succeeded"
    seq: int | None = None
    files: list[FileReport] = field(default_factory=list)
    rows_read: int = 0
    rows_applied: int = 0
    rows_unchanged: int = 0
    rows_superseded: int = 0
    rows_skipped: int = 0
    rows_rejected: int = 0
    rows_refused: int = 0
    rows_repeated: int = 0
    rows_in_doubt: int = 0
    rows_warned: int = 0
    values_dropped: int = 0
    leavers: int = 0
    members_before: int = 0
    profiles_named: int = 0
    profiles_new: int = 0
    profiles_updated: int = 0
    profiles_unchanged: int = 0
    profiles_skipped: int = 0
    profiles_refused: int = 0
    fields_changed: int = 0
    fields_kept: int = 0
    fields_withheld: int = 0
    data_points: int = 0
    requests: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    quarantine: str | None = None
    warnings: str | None = None
    notes: list[str] = field(default_factory=list)
    facts: list[Note] = field(default_factory=list)
    rows_written: int | None = None
    bytes_written: int | None = None
    manifest: str | None = None
    error: str | None = None
    files_waiting: int | None = None
    files_incomplete: int | None = None
    awaits_corrections: bool | None = None
    held_back: list[int] | None = None
    totals: dict[str, str] | None = None
    stopped: bool | None = None
    alerts_waiting: int | None = None
    by_field: dict[str, dict[str, int]] | None = None
    verified: dict[str, int] | None = None

    def check(self) -> None:
        """
        Assert that nothing was lost between reading and the end (law 7).

        Raises:
            AssertionError: The kinds do not add up.
        """
        rows = sum(getattr(self, f"rows_{kind}") for kind in ROW_KINDS)
        profiles = sum(getattr(self, f"profiles_{kind}") for kind in PROFILE_KINDS)
        if rows != self.rows_read or profiles != self.profiles_named:
            message = (
                f"rows {rows} of {self.rows_read}, profiles {profiles} of {self.profiles_named}"
            )
            raise AssertionError(message)

    def add_sent(self, points: Mapping[str, int]) -> None:
        """Add data points that were sent, by field."""
        told = self.by_field or {}
        for name, number in points.items():
            before = told.get(name, {"sent": 0, "whole_rows": 0})
            if number:
                told[name] = before | {"sent": before["sent"] + number}
        self.by_field = told

    def to_dict(self) -> dict[str, Any]:
        """Render for ``--json``: times in ISO 8601; what does not apply is left out."""
        content = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self, dict_factory=as_plain).items()
        }
        return {k: v for k, v in content.items() if not (k in _NOT_ALWAYS and v is None)}

    @staticmethod
    def from_dict(content: dict[str, Any]) -> RunReport:
        """Read what *to_dict* gave."""
        times = {
            name: datetime.fromisoformat(content[name])
            for name in ("started_at", "finished_at")
            if content.get(name)
        }
        files = [
            FileReport(**{**item, "facts": read_notes(item.get("facts", []))})
            for item in content.get("files", [])
        ]
        facts = [*read_notes(content.get("facts", []))]
        return RunReport(**{**content, **times, "files": files, "facts": facts})

    @property
    def exit_code(self) -> int:
        """The process's exit code for this run."""
        return EXIT_CODES[self.state]


def note_unseen(profiles: int, points: int) -> list[Note]:
    """
    Note how many profiles count as applied although Braze may not have them.

    Under ``create_missing: false``, and of every ``braze_id``, Braze accepts an update of a profile
    that it does not have, and drops it without a word (braze-api.md 2.3).

    Args:
        profiles: Accepted, and never seen in Braze.
        points: Their data points.
    """
    return [noted("never_seen", profiles=profiles, data_points=points)] if profiles else []


def note_sent_again(sent: SendCounts) -> list[Note]:
    """Note how much may have been sent, and billed, more than once because answers were lost."""
    if not sent.profiles_again:
        return []
    return [noted("sent_again", profiles=sent.profiles_again, data_points=sent.points_again)]


_WORST: tuple[RunState, ...] = (
    "nothing_to_do",
    "released",
    "discarded",
    "succeeded",
    "held_back",
    "partial",
    "failed",
)
"""States in the order of precedence: a call that took several runs came to the last of theirs."""


def combined(reports: list[RunReport], facts: list[Note], *, nothing: RunReport) -> RunReport:
    """
    Combine into one report the runs that one call took.

    Args:
        reports: The runs, in order.
        facts: What is noted about the call as a whole.
        nothing: What is returned, as ``nothing_to_do``, if there was no run.

    Returns:
        The only report, or one that adds all counts and has the worst state. Its run is the last of
        which a person may have to retry rows, or else the last; a note names all.
    """
    if not reports:
        return replace(nothing, state="nothing_to_do", facts=facts)
    last = reports[-1]
    told = next((report for report in reversed(reports) if report.quarantine), last)
    sums = {name: sum(getattr(r, name) for r in reports) for name in _COUNTS}
    quarantines = [r.quarantine for r in reports if r.quarantine]
    held = [r for r in reports if r.state == "held_back"]
    earlier = [noted("more_in_quarantine", quarantine=key) for key in quarantines[:-1]]
    return replace(
        last,
        run_id=told.run_id,
        seq=told.seq,
        **sums,
        state=_joint_state({r.state for r in reports}),
        started_at=reports[0].started_at,
        files=[file for r in reports for file in r.files],
        quarantine=quarantines[-1] if quarantines else None,
        warnings=next((r.warnings for r in reversed(reports) if r.warnings), None),
        held_back=[r.seq for r in held if r.seq is not None] or None,
        # Of several runs each says its own in what it notes; a person decides about each.
        totals=held[0].totals if len(held) == 1 else None,
        stopped=True if any(r.stopped for r in reports) else None,
        by_field=_joint_fields(reports),
        notes=[*dict.fromkeys(note for r in reports for note in r.notes)],
        facts=[
            *dict.fromkeys(note for r in reports for note in r.facts),
            *facts,
            *earlier,
            *_numbers(reports),
        ],
    )


def _numbers(reports: list[RunReport]) -> list[Note]:
    """Note which runs there were, if there were several: each can be shown by itself."""
    numbers = [report.seq for report in reports if report.seq is not None]
    return [noted("several_runs", runs=numbers)] if len(numbers) > 1 else []


def _joint_fields(reports: list[RunReport]) -> dict[str, dict[str, int]] | None:
    told = [report.by_field for report in reports if report.by_field is not None]
    joint: dict[str, Counter[str]] = {}
    for by_field in told:
        for name, points in by_field.items():
            joint.setdefault(name, Counter()).update(points)
    return {name: dict(points) for name, points in joint.items()} if told else None


def _joint_state(states: set[RunState]) -> RunState:
    if states == {"succeeded", "held_back"}:
        return "partial"
    return max(states, key=_WORST.index)


_COUNTS = [item.name for item in fields(RunReport) if item.type == "int"]
