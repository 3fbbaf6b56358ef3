"""Decides how what a file gives to sums counts: each file once per connection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exchanger.errors import FileRejected
from exchanger.jobs.intake.requests import CountMode, FileRequest, HeldFile
from exchanger.notes import Note, noted
from exchanger.state.inputs.file_ledger import NOT_YET
from exchanger.state.inputs.left_over import left_over

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.frames.rules import Rule
    from exchanger.state.inputs.file_ledger import Contributor, LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile, FileOutcome

DIFFERENCE_UNKNOWN = "difference_unknown"
"""The reason why a new version is not applied: nobody knows what earlier ones gave."""
NO_ROW_NAMES = (
    "As the job has no 'row_id', nobody can tell which of its rows were counted with the version "
    "before."
)


@dataclass(frozen=True)
class FileDecision:
    """
    A file that is applied now.

    Args:
        claim: What becomes of it, with the summed fields that it feeds.
        rules: What is done to its columns; summed fields that it gives nothing to are left out.
        set_before: Of these, the fields that it, or a version before, fed when they were not
            summed.
    """

    claim: ClaimedFile
    rules: list[Rule]
    set_before: Sequence[str] = ()
    repeated: bool = False
    """Whether each of its rows was taken up before."""


def decide(
    call: ImportContext,
    claim: ClaimedFile,
    request: FileRequest,
    rules: list[Rule],
    applied: LedgerSnapshot,
) -> FileDecision | HeldFile:
    """
    See to it that what a file gave to a sum counts once per connection.

    A file taken as if new gives nothing to sums that it fed before, whatever their strategy was
    then. A new file that would feed them again waits, unless a person has said how it counts.
    """
    sums = call.counts_files or tuple(rule.name for rule in rules if rule.merge == "sum")
    claim = replace(claim, sums=sums)
    if request.retried:
        claim = replace(claim, outcome="retried")
    if request.test:
        claim = replace(claim, outcome="tested", row=request.test)
    if request.counting != "ask":
        return _as_decided(call, claim, request, rules, applied)
    tested = applied.tested_alone(claim.key, sums)
    if not tested and applied.last_version(claim.key, sums) not in (None, claim.sha256):
        return _waiting(request, claim, "replaced", _is_new_version(claim, applied), "difference")
    if tested or applied.only_tried(claim.key, claim.sha256, sums):
        return _beside_tests(call, claim, request, rules, applied, tested)
    given = applied.given(claim.sha256, sums, retried=claim.key if request.retried else "")
    if not given:
        return _unless_elsewhere(call, claim, request, rules, applied)
    if call.options.as_if_new:
        return _as_if_new(call, claim, rules, given)
    note = _given_before(claim.key, next(iter(given.values())), applied)
    return _waiting(request, claim, "equal_content", note, "in_full")


def _unless_elsewhere(
    call: ImportContext,
    claim: ClaimedFile,
    request: FileRequest,
    rules: list[Rule],
    applied: LedgerSnapshot,
) -> FileDecision | HeldFile:
    """Count a file that is new to us, unless another memory has it."""
    elsewhere = call.memories.of(claim, claim.sums, request.arrived)
    # Of what is given again, a person has decided when its file was taken.
    decided = request.retried or applied.has_applied(claim.key, claim.etag)
    if elsewhere is None or decided:
        return FileDecision(claim, rules)
    outcome, note = elsewhere
    return _waiting(request, claim, outcome, note, "in_full")


def _beside_tests(  # noqa: PLR0913, PLR0917 - as of *decide*, and what was tested
    call: ImportContext,
    claim: ClaimedFile,
    request: FileRequest,
    rules: list[Rule],
    applied: LedgerSnapshot,
    tested: Collection[str],
) -> FileDecision | HeldFile:
    """Count a file of which rows were given by themselves: less what these have given."""
    if request.test:
        return FileDecision(claim, rules)
    if not call.counts_files:
        unknown = _cannot_be_told(claim, applied)
        return FileDecision(replace(claim, replaces=True), _without(rules, unknown), unknown)
    if {claim.sha256}.issuperset(tested):
        return FileDecision(claim, rules)
    return _waiting(request, claim, "replaced", _is_new_version(claim, applied), "difference")


def _as_if_new(
    call: ImportContext, claim: ClaimedFile, rules: list[Rule], given: Mapping[str, Contributor]
) -> FileDecision:
    """Take a file again, but for what counts once."""
    if call.counts_files:
        return FileDecision(replace(claim, sums=()), rules, repeated=True)
    fed = tuple(name for name in claim.sums if name not in given)
    set_before = [name for name, gave in given.items() if not gave.summed]
    return FileDecision(replace(claim, sums=fed), _without(rules, given), set_before)


def _as_decided(
    call: ImportContext,
    claim: ClaimedFile,
    request: FileRequest,
    rules: list[Rule],
    applied: LedgerSnapshot,
) -> FileDecision:
    """
    Count a file as a person has said, and rows that are given again as their file.

    It goes on feeding fields that it gives nothing to, so that a newer version replaces it.

    Raises:
        FileRejected: ``difference_unknown``.
    """
    replaces = request.counting == "difference" or _was_tried(call, claim, applied)
    if replaces and call.counts_files:
        raise FileRejected(claim.key, DIFFERENCE_UNKNOWN, NO_ROW_NAMES)
    if not replaces and not (request.retried and applied.brought_difference(claim.key, claim.etag)):
        return FileDecision(claim, rules)
    unknown = _cannot_be_told(claim, applied)
    return FileDecision(replace(claim, replaces=replaces), _without(rules, unknown), unknown)


def _was_tried(call: ImportContext, claim: ClaimedFile, applied: LedgerSnapshot) -> bool:
    """Return whether nothing of a file but single rows was ever given, which count once."""
    sums = claim.sums
    if claim.outcome != "applied" or call.counts_files or applied.last_version(claim.key, sums):
        return False
    tried = applied.tested_alone(claim.key, sums)
    return bool(tried) or applied.only_tried(claim.key, claim.sha256, sums)


def _cannot_be_told(claim: ClaimedFile, applied: LedgerSnapshot) -> list[str]:
    """Name the fields to which nobody can tell what earlier versions of a file gave."""
    return [name for name in claim.sums if applied.summed_by(claim.key, name) is None]


def _given_before(key: str, before: Contributor, applied: LedgerSnapshot) -> Note:
    """Note where the content of a file was added before; of the file itself, by which job."""
    left = left_over(applied.recorded(before.key), before.job).get(before.key)
    retry = None if left is None else left.seq
    if before.seq == NOT_YET:
        return noted("comes_twice", other=before.key)
    if before.key == key:
        return noted(
            "given_before", job=before.job, run=before.seq, added=before.summed, retry=retry
        )
    return noted("equal_content", other=before.key, added=before.summed, retry=retry)


def _is_new_version(claim: ClaimedFile, applied: LedgerSnapshot) -> Note:
    return noted("new_version", set_before=_cannot_be_told(claim, applied))


def _without(rules: list[Rule], names: Collection[str]) -> list[Rule]:
    return [rule for rule in rules if rule.name not in names]


def _waiting(
    request: FileRequest, claim: ClaimedFile, outcome: FileOutcome, note: Note, counting: CountMode
) -> HeldFile:
    later = FileRequest(claim.key, claim.etag, counting, kept=request.kept, size=request.size)
    return HeldFile(replace(claim, outcome=outcome, facts=(note,)), later)
