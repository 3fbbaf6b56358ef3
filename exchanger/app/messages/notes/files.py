"""Words of what is noted about files: how they were read, and what is left of them."""

from __future__ import annotations

import json
from shlex import quote
from typing import TYPE_CHECKING

from exchanger.config.findings import counted, first_of, listed
from exchanger.config.names import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.app.messages.words import Words

_COLUMNS = 5
"""Columns that one sentence names."""
_FIELDS = 4
"""Fields that one sentence names."""

_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""What separates cells, in words."""

_CURES = {
    "archived": (
        "It is archived, and S3 does not give it out. Restore it (aws s3api restore-object), or "
        "copy it to the storage class STANDARD."
    ),
    "locked": (
        "It is encrypted with a key of its sender (SSE-C), which only the sender has. Have it "
        "uploaded without one."
    ),
    "may_not_decrypt": (
        "These credentials may not use the key that it is encrypted with: allow them kms:Decrypt."
    ),
    "may_not_read": (
        "These credentials may not read it: allow them s3:GetObject on it. If another account owns "
        "the object, have it uploaded with the ACL bucket-owner-full-control."
    ),
    "no_key": (
        "The key that it is encrypted with cannot be used. Have the key enabled in KMS, or the "
        "file encrypted with another one."
    ),
}


def _unreadable(*, why: str, detail: str) -> str:
    said = f" ({detail})" if detail else ""
    return (
        f"S3 does not let us read it{said}. {_CURES[why]} It is taken by the first run that can "
        "read it."
    )


def _named(file: str, files: int) -> str:
    """Name one of some files, and how many there are besides."""
    more = files - 1
    return f"{file} and {more:,} more file{'s' * (more > 1)}" if more else file


def _no_row_taken(*, rows: int, planned: bool) -> str:
    # Where nothing is written, the first rows are shown instead.
    why = "below is why" if planned else "quarantine says why"
    could = "Its only row could not" if rows == 1 else f"None of its {rows:,} rows could"
    return f"{could} be taken; {why}."


def _rows_late(*, rows: int, order_by: str, fields: Sequence[str]) -> str:
    listed = ", ".join(fields[:_FIELDS])
    more = f" and {len(fields) - _FIELDS} more" if len(fields) > _FIELDS else ""
    return (
        f"{rows:,} rows are older by {order_by!r} than rows that were applied before. What they "
        f"say of {listed}{more} was left out."
    )


def _rows_corrected(*, original: str, run: int, rows: int, strange: int) -> str:
    given, none = (
        counted(count, "row of it stands", "rows of it stand") for count in (rows, strange)
    )
    others = f" {none} for none." if strange else ""
    return f"{given} for rows of {original} that run {run} had rejected.{others}"


def _stray_words(  # noqa: PLR0913 - a fact each
    *,
    column: str,
    type: str,  # noqa: A002 - the fact's name
    scale: int | None,
    words: Sequence[str],
    cells: int,
    of: int,
) -> str:
    said = [json.dumps(word, ensure_ascii=False) for word in words]
    name = type if scale is None else f"{type}({scale})"
    written = "" if scale is None else f", scale: {scale}"
    return (
        f"column {column!r} is {name} but for {cells:,} of {of:,} cells, which say "
        f"{' or '.join(said)}: they would be sent as text, and in CSV all others with them. If "
        f"they mean that there is nothing, write 'nulls: [{', '.join(said)}]' in 'source'; if they "
        f"are slips, 'type: {type}{written}' for this column, and their rows are rejected; if it "
        "is text, 'type: string'."
    )


def _columns_left_out(*, file: str, files: int, columns: Sequence[str], why: str) -> str:
    names = ", ".join(repr(name) for name in columns)
    were = f"column {names} was" if len(columns) == 1 else f"columns {names} were"
    return f"{_named(file, files)}: {were} left out. {why}"


def _columns_missing(*, file: str, files: int, columns: Sequence[str]) -> str:
    names = first_of(map(repr, columns), _COLUMNS)
    said = f"column {names} is" if len(columns) == 1 else f"columns {names} are"
    return f"{_named(file, files)}: {said} missing; what fields take from there was left as it is."


def _columns_new(*, file: str, files: int, columns: Sequence[str]) -> str:
    names = first_of(map(repr, columns), _COLUMNS)
    said = f"column {names} is" if len(columns) == 1 else f"columns {names} are"
    return f"{_named(file, files)}: {said} new: no earlier file had that, and the job names it not."


def _column_retyped(  # noqa: PLR0913 - a fact each
    *, file: str, files: int, column: str, kept: str, found: str, rejected: bool
) -> str:
    then = (
        f"rows that are no {kept} are rejected" if rejected else "it is taken for text from now on"
    )
    return (
        f"{_named(file, files)}: column {column!r} holds {found}, and {kept} in earlier files: "
        f"{then}."
    )


def _added_nothing(*, field: str, file: str, files: int, job: str) -> str:
    return (
        f"{field}: nothing was added by {_named(file, files)}, applied before the field was "
        "summed: what Braze has may include it. To add it in full: exchanger backfill "
        f"{job} --prefix {quote(file)} --force"
    )


def _keys_absent(*, columns: Sequence[str]) -> str:
    named = listed([repr(name) for name in columns], "and")
    key, is_empty = ("key", "it counts") if len(columns) == 1 else ("keys", "they count")
    return (
        f"no line has the {key} {named}, so {is_empty} as empty in every row: 'clear' clears, and "
        "all else says nothing. With 'source: {schema: {missing: note}}' such fields stay as they "
        "are."
    )


def _names_trimmed(*, columns: Sequence[str]) -> str:
    names = first_of(map(shown, columns), _COLUMNS)
    one = len(columns) == 1
    return (
        f"white space or invisible signs around the name{'' if one else 's'} of "
        f"{'a column' if one else f'{len(columns):,} columns'} were taken off: {names}."
    )


def _header_again(*, times: int) -> str:
    often = "once" if times == 1 else f"{times:,} times"
    return f"the header came again {often} further down; it was not read as a row."


def _cells_in_error(*, cells: int, error: str, place: str) -> str:
    found = (
        f"the cell {place} holds the error {error}, and was read as that text"
        if cells == 1
        else f"{cells:,} cells hold errors, the first {error} in {place}, and were read as text"
    )
    return (
        f"{found}. Correct the formulas, and drop the workbook again; or, where it means that "
        f'there is nothing, write source: {{nulls: ["{error}"]}}.'
    )


def _cells_merged(*, ranges: Sequence[str]) -> str:
    return (
        f"cells are merged ({first_of(ranges, _COLUMNS)}): only the first row and column "
        "of each has the value, all others were read as empty. Unmerge them, fill in what each row "
        "has, and drop the workbook again."
    )


def _cells_stand_in(*, cells: int) -> str:
    return (
        counted(cells, "cell of text says", "cells of text say")
        + " what programs write for want of a value, such as NULL, \\N, nan, #N/A or undefined, and"
        + (" is" if cells == 1 else " are")
        + " sent so. If that means that there is nothing, name it in 'source', such as"
        ' nulls: ["NULL"].'
    )


def _not_taken(*, file: str, files: int) -> str:
    more = f" and {files - 1:,} more" if files > 1 else ""
    return f"No job takes {file}{more}. Why, and what to do: exchanger files {quote(file)}"


def _again(run: int, connection: str, *, refused: bool) -> str:
    of = f" --connection {connection}" if connection else ""
    if refused:
        return f"To give these again: exchanger retry {run}{of}"
    return (
        "The same content, dropped again, is not read again. Once the job is corrected: exchanger "
        f"retry {run}{of}"
    )


def _files_left(*, run: int, file: str, files: int, refused: bool, connection: str) -> str:
    left = f"Run {run} did not take all of {_named(file, files)}, which still lie there."
    return f"{left} {_again(run, connection, refused=refused)}"


def _file_left(  # noqa: PLR0913 - a fact each
    *,
    run: int,
    file: str,
    rows: int,
    left: int | None,
    rejected: bool,
    refused: bool,
    connection: str,
) -> str:
    did = "rejected" if rejected else "could not deliver"
    what = f"{did} {left:,} of the {rows:,} rows of {file}." if left is not None else ""
    said = what or f"took nothing of {file}, which still lies there."
    return f"Run {run} {said} {_again(run, connection, refused=refused)}"


def _older_files_left(*, files: int) -> str:
    return (
        f"Of {files:,} more {'file' if files == 1 else 'files'}, older runs did not take all: "
        "exchanger files KEY says of each what to type."
    )


def _columns_nameless(*, positions: Sequence[int]) -> str:
    named = first_of(map(str, positions), _COLUMNS)
    one = len(positions) == 1
    return (
        f"column{'' if one else 's'} {named} {'has' if one else 'have'} no name and "
        f"{'was' if one else 'were'} left out. To take such a column, name it; pandas writes its "
        "index so, unless index=False."
    )


def _csv_read_as(  # noqa: PLR0913 - a fact each
    *,
    file: str,
    files: int,
    encoding: str,
    delimiter: str,
    earlier_encoding: str,
    earlier_delimiter: str,
) -> str:
    parts = [f"text in {encoding}"] if encoding else []
    parts += [f"cells between {_SIGNS.get(delimiter, delimiter)}"] if delimiter else []
    earlier = [earlier_encoding] if earlier_encoding else []
    earlier += [_SIGNS.get(earlier_delimiter, earlier_delimiter)] if earlier_delimiter else []
    settled = [f"encoding: {encoding}"] if encoding else []
    settled += [f"delimiter: {json.dumps(delimiter)}"] if delimiter else []
    kept = f"; earlier files of the job had {' and '.join(earlier)}" if earlier else ""
    return (
        f"{_named(file, files)}: read as {' and '.join(parts)}, which was told from the file"
        f"{kept or ' and is kept for the job'}. To settle it, write source: {{csv: "
        f"{{{', '.join(settled)}}}}}."
    )


def _decimal_commas(*, file: str, files: int, columns: Sequence[str]) -> str:
    names = first_of(map(repr, columns), _COLUMNS)
    one = len(columns) == 1
    return (
        f"{_named(file, files)}: column{'' if one else 's'} {names} {'is' if one else 'are'} "
        "sent as text, and would be numbers with a comma before fractions. If that is meant, write "
        'source: {csv: {decimal: ","}}; then exchanger types JOB --forget COLUMN.'
    )


def _sheet_chosen(*, sheet: str, others: Sequence[str]) -> str:
    named = first_of(map(repr, others), _COLUMNS)
    return (
        f"sheet {sheet!r} was read, the first one; others are {named}. To read another, "
        "write source: {sheet: NAME}."
    )


_INCOMPLETE = {
    "too_fresh": "what came less than {detail} ago may still change",
    "no_marker": "no {sign} lies in its folder, or in one around it",
    "no_companion": "no object of its name and {sign} lies beside it",
    "younger_than_sign": "it is younger than {sign}",
    "in_no_manifest": "no manifest names it",
    "manifest_waits": "{sign} waits for {detail}",
    "manifest_unreadable": "{sign} cannot be read as a manifest, as {detail}",
}


def _file_incomplete(*, file: str, files: int, why: str, sign: str, detail: str) -> str:
    left = f"{_named(file, files)} {'is' if files == 1 else 'are'} left for a later run"
    return f"{left}: {_INCOMPLETE[why].format(sign=sign, detail=detail)}."


def _passed_over(*, file: str, files: int) -> str:
    more = f" and {files - 1:,} more" if files > 1 else ""
    are = "they are" if files > 1 else "it is"
    return f"Passed over, as {are} no data: {file}{more}. Which: exchanger jobs --waiting"


FILE_NOTES: Mapping[str, Words] = {
    "added_nothing": _added_nothing,
    "cells_in_error": _cells_in_error,
    "cells_merged": _cells_merged,
    "cells_stand_in": _cells_stand_in,
    "cells_unwrapped": (
        "{cells:,} cells were read without what other tools put around their text: an apostrophe "
        'before = + - @, or before the digits of an identifier, or ="...".'
    ),
    "changed_while_read": (
        "{file} was replaced or deleted while it was read. The next run takes what is there."
    ),
    "column_retyped": _column_retyped,
    "columns_left_out": _columns_left_out,
    "columns_missing": _columns_missing,
    "columns_new": _columns_new,
    "columns_nameless": _columns_nameless,
    "columns_reordered": (
        "from row {row:,} on the columns stand in another order, as a header there says; they "
        "were read in that order."
    ),
    "correct_in_place": (
        "Or correct the rejected rows of {rejected_rows}, and drop the result under the same name "
        "in {corrected_rows}, where each row counts once. Correct a row in one way only."
    ),
    "corrections_wait": lambda *, file, files: (
        f"{_named(file, files)} {'has' if files == 1 else 'have'} corrected rows, which the next "
        "run gives in place of the rejected ones, before it takes any file."
    ),
    "csv_read_as": _csv_read_as,
    "decimal_commas": _decimal_commas,
    "delimiter_hint": "the first line, sep={delimiter}, was taken for what separates the cells.",
    "file_gone": (
        "The file is not in the bucket any more. Put the same file back, or give these rows in a "
        "new one."
    ),
    "file_incomplete": _file_incomplete,
    "file_left": _file_left,
    # Its words are those of quarantine, which names the reason too.
    "file_rejected": lambda *, reason, message: message,  # noqa: ARG005
    "files_left": _files_left,
    "header_again": _header_again,
    "identifiers_decomposed": lambda *, identifiers: (
        counted(identifiers, "identifier has accents", "identifiers have accents")
        + " apart from their letters (Unicode NFD). To Braze they name other people than the same"
        " text with accented letters (NFC), so a source that writes those makes profiles of its"
        " own: let all write one form."
    ),
    "identifiers_pointed": lambda *, identifiers: (
        counted(identifiers, "identifier was", "identifiers were")
        + " text like 12345.0, and "
        + ("was" if identifiers == 1 else "were")
        + " read as 12345."
    ),
    "identifiers_trimmed": lambda *, identifiers: (
        counted(identifiers, "identifier")
        + " had white space around "
        + ("it." if identifiers == 1 else "them.")
    ),
    "keys_absent": _keys_absent,
    "known_content": (
        "Its content is what run {run} met under this name: it is the same file, copied, "
        "encrypted anew, or uploaded in other parts, and nothing of it is given again."
    ),
    "names_trimmed": _names_trimmed,
    "newer_file_counts": (
        "Not read, as {newest} is newer, and the newest file counts alone (files: latest)."
    ),
    "moved_files_gone": lambda *, file, files: (
        counted(
            files,
            "file that earlier runs took and moved is",
            "files that earlier runs took and moved are",
        )
        + f" not there any more, such as {file}: without them, what they said is not given again."
    ),
    "no_row_taken": _no_row_taken,
    "not_taken": _not_taken,
    "nulls_left_out": lambda *, members: (
        counted(members, "null member of objects was", "null members of objects were")
        + " left out."
    ),
    "older_files_left": _older_files_left,
    "passed_over": _passed_over,
    "read_again_since": "it was read again since, or there is a newer version.",
    "replaced_since": "a newer version was applied since, which replaces it.",
    "rows_corrected": _rows_corrected,
    "rows_late": _rows_late,
    "sheet_chosen": _sheet_chosen,
    "sql_rows": "the SQL of its source makes {left:,} rows of its {rows:,}; these are what counts.",
    "stray_words": _stray_words,
    "unreadable": _unreadable,
}
