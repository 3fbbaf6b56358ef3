"""
Excel workbooks: one sheet, read as if it had been saved as CSV, but for what that would lose.

Cells become text, whose types are told as those of CSV. Whole numbers have no point, as Excel
keeps all numbers with one; dates are ISO 8601 rather than as they are shown; numbers have all the
fifteen digits that Excel keeps rather than those it shows.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.raw.compression import DEFAULT_LIMITS, UnpackLimits
from exchanger.notes import Note, noted

MAGIC = b"PK\x03\x04"
_DIGITS = 15
"""Significant digits of a number that Excel keeps."""
_INSIDE = "xl/workbook.xml"
_DAMAGED = (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError, OSError)
_NO_TIME = time(0)


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
) -> Iterator[tuple[Path, tuple[Note, ...]]]:
    """
    Yield the path of a sheet's rows as CSV, with commas, and what is noted of it.

    Args:
        path: The workbook; the temporary file is next to it.
        key: Its name for errors.
        source: Names the sheet (else the first one that is not hidden), how many rows stand above
            the header, blank ones included, and the columns of a sheet without a header.
        limits: How far it may grow when it is unpacked.

    Raises:
        FileRejected: ``bomb``, ``damaged_workbook``, ``missing_sheet`` or ``empty_file``.
    """
    _demand_size(path, key, limits)
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".sheet") as target:
        try:
            notes = _write(path, key, source, target)
        except (*_DAMAGED, SyntaxError) as error:  # Of XML, which is a SyntaxError to Python.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            message = f"The workbook cannot be read ({error}). Save it again, and drop it again."
            raise FileRejected(key, "damaged_workbook", message) from error
        target.flush()
        if not target.tell():
            raise FileRejected(key, "empty_file", "The sheet has no header and no rows.")
        yield Path(target.name), notes


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


def _write(path: Path, key: str, source: Source, target: IO[bytes]) -> tuple[Note, ...]:
    wanted = source.sheet
    width = 0 if source.header == "auto" else len(source.header)
    openpyxl: Any = import_module("openpyxl")  # Slow to load, and rarely needed.
    # Its name is not that of a workbook, so it is given as a stream.
    with (
        path.open("rb") as file,
        closing(
            openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        ) as book,
    ):
        visible = [each for each in book.worksheets if each.sheet_state == "visible"]
        chosen = _chosen(key, wanted, book.worksheets, visible)
        chosen.reset_dimensions()  # Some writers say too little there.
        text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        for cells in _rows(islice(chosen.iter_rows(), source.skip_rows, None), width):
            writer.writerow(cells)
        text.flush()
        text.detach()
        others = [each.title for each in visible if each is not chosen]
    if wanted is not None or not others:
        return ()
    return (noted("sheet_chosen", sheet=chosen.title, others=others),)


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


def _rows(rows: Iterable[Iterable[Any]], width: int) -> Iterator[list[str]]:
    """Spell rows, as wide as that, or as the header if it is 0; blank ones are left out."""
    for row in rows:
        cells = [_spelled(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            width = width or len(cells)
            yield cells + [""] * (width - len(cells))


def _spelled(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return _number(value)
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
