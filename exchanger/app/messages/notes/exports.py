"""Words of what is noted about an export, and about the columns of its dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.errors import ExportEmpty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.app.messages.words import Words

_OTHERWISE = {
    "learning": "imports have to look up what this export showed",
    "recording": "this run is not in the list of runs",
    "removing": "the next run removes what is not needed any more",
}
"""What follows if something beside the dataset fails."""


def _json_text(column: str, why: str) -> str:
    return f"column {column!r} is written as JSON text: {why}"


def _column_misfit(*, column: str, value: str, type: str) -> str:  # noqa: A002 - the fact's name
    return _json_text(column, f"{value} is no {type}")


def _column_mixed(*, column: str, kinds: Sequence[str]) -> str:
    return _json_text(column, f"its values are of several types: {', '.join(kinds)}")


def _column_no_list(*, column: str) -> str:
    return _json_text(column, "some values are no list of one type")


def _column_renamed(*, attribute: str, column: str, taken_by: str, in_case: bool) -> str:
    why = "as its own name was taken"
    if in_case:
        why = (
            f"as its own name differs from column {taken_by!r} in case alone, which Athena, Spark "
            "and others do not tell apart"
        )
    return f"custom attribute {attribute!r} is column {column!r}, {why}"


def _segment_taken_for_empty(*, segment: str, folder: str, files: int, estimate: int) -> str:
    nobody = ExportEmpty(segment, folder, files=files, estimate=estimate)
    return f"{nobody.seen}; it was taken for empty, as the job allows"


def _not_completed(*, what: str, detail: str) -> str:
    return f"{_OTHERWISE[what]}, as something failed ({detail})"


EXPORT_NOTES: Mapping[str, Words] = {
    "column_empty": (
        "column {column!r} is empty: no user of the segment has {path}; if you expected values, "
        "look for a slip in its path"
    ),
    "column_misfit": _column_misfit,
    "column_mixed": _column_mixed,
    "column_no_list": _column_no_list,
    "column_renamed": _column_renamed,
    "export_stopped": (
        "Stopped as asked, before anything was published; the next run goes on with this export."
    ),
    "newer_published": "latest.json already points at newer data",
    "not_completed": _not_completed,
    "segment_empty": "the segment is empty: the dataset has its columns and no rows",
    "segment_taken_for_empty": _segment_taken_for_empty,
    "users_exported_twice": "{users} users were exported more than once; one row each is kept",
}
