"""Where an import job's files are, and how their text is understood."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Tag

from exchanger.config.models.arrival import CompleteWhen, Notices
from exchanger.config.models.base import ColumnName, Strict, TimeFormat, text_or

_NO_TEXT = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")
"""Codecs of Python that are no encodings of files."""


def _known_encoding(name: str) -> str:
    if name == "auto":
        return name
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        found = None
    is_text = found is not None and found._is_text_encoding and found.name not in _NO_TEXT  # noqa: SLF001 - nothing else tells
    if not is_text:
        message = (
            f"no encoding is called '{name}'; such are utf-8, utf-16, windows-1252, iso8859-15"
        )
        raise ValueError(message)
    return name


def _single(sign: str) -> str:
    if sign != "auto" and (len(sign) != 1 or sign in '"\r\n\0'):
        message = 'write one character, no quote and no line end ("\\t" is a tab), or auto'
        raise ValueError(message)
    return sign


def _sign_or_none(sign: str) -> str:
    if sign != "none" and (len(sign) != 1 or sign in "\r\n\0"):
        message = "write one character, or none"
        raise ValueError(message)
    return sign


class CsvOptions(Strict):
    """
    How CSV is written. What is ``auto`` is told from the files, and then kept for the job.

    ``exchanger plan`` and the report of a run say what was told; a file that differs from earlier
    ones is never read otherwise without a word.
    """

    delimiter: Annotated[str, AfterValidator(_single)] = Field(
        default="auto",
        description="one character between cells; `auto` tells `,` `;` `|` and tabs apart",
    )
    encoding: Annotated[str, AfterValidator(_known_encoding)] = Field(
        default="auto",
        description="of the text; `auto` tells UTF-8, UTF-16 and Windows-1252 apart",
    )
    quote: Annotated[str, AfterValidator(_sign_or_none)] = Field(
        default='"', description="around cells; within them it is doubled; or `none`"
    )
    escape: Annotated[str, AfterValidator(_sign_or_none)] = Field(
        default="none",
        description=(
            "goes before a quote within a cell, mostly a backslash; a file that has such is"
            " rejected if this is `none`"
        ),
    )
    decimal: Literal[".", ","] = Field(
        default=".", description="what stands before the fraction of a number"
    )
    thousands: Literal["none", ".", ",", " ", "'"] = Field(
        default="none", description="what separates groups of three digits of a number"
    )
    dates: TimeFormat = Field(
        default=None,
        description=(
            "how dates are written, as of strptime, beside ISO 8601: `%d/%m/%Y`; a time may stand"
            " behind"
        ),
    )


class SchemaContract(Strict):
    """
    What becomes of a file whose columns are not those of this job, or of earlier files.

    ``quarantine`` puts the file aside, ``note`` says so and goes on, ``fail`` ends the run before
    it sends anything, with the file left as it is.
    """

    missing: Literal["quarantine", "note", "fail"] | None = Field(
        default=None,
        description=(
            "a column that a field names is missing, or no line of NDJSON has its key; `note`"
            " leaves what the field has, of attributes and catalog items alone. If left out, a"
            " column that is missing puts the file aside, and a key that no line has is empty"
        ),
    )
    new: Literal["note", "quarantine", "fail"] | None = Field(
        default=None,
        description=(
            "a column that the job does not name and no earlier file had; if left out, nothing is"
            " said of it"
        ),
    )
    retyped: Literal["quarantine", "reject_rows", "note", "fail"] = Field(
        default="quarantine",
        description=(
            "a column without a `type` holds another type than in earlier files, and no wider one;"
            " `reject_rows` keeps that of earlier files, so that rows which do not fit it are"
            " rejected; `note` takes the column for text from then on"
        ),
    )


class LeaverEvent(Strict):
    """An event that people get who are missing in a snapshot."""

    event: str = Field(description="its name")


class Source(Strict):
    """
    Which files an import job reads, and how their text is understood.

    Texts that stand for a missing identifier (``null``, ``#N/A``, ``undefined``, a dash) and
    numbers that were rounded (``4.9E+12``) name nobody, unless ``placeholders`` is ``allow``.
    """

    prefix: str = Field(description="the folder of the bucket")
    pattern: str = Field(
        default="**",
        description=(
            "which names below the folder count: `*` stays within a folder, `**` goes through"
            " folders"
        ),
    )
    format: Literal["auto", "parquet", "csv", "ndjson"] = Field(
        default="auto", description="of files where neither the name nor the content tells"
    )
    order_by: ColumnName | None = Field(
        default=None,
        description=(
            "the column by which rows of one profile apply; the order in which files arrive and"
            " in the file if left out"
        ),
    )
    timezone: str = Field(default="UTC", description="of times without one")
    nulls: tuple[str, ...] = Field(
        default=(), description='texts that mean "empty", such as `NULL`'
    )
    placeholders: Literal["reject", "allow"] = Field(
        default="reject",
        description=(
            "`allow` takes `null`, `#N/A`, `undefined`, `4.9E+12` and the like as identifiers"
        ),
    )
    mode: Literal["changes", "snapshot"] = Field(
        default="changes",
        description=(
            "`snapshot`: the newest file is the whole truth of who the job has, and who is missing"
            " in it has left; of attributes and audiences alone"
        ),
    )
    on_removed: Annotated[
        Annotated[Literal["ignore", "clear_fields", "delete"], Tag("text")]
        | Annotated[LeaverEvent, Tag("mapping")],
        text_or(LeaverEvent),
    ] = Field(
        default="ignore",
        description=(
            "what becomes of people whom this job had by a snapshot, and who are missing in the"
            " next one: `clear_fields` clears the fields of the job, `delete` deletes them for good"
            " (with `confirm_deletes`), `{event: NAME}` sends an event"
        ),
    )
    files: Literal["all", "latest"] = Field(
        default="all",
        description=(
            "`latest` takes the newest file alone, and leaves out all that came before it for good"
        ),
    )
    complete_when: CompleteWhen | None = Field(
        default=None,
        description="how to know that a file is complete; as soon as it is there if left out",
    )
    notices: Notices | None = Field(
        default=None, description="where the daemon hears of new files; it looks if left out"
    )
    payload: ColumnName | None = Field(
        default=None,
        description=(
            "the column of a JSON object whose members become columns, as files for Braze's Cloud"
            " Data Ingestion have it (`PAYLOAD`); none if left out"
        ),
    )
    sql: str | None = Field(
        default=None,
        description=(
            "a query of polars SQL over the rows of each file, `self`, that makes the rows which"
            " are imported; `exchanger preview JOB` shows them. All rows as they are if left out"
        ),
    )
    header: Literal["auto"] | tuple[ColumnName, ...] = Field(
        default="auto",
        description=(
            "the names of the columns, in order, of CSV and workbooks that have no header; `auto`"
            " takes the first row for it"
        ),
    )
    skip_rows: int = Field(
        default=0, ge=0, le=10_000, description="lines of CSV, or rows of a sheet, above the header"
    )
    sheet: str | None = Field(
        default=None, description="the sheet of a workbook (`.xlsx`); the first one if left out"
    )
    csv: CsvOptions = Field(default=CsvOptions(), description="how CSV is written")
    schema_: SchemaContract = Field(
        default=SchemaContract(),
        alias="schema",
        description="what becomes of files whose columns change",
    )

    @property
    def is_snapshot(self) -> bool:
        """Whether the newest file names everybody whom the job has."""
        return self.mode == "snapshot"

    @property
    def newest_alone(self) -> bool:
        """Whether the newest file alone counts."""
        return self.is_snapshot or self.files == "latest"
