"""
What is noted for people beside results, as facts: a code, and what there is to say.

As with errors, whatever notes something words nothing; ``app/messages/notes/`` has the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

NoteCode = Literal[
    "added_again",
    "added_nothing",
    "answers_not_written",
    "applied_since",
    "budget_exceeded",
    "calls_not_kept",
    "canary_first",
    "canary_held",
    "canary_kept",
    "cells_in_error",
    "cells_merged",
    "cells_stand_in",
    "cells_unwrapped",
    "changed_while_read",
    "changes_not_kept",
    "column_empty",
    "column_misfit",
    "column_mixed",
    "column_no_list",
    "column_renamed",
    "column_retyped",
    "columns_left_out",
    "columns_missing",
    "columns_new",
    "columns_reordered",
    "columns_nameless",
    "comes_twice",
    "consent_missing",
    "correct_in_place",
    "corrections_wait",
    "counts_by_itself",
    "csv_read_as",
    "decide_count",
    "decide_doubtful",
    "decide_guarded",
    "decide_unrecognised",
    "decide_without_difference",
    "decimal_commas",
    "delimiter_hint",
    "discarded",
    "doubt_not_told",
    "doubt_told",
    "doubtful_column",
    "empty_file",
    "ended_as_usual",
    "equal_content",
    "export_stopped",
    "fewer_rows",
    "field_emptier",
    "file_gone",
    "file_incomplete",
    "file_left",
    "file_rejected",
    "file_waits",
    "file_waits_as_doubtful",
    "file_waits_for_guard",
    "files_follow",
    "files_left",
    "given_again_already",
    "given_before",
    "given_not_kept",
    "guards_differ",
    "guards_would_hold",
    "header_again",
    "identifiers_decomposed",
    "identifiers_pointed",
    "identifiers_trimmed",
    "items_differ",
    "keys_absent",
    "known_content",
    "known_elsewhere",
    "learnt_from_segment",
    "leavers",
    "leavers_back",
    "leavers_cleared",
    "leavers_deleted",
    "leavers_get_event",
    "leavers_not_done",
    "leavers_of_run",
    "leavers_stay",
    "leavers_wait",
    "left_out_since",
    "maybe_sent_again",
    "members_begin",
    "members_dropped",
    "members_unknown",
    "memory_lost",
    "more_in_quarantine",
    "names_trimmed",
    "moved_files_gone",
    "never_answered",
    "never_seen",
    "never_sent",
    "new_version",
    "newer_file_counts",
    "newer_published",
    "no_file_matched",
    "no_row_taken",
    "not_completed",
    "not_kept",
    "not_put_away",
    "not_read_back",
    "nothing_to_undo",
    "not_released",
    "not_taken",
    "not_verified",
    "nothing_held",
    "nothing_learnt",
    "nothing_left",
    "nothing_to_compare",
    "nulls_left_out",
    "older_files_left",
    "passed_over",
    "plan_differs",
    "plan_file_moved",
    "plan_of_another",
    "plan_owes_leavers",
    "plan_overtaken",
    "plan_reconfigured",
    "quarantines_not_searched",
    "read_again_since",
    "released",
    "replaced_since",
    "requests_count",
    "retry_of_snapshot",
    "retry_refused",
    "retry_rejected",
    "rows_corrected",
    "rows_late",
    "rows_shut_out",
    "rows_superseded",
    "run_finished",
    "run_not_ended",
    "segment_empty",
    "segment_not_exported",
    "segment_taken_for_empty",
    "sent_again",
    "sent_gone",
    "sent_not_kept",
    "sent_not_searched",
    "sent_not_told",
    "several_runs",
    "shadow_compared",
    "shadow_differs",
    "shadow_not_compared",
    "shadow_run",
    "shadow_would_wait",
    "sheet_chosen",
    "slow_look_ups",
    "sql_rows",
    "state_lost",
    "stopped",
    "stopped_while_sending",
    "stray_words",
    "sums_forgotten",
    "taken_for_empty",
    "takes_back",
    "too_many_changed",
    "too_many_cleared",
    "too_many_deletes",
    "too_many_leavers",
    "too_many_points",
    "too_many_rejected",
    "totals_differ",
    "types_replaced",
    "unreadable",
    "undo_again",
    "users_exported_twice",
    "value_stays",
    "values_dropped",
    "values_kept",
    "values_kept_since_planned",
    "values_lost",
    "verified",
    "waits_for_adoption",
    "would_add",
    "would_be_held_back",
    "would_cost",
    "would_stop",
]
"""One code for each shape of a sentence; it never changes its meaning."""

_CHOICES = ("decide_", "guards_differ")
"""How codes begin that say how a person may decide about the run that has them."""


@dataclass(frozen=True)
class Note:
    """
    Something that a person should know.

    Args:
        code: What is noted; of a newer version perhaps one that this one does not know.
        facts: What there is to say of it, as plain values.
    """

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.code)

    def __str__(self) -> str:
        facts = ", ".join(f"{name}: {value}" for name, value in self.facts.items())
        said = self.code.replace("_", " ")
        return f"{said} ({facts})" if facts else said

    def about(self, file: str) -> Note:
        """Return the note as one about a file, whose key then stands before the words."""
        return Note(self.code, {"file": file, **self.facts})

    def to_dict(self) -> dict[str, Any]:
        """Render for ``--json`` and for documents of the state."""
        return {"code": self.code, **self.facts}

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Note:
        """Read what *to_dict* gave."""
        return Note(content["code"], {k: v for k, v in content.items() if k != "code"})


def noted(code: NoteCode, /, **facts: Any) -> Note:
    """Build a note, of a code that has words, with the facts that these need."""
    return Note(code, facts)


def read_notes(content: Iterable[Mapping[str, Any]]) -> tuple[Note, ...]:
    """Read notes out of a document; one of an earlier version has none."""
    return tuple(Note.from_dict(each) for each in content)


def without_choices(notes: Iterable[Note], state: str) -> tuple[Note, ...]:
    """Leave out what a person may type about a run that waits, if its state says it is decided."""
    decided = state in ("released", "discarded")
    return tuple(note for note in notes if not (decided and note.code.startswith(_CHOICES)))


def as_plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Render a dataclass with notes in it: the ``dict_factory`` of ``dataclasses.asdict``."""
    content: dict[str, Any] = {
        name: list(it) if isinstance(it, tuple) else it for name, it in pairs
    }
    if content.keys() == {"code", "facts"}:
        return {"code": content["code"], **content["facts"]}
    return content


def with_notes(report: Mapping[str, Any], notes: Iterable[Note]) -> dict[str, Any]:
    """Return a report, as documents have it, with more notes."""
    facts = [*report.get("facts", []), *(note.to_dict() for note in notes)]
    return {**report, "facts": facts}
