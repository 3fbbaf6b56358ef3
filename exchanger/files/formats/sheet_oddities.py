"""
What a sheet shows to people and does not have in its cells: results of formulas, merged cells.

An error, such as #REF!, is what a formula has in place of a result.

A program that writes formulas without calculating them leaves their results out, or writes a zero
and a mark that all is still to be calculated; who opens the workbook sees results all the same.
Cells that are merged show one value, which only the first of them has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

_CHUNK = 1 << 20
_OVERLAP = 200
"""Bytes that are looked at twice, so that none of what is looked for is cut."""
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
_ALL_DUE = re.compile(rb'fullCalcOnLoad="(?:1|true)"')


@dataclass(frozen=True)
class Content:
    """
    What is in the text of a sheet.

    Args:
        formulas: Whether it has any.
        merged: Ranges of merged cells, each with its last row.
    """

    formulas: bool
    merged: dict[str, int]


def look_through(sheet: IO[bytes]) -> Content:
    """Look through the XML of a sheet for what its cells do not tell."""
    formulas, merged, before = False, dict[str, int](), b""
    while chunk := sheet.read(_CHUNK):
        text = before + chunk
        formulas = formulas or _FORMULA.search(text) is not None
        for first, top, last, bottom in _MERGED.findall(text):
            merged[(first + top + b":" + last + bottom).decode()] = int(bottom)
        before = text[-_OVERLAP:]
    return Content(formulas, merged)


def are_all_due(workbook: bytes) -> bool:
    """Return whether the XML of a workbook says that all formulas are still to be calculated."""
    return _ALL_DUE.search(workbook) is not None


@dataclass
class Errors:
    """
    Counts the cells that hold an error.

    Args:
        nulls: Texts that mean that there is nothing, errors among them.
        cells: How many.
        first: The name of the first one, and where it is.
    """

    nulls: Sequence[str] = ()
    cells: int = 0
    first: tuple[str, str] = ("", "")

    def among(self, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Yield rows, and look at them."""
        for row in rows:
            for cell in row:
                if cell.data_type == "e" and cell.value not in self.nulls:
                    self.first = self.first if self.cells else (str(cell.value), cell.coordinate)
                    self.cells += 1
            yield row


@dataclass
class Formulas:
    """
    Looks at the formulas of a sheet for results that are not there.

    Args:
        all_due: The workbook says that all of them are still to be calculated: zeros are no
            results then, unless another formula has one.
    """

    all_due: bool
    _empty: dict[int, str] = field(default_factory=dict)
    _zeros: dict[int, str] = field(default_factory=dict)
    _calculated: bool = False

    def beside(
        self, rows: Iterable[Sequence[Any]], written: Iterable[Sequence[Any]]
    ) -> Iterator[Sequence[Any]]:
        """Yield rows of results, and look at the same rows as they were written."""
        for row, formulas in zip(rows, written, strict=False):
            for at, formula in enumerate(formulas):
                if formula.data_type == "f":
                    self._note(at, row[at], formula.coordinate)
            yield row

    def _note(self, at: int, result: Any, place: str) -> None:
        if result.value is None:
            # A text without any sign is a result, and marked as a text.
            if result.data_type != "str":
                self._empty.setdefault(at, place)
        elif type(result.value) in (int, float) and not result.value:
            self._zeros.setdefault(at, place)
        else:
            self._calculated = True

    def lacking(self) -> dict[int, str]:
        """Name the columns, by position from 0, that lack results, and the first such cell."""
        return (self._zeros if self.all_due and not self._calculated else {}) | self._empty
