"""
Which type the text of a whole column has. Never guessed cell by cell.

A type is inferred only if it gives back the text that was read: 007, +5 and 1_000 stay text, as do
whole numbers beyond 64 bit, and 12E3. 0 and 1 are numbers, not truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from exchanger.config.models import FieldType
from exchanger.profiles.casting.numbers import SIGNIFICANT_DIGITS
from exchanger.profiles.casting.times import ISO, ISO_DATE, read_instants, read_usual_instants
from exchanger.profiles.frames.type_names import TypeName

SAMPLE = 1_000
"""Cells that are looked at first: what they rule out need not be asked of the others."""
DOUBLE_DIGITS = 17
"""Significant digits that a double may need; of more it would lose some."""

_CELL = pl.col("cell")
_DIGITS = r"^-?(?:0|[1-9][0-9]*)"
_PLAIN = _DIGITS + r"(?:\.[0-9]+)?$"
_NUMBER = _DIGITS + r"(?:(?:\.[0-9]+)?(?:[eE][+-][0-9]+)?|\.[0-9]+[eE][0-9]+)$"
"""A number as programs write it. None writes 12E3, which may be the number of an article."""


def infer_type(pieces: Iterable[pl.Series]) -> TypeName | None:
    """
    Name the type of a column of text.

    Numbers with a point are decimals with the most places that any of them has, as long as they
    have at most 15 digits; those with exponents are floats. Dates and times are ISO 8601 alone.

    Args:
        pieces: All cells of the file, in pieces, with empty text already null. They are looked
            through as often as there are types in question.

    Returns:
        The type; None if every cell is empty.
    """
    sample = next((cells for cells in _filled(pieces)), None)
    if sample is None:
        return None
    for infer in _CANDIDATES:
        if infer([sample.head(SAMPLE)]) is not None:
            found = infer(_filled(pieces))
            if found is not None:
                return found
    return TypeName("string")


def type_of_json(pieces: Iterable[pl.Series]) -> TypeName:
    """Name the type of a column of JSON texts, if all of them have one type."""
    for name, test in _OF_JSON.items():
        if all(_holds(cells, test) for cells in _filled(pieces)):
            return TypeName(name)
    return TypeName("json")


def is_spelled_as(cells: pl.Series, kind: FieldType) -> pl.Series:
    """
    Test which cells of text are spelled as a type is, or as numbers are that it would widen to.

    Whether there is such a day, or room for so many digits, is not asked.
    """
    spelled = _SPELLED.get(kind, pl.lit(value=True))
    tested = cells.alias("cell").to_frame().with_columns(told=spelled | _CELL.is_null())
    return tested["told"].fill_null(value=False)


def _filled(pieces: Iterable[pl.Series]) -> Iterable[pl.Series]:
    for piece in pieces:
        cells = piece.drop_nulls().alias("cell")
        if not cells.is_empty():
            yield cells


def _hold(pieces: Iterable[pl.Series], test: pl.Expr) -> bool:
    return all(_holds(cells, test) for cells in pieces)


def _holds(cells: pl.Series, test: pl.Expr) -> bool:
    return bool(cells.to_frame().select(test.fill_null(value=False).all()).item())


_POINT = _CELL.str.find(".", literal=True)
_LENGTH = _CELL.str.len_bytes()
_PARTS = (
    (_POINT.fill_null(_LENGTH) - _CELL.str.starts_with("-")).max().alias("whole"),
    (_LENGTH - _POINT - 1).max().fill_null(0).alias("places"),
    _POINT.has_nulls().alias("pointless"),
)
"""The most digits before and behind the point, and whether any number has none."""


_OWN_INTEGER = _CELL.cast(pl.Int64, strict=False).cast(pl.String) == _CELL
_OF_JSON: dict[FieldType, pl.Expr] = {
    "integer": _OWN_INTEGER,
    "float": _CELL.str.contains(r"^-?[0-9]") & _CELL.cast(pl.Float64, strict=False).is_finite(),
    "boolean": _CELL.is_in(["true", "false"]),
    "string": _CELL.str.starts_with('"'),
}
"""What the JSON texts of each type look like."""
_BOOLEAN = _CELL.str.to_lowercase().is_in(["true", "false"])
_PLAIN_BOOLEAN = (_CELL == "true") | (_CELL == "false")


def _is_float() -> pl.Expr:
    written = _CELL.str.contains(r"[.eE]")
    digits = _CELL.str.replace(r"[eE].*$", "").str.replace_many(["-", "."], ["", ""])
    short = digits.str.strip_chars_start("0").str.len_bytes() <= DOUBLE_DIGITS
    finite = _CELL.cast(pl.Float64, strict=False).is_finite()
    return _CELL.str.contains(_NUMBER) & finite & ((written & short) | _OWN_INTEGER)


_PLAIN_NUMBER = _CELL.str.contains(_PLAIN) & (_POINT.is_not_null() | _OWN_INTEGER)
_SPELLED: dict[FieldType, pl.Expr] = {
    "integer": _PLAIN_NUMBER,
    "decimal": _PLAIN_NUMBER,
    "float": _CELL.str.contains(_NUMBER) & (_CELL.str.contains(r"[.eE]") | _OWN_INTEGER),
    "boolean": _BOOLEAN,
    "date": _CELL.str.contains(ISO_DATE),
    "datetime": _CELL.str.contains(ISO),
}
"""How the cells of each type look in CSV."""


def _infer_integer(pieces: Iterable[pl.Series]) -> TypeName | None:
    return TypeName("integer") if _hold(pieces, _OWN_INTEGER) else None


def _infer_decimal(pieces: Iterable[pl.Series]) -> TypeName | None:
    most_digits = most_places = 0
    for cells in pieces:
        if not _holds(cells, _CELL.str.contains(_PLAIN)):
            return None
        whole, places, pointless = cells.to_frame().select(*_PARTS).row(0)
        # Numbers without a point are rare here, and dear to look at.
        if pointless and not _holds(cells, _POINT.is_not_null() | _OWN_INTEGER):
            return None
        most_digits, most_places = max(most_digits, whole), max(most_places, places)
        if most_digits + most_places > SIGNIFICANT_DIGITS:
            return None
    return TypeName("decimal", int(most_places))


def _infer_float(pieces: Iterable[pl.Series]) -> TypeName | None:
    return TypeName("float") if _hold(pieces, _is_float()) else None


def _infer_boolean(pieces: Iterable[pl.Series]) -> TypeName | None:
    # Mostly they are written small, and so quickly seen.
    fits = all(_holds(cells, _PLAIN_BOOLEAN) or _holds(cells, _BOOLEAN) for cells in pieces)
    return TypeName("boolean") if fits else None


def _infer_date(pieces: Iterable[pl.Series]) -> TypeName | None:
    fits = all(_are_times(cells, ISO_DATE) for cells in pieces)
    return TypeName("date") if fits else None


def _infer_datetime(pieces: Iterable[pl.Series]) -> TypeName | None:
    fits = all(_are_times(cells, ISO) for cells in pieces)
    return TypeName("datetime") if fits else None


def _are_times(cells: pl.Series, pattern: str) -> bool:
    # What is spelled as the first cell is spelled as the pattern says, too.
    likely = _holds(cells.head(1), _CELL.str.contains(pattern))
    if likely and read_usual_instants(cells, "UTC") is not None:
        return True
    if not _holds(cells, _CELL.str.contains(pattern)):
        return False
    return read_instants(cells, "UTC").faults.null_count() == len(cells)


_CANDIDATES: tuple[Callable[[Iterable[pl.Series]], TypeName | None], ...] = (
    _infer_integer,
    _infer_decimal,
    _infer_float,
    _infer_boolean,
    _infer_date,
    _infer_datetime,
)


def infer_types(files: pl.Series, cells: pl.Series) -> dict[int, TypeName]:
    """
    Name the type that each of many files gives to a column, as ``infer_type`` would one by one.

    Args:
        files: The number of the file that each cell is of.
        cells: The cells, with empty text already null.

    Returns:
        The types by file, without files of which every cell is empty.
    """
    left = pl.DataFrame([files.alias("file"), cells.alias("cell")]).drop_nulls()
    found: dict[int, TypeName] = {}
    for infer in _CANDIDATES_OF_MANY:
        if left.is_empty():
            return found
        # What the first cell of a file rules out need not be asked of its others.
        likely = infer(left.unique("file", keep="first", maintain_order=True))
        if likely:
            asked = pl.col("file").is_in(list(likely))
            found |= infer(left.filter(asked))
            left = left.filter(~pl.col("file").is_in(list(found)))
    return dict.fromkeys(left["file"].unique(), TypeName("string")) | found


_INFER_MANY = Callable[[pl.DataFrame], dict[int, TypeName]]


def _all_hold(test: pl.Expr, name: TypeName) -> _INFER_MANY:
    """Build what names the files of which every cell passes a test."""

    def infer(cells: pl.DataFrame) -> dict[int, TypeName]:
        fine = _files_of(cells, test)
        return dict.fromkeys(fine["file"], name)

    return infer


def _files_of(cells: pl.DataFrame, test: pl.Expr, *more: pl.Expr) -> pl.DataFrame:
    told = cells.group_by("file").agg(test.fill_null(value=False).all().alias("fine"), *more)
    return told.filter("fine")


def _decimals(cells: pl.DataFrame) -> dict[int, TypeName]:
    test = _CELL.str.contains(_PLAIN) & (_POINT.is_not_null() | _OWN_INTEGER)
    fine = _files_of(cells, test, *_PARTS)
    short = fine.filter(pl.col("whole") + pl.col("places") <= SIGNIFICANT_DIGITS)
    return {file: TypeName("decimal", places) for file, places in short["file", "places"].rows()}


def _times_of(pattern: str, name: TypeName) -> _INFER_MANY:
    """Build what names the files of which every cell is a time, spelled in one way."""

    def infer(cells: pl.DataFrame) -> dict[int, TypeName]:
        spelled = _files_of(cells, _CELL.str.contains(pattern))["file"]
        if spelled.is_empty():
            return {}
        likely = cells.filter(pl.col("file").is_in(spelled.implode()))
        fine = read_instants(likely["cell"], "UTC").faults.is_null()
        return dict.fromkeys(
            _files_of(likely.with_columns(fine=fine), pl.col("fine"))["file"], name
        )

    return infer


_CANDIDATES_OF_MANY: tuple[_INFER_MANY, ...] = (
    _all_hold(_OWN_INTEGER, TypeName("integer")),
    _decimals,
    _all_hold(_is_float(), TypeName("float")),
    _all_hold(_BOOLEAN, TypeName("boolean")),
    _times_of(ISO_DATE, TypeName("date")),
    _times_of(ISO, TypeName("datetime")),
)
