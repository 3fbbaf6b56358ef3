"""
Excel workbooks: one sheet, read as if it had been saved as CSV, but for what that would lose.

Cells become text, whose types are told as those of CSV. Whole numbers have no point, as Excel
keeps all numbers with one, and the zeros in front that their format shows; dates are ISO 8601
rather than as they are shown; numbers have all the fifteen digits that Excel keeps rather than
those it shows.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from exchanger.config.models import Source
from exchanger.config.names import trimmed
from exchanger.errors import FileRejected
from exchanger.files.formats.sheet_oddities import Errors, Formulas, are_all_due, look_through
from exchanger.files.raw.compression import DEFAULT_LIMITS, UnpackLimits
from exchanger.notes import Note, noted

MAGIC = b"PK\x03\x04"
_STRICT = b"http://purl.oclc.org/ooxml/"
_END = b"PK\x05\x06"
"""How what ends an archive begins."""
_DIGITS = 15
"""Significant digits of a number that Excel keeps."""
_INSIDE = "xl/workbook.xml"
_DAMAGED = (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError, OSError)
_NO_TIME = time(0)
_ZEROS = re.compile(r'0+(?:(?:-| |\\.|"[^"0]*")0+)*')
"""A format of digits that shows zeros in front, perhaps in groups: 00000, 000-00-0000."""
_ESCAPED = re.compile(r"_x00([01][0-9A-Fa-f])_")
"""How a workbook writes signs that XML has none for, such as a return: _x000D_."""


@dataclass(frozen=True)
class Sheet:
    """
    A sheet, as CSV.

    Args:
        path: Its rows.
        notes: What is noted of it.
        unusable: Columns that lack what the sheet shows to people, each with the reason.
    """

    path: Path
    notes: tuple[Note, ...]
    unusable: Mapping[str, str]


def is_workbook(path: Path, head: bytes) -> bool:
    """Return by its content whether a file is a workbook that can be read: ``.xlsx``, ``.xlsm``."""
    if not head.startswith(MAGIC):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return _INSIDE in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


@contextmanager
def as_csv(
    path: Path,
    key: str,
    source: Source,
    limits: UnpackLimits = DEFAULT_LIMITS,
) -> Iterator[Sheet]:
    """
    Yield a sheet whose rows are CSV, with commas.

    Args:
        path: The workbook; the temporary file is next to it.
        key: Its name for errors.
        source: Names the sheet (else the first one that is not hidden), how many rows stand above
            the header, blank ones included, and the columns of a sheet without a header.
        limits: How far it may grow when it is unpacked.

    Raises:
        FileRejected: ``bomb``, ``strict_workbook``, ``joined_files``, ``damaged_workbook``,
            ``missing_sheet`` or ``empty_file``.
    """
    _demand_size(path, key, limits)
    _demand_readable(path, key)
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".sheet") as target:
        try:
            notes, unusable = _write(path, key, source, target)
        except (*_DAMAGED, SyntaxError) as error:  # Of XML, which is a SyntaxError to Python.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            message = f"The workbook cannot be read ({error}). Save it again, and drop it again."
            raise FileRejected(key, "damaged_workbook", message) from error
        target.flush()
        if not target.tell():
            raise FileRejected(key, "empty_file", "The sheet has no header and no rows.")
        yield Sheet(Path(target.name), notes, unusable)


def _demand_size(path: Path, key: str, limits: UnpackLimits) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    stored = path.stat().st_size
    if not limits.allow(stored, unpacked):
        message = (
            f"The workbook has {stored:,} bytes and unpacks to {unpacked:,}. That is more than is "
            "read; save it as CSV (UTF-8)."
        )
        raise FileRejected(key, "bomb", message)


def _demand_readable(path: Path, key: str) -> None:
    """
    Refuse a workbook of which nothing would be found, and several that stand behind each other.

    Only the last of these would be read.
    """
    with zipfile.ZipFile(path) as archive:
        if _STRICT in archive.read(_INSIDE):
            message = (
                "This is a Strict Open XML Spreadsheet, which is not read. Save it as an Excel "
                "Workbook (.xlsx), or as CSV (UTF-8)."
            )
            raise FileRejected(key, "strict_workbook", message)
        begins = min(part.header_offset for part in archive.infolist())
    with path.open("rb") as file:
        joined = begins and _END in file.read(begins)
    if joined:
        message = (
            "Several workbooks stand behind each other in this one, as 'cat' joins files, and only "
            "the last could be read. Drop them one by one."
        )
        raise FileRejected(key, "joined_files", message)


def _write(
    path: Path, key: str, source: Source, target: IO[bytes]
) -> tuple[tuple[Note, ...], dict[str, str]]:
    with ExitStack() as opened:
        book = _opened(path, opened, results=True)
        visible = [each for each in book.worksheets if each.sheet_state == "visible"]
        chosen = _chosen(key, source.sheet, book.worksheets, visible)
        with chosen._get_source() as text:  # noqa: SLF001 - its cells tell no formula
            content = look_through(text)
        with zipfile.ZipFile(path) as archive:
            formulas = Formulas(are_all_due(archive.read(_INSIDE)))
        rows = _cells(chosen, source.skip_rows)
        if content.formulas:
            named = {each.title: each for each in _opened(path, opened, results=False).worksheets}
            rows = formulas.beside(rows, _cells(named[chosen.title], source.skip_rows))
        errors = Errors(source.nulls)
        header, top = _write_rows(errors.among(rows), source, target)
    merged = [each for each, last in sorted(content.merged.items(), key=_by_row) if last > top]
    notes: tuple[Note, ...] = (noted("cells_merged", ranges=merged),) if merged else ()
    if errors.cells:
        name, place = errors.first
        notes += (noted("cells_in_error", cells=errors.cells, error=name, place=place),)
    others = [each.title for each in visible if each is not chosen]
    if source.sheet is None and others:
        notes += (noted("sheet_chosen", sheet=chosen.title, others=others),)
    return notes, _without_results(header, formulas.lacking())


def _by_row(merged: tuple[str, int]) -> tuple[int, str]:
    cells, last = merged
    return last, cells


def _opened(path: Path, opened: ExitStack, *, results: bool) -> Any:
    """Open a workbook: the results of its formulas, or the formulas."""
    openpyxl: Any = import_module("openpyxl")  # Slow to load, and rarely needed.
    # What it would lose if it saved a workbook is nothing to people who only have it read.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    # Its name is not that of a workbook, so it is given as a stream.
    file = opened.enter_context(path.open("rb"))
    book = openpyxl.load_workbook(file, read_only=True, data_only=results, keep_links=False)
    return opened.enter_context(closing(book))


def _cells(sheet: Any, skipped: int) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # Some writers say too little there.
    return islice(sheet.iter_rows(), skipped, None)


def _write_rows(
    rows: Iterable[Sequence[Any]], source: Source, target: IO[bytes]
) -> tuple[list[str], int]:
    """Write rows as CSV; return the names of their columns, and in which row of the sheet."""
    header = [] if source.header == "auto" else [*source.header]
    top = source.skip_rows
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    for at, cells in _rows(rows, len(header)):
        if not header:
            header, top = cells, source.skip_rows + at
        writer.writerow(cells)
    text.flush()
    text.detach()
    return header, top


def _without_results(header: Sequence[str], lacking: Mapping[int, str]) -> dict[str, str]:
    """Name the columns that have formulas without results, each with the reason."""
    names = {trimmed(header[at]): place for at, place in lacking.items() if at < len(header)}
    return {
        name: f"Column {name!r} has formulas without results, the first in {place}: the program "
        "that wrote the workbook has not calculated them. Open it in Excel, save it, and drop it "
        "again."
        for name, place in names.items()
    }


def _chosen(key: str, wanted: str | None, every: list[Any], visible: list[Any]) -> Any:
    if wanted is None and visible:
        return visible[0]
    found = next((each for each in every if each.title.strip() == (wanted or "").strip()), None)
    if found is None:
        listed = ", ".join(repr(each.title) for each in every) or "none"
        lacks = "sheet that is not hidden" if wanted is None else f"sheet {wanted!r}"
        message = (
            f"The workbook has no {lacks}. Its sheets are: {listed}. Name one of them in the job: "
            "source: {sheet: NAME}."
        )
        raise FileRejected(key, "missing_sheet", message)
    return found


def _rows(rows: Iterable[Iterable[Any]], width: int) -> Iterator[tuple[int, list[str]]]:
    """
    Spell rows, as wide as that, or as the header if it is 0; blank ones are left out.

    Each comes with its number, from 1.
    """
    for at, row in enumerate(rows, start=1):
        cells = [_spelled(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            width = width or len(cells)
            yield at, cells + [""] * (width - len(cells))


def _spelled(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return _ESCAPED.sub(lambda sign: chr(int(sign[1], 16)), value) if "_x00" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        text = _whole(value) if isinstance(value, int) else _number(value)
        return _with_zeros(text, cell.number_format) if text.lstrip("-").isdigit() else text
    return _time(value, cell.number_format)


def _whole(value: int) -> str:
    """
    Spell a whole number.

    Where all digits beyond those that Excel keeps are zeros, it has made them zeros: the exponent
    tells that the number was rounded, and it names nobody.
    """
    digits = str(abs(value))
    if len(digits) > _DIGITS and not digits[_DIGITS:].strip("0"):
        return f"{Decimal(value):.{_DIGITS - 1}E}"
    return str(value)


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 10**_DIGITS:
        return str(int(value))
    text = f"{value:.{_DIGITS}G}"
    small = "E-" in text and abs(value) < 1
    return f"{Decimal(text):f}" if small else text


def _with_zeros(digits: str, number_format: str) -> str:
    """Spell a whole number as a format of zeros shows it; as it is if the format is another."""
    shown = number_format.partition(";")[0]
    places = _ZEROS.fullmatch(shown) and re.sub(r'\\(.)|"([^"]*)"', r"\1\2", shown)
    if not places or places.count("0") < 2:
        return digits
    sign, left = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    left = left.zfill(places.count("0"))
    spelled = ""
    for place in reversed(places):
        digit = place == "0"
        spelled = (left[-1] if digit else place) + spelled
        left = left[:-1] if digit else left
    return sign + left + spelled


def _time(value: Any, number_format: str) -> str:
    if isinstance(value, datetime):
        formats: Any = import_module("openpyxl.styles.numbers")
        only_date = value.time() == _NO_TIME and formats.is_datetime(number_format) == "date"
        return value.date().isoformat() if only_date else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)
