"""What there is to say of one file once its run has ended, as plain values; ``pages`` words it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

from propcache.api import cached_property

from exchanger.config.answers import AnswerNames
from exchanger.config.prices import price_of
from exchanger.jobs.answers.masking import Mask
from exchanger.jobs.answers.not_taken import COUNTED
from exchanger.notes import read_notes
from exchanger.state.runs.quarantine import DROPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from exchanger.config.models import Budget
    from exchanger.notes import Note
    from exchanger.state.runs.log import ClaimedFile, RunDocument

Verdict = Literal[
    "applied",
    "applied_in_part",
    "not_applied",
    "waits",
    "dropped",
    "left_out",
    "empty",
    "taken_back",
    "put_back",
    "tried",
    "not_read",
]
"""What became of a file, in one word."""

_DECIDED: Mapping[str, Verdict] = {"held_back": "waits", "discarded": "dropped"}
_TOLD_OTHERWISE = (
    "correct_in_place", "retry_of_snapshot", "retry_refused", "retry_rejected", "several_runs",
    "would_add",
)  # fmt: skip
"""Notes that repeat what the report itself says."""
COUNTS = (
    "rows_read", "rows_applied", "rows_unchanged", "rows_superseded", "rows_skipped",
    "rows_rejected", "rows_refused", "rows_repeated", "rows_in_doubt", "profiles_named",
    "profiles_new", "profiles_updated", "profiles_unchanged", "fields_changed",
    "rows_warned", "values_dropped",
)  # fmt: skip


@dataclass(frozen=True)
class RunAnswer:
    """
    A run that answers, and what is the same for all of its files.

    Args:
        run: The run, which has ended or waits.
        not_taken: What it did not take, as ``not_taken.reasons_by_file`` reads it.
        rejected: Where the rejected rows of each file lie, to be corrected.
        words: Says a note.
        budget: Of the connection.
        parent: The run that it takes up, or takes back, if there is one; of an undo that is taken
            back the run that read the files.
        puts_back: Whether it takes back an undo, so that what files gave is there again.
    """

    run: RunDocument
    not_taken: Mapping[str, list[dict[str, Any]]]
    rejected: Mapping[str, str]
    words: Callable[[Note], str]
    budget: Budget | None = None
    parent: RunDocument | None = None
    mask: Mask = field(default_factory=Mask)
    puts_back: bool = False

    @cached_property
    def keys(self) -> list[str]:
        """The files that it answers about, each once."""
        return [*_by_key(answered_files(self.files))]

    @property
    def files(self) -> tuple[ClaimedFile, ...]:
        """The files that it is about: its own, or those that gave what it takes back."""
        if self.run.takes_back and self.parent is not None:
            return tuple(file for file in self.parent.files if _gave(file))
        return self.run.files

    def facts(self, key: str) -> dict[str, Any]:
        """Return what there is to say of a file."""
        run, report = self.run, self.run.report
        claims = self._claims[key]
        reasons = self.not_taken.get(key, [])
        rows = self._rows(claims, reasons)
        told: dict[str, Any] = {
            "file": key,
            "job": run.job,
            "run": run.seq,
            "run_id": run.run_id,
            "verdict": "put_back" if self.puts_back else _verdict(run, claims, rows),
            "outcome": _outcome(claims),
            "began_at": report.get("started_at"),
            "ended_at": report.get("finished_at"),
            "rows": rows,
            "not_taken": [self._about(one) for one in reasons if one["kind"] != DROPPED],
            "left_out": [self._about(one) for one in reasons if one["kind"] == DROPPED],
            "notes": [*self._notes(claims)],
            "choices": [*self._choices(claims)],
            "whole_run": {
                "files": len(self.keys),
                "stopped": bool(run.discarded),
                **{name: report.get(name, 0) for name in COUNTS},
            },
            "cost": self._cost(),
            "quarantine": report.get("quarantine"),
            "warnings": report.get("warnings"),
            "rejected_rows": self.rejected.get(key),
            "corrected_rows": self._where_to_correct(key),
            "corrects": self._corrects(claims),
            "snapshot": bool(run.answers.get("snapshot")),
        }
        if run.hold:
            told["totals"] = self.mask.of_totals(run.totals)
            if plan := run.answers.get("plan"):
                told["plan"] = {**plan, "fields": self.mask.of_totals(plan["fields"])}
        if self.parent is not None and (run.takes_back or told["corrects"] is None):
            told["earlier"] = self._earlier(self.parent, key)
        return told

    def _where_to_correct(self, key: str) -> str | None:
        """Name where the rejected rows of a file are dropped once corrected, if they may."""
        rows = self.rejected.get(key)
        if rows is None or not self.run.answers.get("corrected"):
            return None
        return AnswerNames(self.run.answers["prefix"]).corrected(rows)

    def _corrects(self, claims: Sequence[ClaimedFile]) -> dict[str, Any] | None:
        """Return of a file of corrected rows whose rows these are, and where the wrong ones lie."""
        if claims[0].outcome != "corrected":
            return None
        note = next((fact for fact in claims[0].facts if fact.code == "rows_corrected"), None)
        if note is None:
            return {}
        of = note.facts["original"]
        return {
            "file": of,
            "run": note.facts["run"],
            "rejected_rows": self.rejected.get(of),
            "corrected_rows": self._where_to_correct(of),
        }

    @cached_property
    def _claims(self) -> dict[str, list[ClaimedFile]]:
        """What the run took of each file."""
        return _by_key(self.files)

    @cached_property
    def _given_by(self) -> dict[str, list[ClaimedFile]]:
        """What was taken of each file of corrected rows."""
        found: dict[str, list[ClaimedFile]] = {}
        for file in self.run.files:
            if file.correction:
                found.setdefault(file.kept, []).append(file)
        return found

    @cached_property
    def _earlier_claims(self) -> dict[str, list[ClaimedFile]]:
        return _by_key(self.parent.files if self.parent is not None else ())

    @cached_property
    def _of_run(self) -> dict[str, list[tuple[int, Note]]]:
        """What is noted of the run, with its place, by the file that it names; "" of all files."""
        found: dict[str, list[tuple[int, Note]]] = {}
        for placed in enumerate(read_notes(self.run.report.get("facts", []))):
            found.setdefault(placed[1].facts.get("file", ""), []).append(placed)
        return found

    @cached_property
    def _of_files(self) -> dict[str, list[Note]]:
        """What the report notes of each file."""
        found: dict[str, list[Note]] = {}
        for one in self.run.report.get("files", []):
            found.setdefault(one["key"], []).extend(read_notes(one.get("facts", [])))
        return found

    def _rows(
        self, claims: Sequence[ClaimedFile], reasons: Sequence[Mapping[str, Any]]
    ) -> dict[str, int]:
        report = self.run.report
        if self.run.takes_back:
            read, rejected, refused, doubt = sum(one.rows for one in claims), 0, 0, 0
            skipped = 0
        elif len(self.keys) == 1:
            read = report.get("rows_read", 0)
            rejected, refused, doubt, skipped = (
                report.get(f"rows_{name}", 0)
                for name in ("rejected", "refused", "in_doubt", "skipped")
            )
        else:
            # Rows of a file of corrected rows are counted with the file for which they stand.
            read = sum(one.rows for one in claims)
            claims = [*claims, *self._given_by.get(claims[0].key, ())]
            rejected = sum(one.rejected for one in claims)
            sent = [one for one in reasons if one["kind"] == "refused"]
            doubt = sum(one[COUNTED] for one in sent if one["reason"] == "in_doubt")
            # Of a person all rows are refused, also those in files before the one that is named.
            lost = min(sum(one.refused for one in claims), read - rejected)
            refused = max(lost, sum(one[COUNTED] for one in sent)) - doubt
            skipped = 0  # It is known of all files together alone.
        taken = max(read - rejected - refused - doubt - skipped, 0)
        return {
            "read": read,
            "taken": taken,
            "rejected": rejected,
            "refused": refused,
            "in_doubt": doubt,
            "skipped": skipped,
        }

    def _about(self, reason: Mapping[str, Any]) -> dict[str, Any]:
        """Name the column that a reason is about, and leave out what may not be shown."""
        name = reason["field"]
        column = self.run.answers.get("columns", {}).get(name, name)
        told = {**self.mask.of_reason(reason), "column": column}
        return {name: value for name, value in told.items() if name != COUNTED}

    def _notes(self, claims: Sequence[ClaimedFile]) -> Iterator[str]:
        """Yield what is noted of a file and of its run, in words, each once."""
        key = claims[0].key
        noted = [note for claim in claims for note in claim.facts]
        noted += self._of_files.get(key, ())
        of_run = sorted(self._of_run.get("", []) + self._of_run.get(key, []), key=itemgetter(0))
        noted += [note for _, note in of_run]
        said = [self.mask.of_words(claim.note) for claim in claims if claim.note]
        said += [
            self.mask.of_note(note, self.words)
            for note in noted
            if note.code not in _TOLD_OTHERWISE and not note.code.startswith("decide_")
        ]
        yield from dict.fromkeys(said)

    def _choices(self, claims: Sequence[ClaimedFile]) -> Iterator[str]:
        """Yield what a person can decide about a file that waits."""
        if self.run.state == "held_back":
            for note in claims[0].facts:
                if note.code.startswith("decide_"):
                    yield self.words(note)

    def _cost(self) -> dict[str, Any]:
        points, requests = (self.run.report.get(n, 0) for n in ("data_points", "requests"))
        cost: dict[str, Any] = {"data_points": points, "requests": requests}
        price = price_of(self.budget, points, requests)
        if self.budget is not None and price is not None:
            cost |= {"price": price, "currency": self.budget.currency}
        return cost

    def _earlier(self, parent: RunDocument, key: str) -> dict[str, Any]:
        claims = self._earlier_claims.get(key, [])
        return {
            "run": parent.seq,
            "waited": parent.hold,
            "taken_back": bool(self.run.takes_back),
            "read": sum(one.rows for one in claims),
            "rejected": sum(one.rejected for one in claims),
        }


def answered_files(files: Iterable[ClaimedFile]) -> list[ClaimedFile]:
    """
    Keep the files about which a run answers.

    What became of those who left with a snapshot is no answer about its rows, and one of the same
    content as before has its answer. A run that gives
    corrected rows answers about these: others that it keeps aside are as they were.
    """
    told = [file for file in files if file.outcome not in ("left", "known")]
    return [file for file in told if file.correction or file.outcome == "corrected"] or told


def _gave(file: ClaimedFile) -> bool:
    """Return whether rows of a file were applied: of all others nothing can be taken back."""
    taken = file.rows - file.rejected - file.refused
    return file.outcome in ("applied", "retried", "corrected", "discarded") and taken > 0


def _outcome(claims: Sequence[ClaimedFile]) -> str:
    """Return what became of a file; one of corrected rows without any is rejected to people."""
    first = claims[0]
    return "rejected" if first.outcome == "corrected" and not first.rows else first.outcome


def _by_key(files: Iterable[ClaimedFile]) -> dict[str, list[ClaimedFile]]:
    """Group what was taken of files by the file: a run of many looks for each of them once."""
    found: dict[str, list[ClaimedFile]] = {}
    for file in files:
        found.setdefault(file.key, []).append(file)
    return found


def _verdict(run: RunDocument, claims: Sequence[ClaimedFile], rows: Mapping[str, int]) -> Verdict:
    if run.takes_back or run.shadow:
        return "taken_back" if run.takes_back else "tried"
    if run.state in _DECIDED:
        return _DECIDED[run.state]
    outcomes = {claim.outcome for claim in claims}
    if outcomes <= {"superseded", "overtaken"}:
        return "left_out"
    if not rows["read"] and (outcomes != {"rejected"} and _outcome(claims) != "rejected"):
        return "empty"
    if not rows["taken"]:
        return "not_applied"
    return "applied" if rows["taken"] == rows["read"] else "applied_in_part"
