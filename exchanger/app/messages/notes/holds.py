"""Words of what is noted about files that wait for a person: why, and what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.config.findings import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.app.messages.words import Words


def _given_before(*, job: str, run: int, added: bool, retry: int | None) -> str:
    return _with_rest(f"Job '{job}' {_did(added, retry)} it already, in run {run}.", retry)


def _equal_content(*, other: str, added: bool, retry: int | None) -> str:
    said = f"Its content is equal to {other}, which was {_did(added, retry)} already."
    return _with_rest(said, retry)


def _did(added: bool, retry: int | None) -> str:  # noqa: FBT001 - a fact, as noted
    return f"{'added' if added else 'applied'}{'' if retry is None else ' in part'}"


def _with_rest(said: str, retry: int | None) -> str:
    if retry is None:
        return said
    return f"{said} For the rest of it, and nothing twice: exchanger retry {retry}."


def _new_version(*, set_before: Sequence[str]) -> str:
    if not set_before:
        return "It is a new version of a file that was added already."
    names = " and ".join(repr(name) for name in set_before)
    return (
        f"It is a new version of a file that was applied before {names} was summed, so the "
        f"difference would add nothing to {names}."
    )


def _decide_count(*, run: int, job: str, difference: bool) -> str:
    does = "add the difference" if difference else "add it once more"
    return (
        f"To {does}: exchanger approve {run}. To drop it: exchanger discard {run}. "
        f"To add it in full: exchanger run {job} --force"
    )


def _decide_unrecognised(*, run: int, adopt: bool) -> str:
    return "To go on with the memory of that state: exchanger adopt. " * adopt + (
        f"If it was applied to this workspace: exchanger discard {run} leaves Braze as it is. "
        f"To apply it in full: exchanger approve {run}"
    )


HOLD_NOTES: Mapping[str, Words] = {
    "applied_since": (
        "Run {run} has applied a version of {file} after this run was held back, so there is "
        "nothing left to approve of it."
    ),
    "comes_twice": "Its content is equal to {other}, which comes with it.",
    "decide_count": _decide_count,
    "decide_doubtful": (
        "Correct the job and run it again: it is planned anew then. To take it as it is: exchanger "
        "approve {run}. To drop it: exchanger discard {run}"
    ),
    "decide_guarded": (
        "To look at it: exchanger show {run}. To take it all the same: exchanger approve {run}. "
        "To drop it: exchanger discard {run}"
    ),
    "decide_unrecognised": _decide_unrecognised,
    "decide_without_difference": (
        "{why} To drop it: exchanger discard {run}. To add it in full: exchanger run {job} --force"
    ),
    "doubtful_column": "A column is text because of a few words, which a note names.",
    "equal_content": _equal_content,
    "file_waits": (
        "{file} waits in run {run}, as it may count twice: exchanger approve {run}, or exchanger "
        "discard {run}. To add it in full: run with --force."
    ),
    "file_waits_as_doubtful": (
        "{file} waits in run {run}, as a column is text because of a few words: correct the job "
        "and run it again, or exchanger approve {run}, or exchanger discard {run}."
    ),
    "file_waits_for_guard": (
        "{file} waits in run {run}, as a guard holds it back: exchanger approve {run}, or "
        "exchanger discard {run}."
    ),
    "given_before": _given_before,
    "known_elsewhere": (
        "The state {state} of this bucket, of the connection '{connection}', knows this file, or "
        "an earlier version or a copy of it, and this connection does not."
    ),
    "left_out_since": (
        "{file} was left out: run {run} applied a version of it after run {held} was held back."
    ),
    "memory_lost": (
        "It may have been added before: all that was remembered of this connection's files is gone."
    ),
    "new_version": _new_version,
    "too_many_deletes": lambda *, deletes, most: (
        f"It would delete {counted(deletes, 'profile')} for good, and max_deletes is {most:,}."
    ),
}
