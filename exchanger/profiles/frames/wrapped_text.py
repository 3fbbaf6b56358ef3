"""
What other tools put around the text of a cell, which is no part of it.

Braze's own CSV exports put an apostrophe before text that a spreadsheet would run as a formula, and
so do others. Excel's trick against lost zeros is a formula that is nothing but text: ``="00123"``.
"""

from __future__ import annotations

import polars as pl

_CELL = pl.col("cell")
_GUARDED = r"^''*[=+\-@\t\r\n\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]"
"""As our own quarantine is written, too: one apostrophe more than there was, also before others."""
_TEXT_OF_DIGITS = r"^'[0-9]+$"
"""As people write ids so that a spreadsheet keeps their zeros; a year may be called '68."""
_FORMULA = r'^\s*="((?:[^"]|"")*)"\s*$'
_FORMULA_IN_JSON = r'^"=\\"([^"\\]*)\\""$'


def without_guard(cells: pl.Series, *, digits: bool = False) -> pl.Series:
    """
    Take off one apostrophe before ``= + - @`` and line ends; any other stays: 'tis.

    Args:
        cells: Text.
        digits: Take it off before nothing but digits, too.
    """
    if not cells.str.starts_with("'").any():
        return cells  # Mostly so, and quickly seen.
    guarded = _CELL.str.contains(f"{_GUARDED}|{_TEXT_OF_DIGITS}" if digits else _GUARDED)
    return _changed(cells, guarded, _CELL.str.tail(_CELL.str.len_chars() - 1))


def without_formula(cells: pl.Series, *, is_json: bool = False) -> pl.Series:
    """
    Take text out of formulas that are nothing but text.

    Args:
        cells: Text.
        is_json: The cells are JSON texts, of which some may be such a text.
    """
    if is_json:
        found = _CELL.str.contains(_FORMULA_IN_JSON)
        return _changed(cells, found, _CELL.str.replace(_FORMULA_IN_JSON, '"$1"'))
    text = _CELL.str.extract(_FORMULA, 1).str.replace_all('""', '"', literal=True)
    return _changed(cells, _CELL.str.contains(_FORMULA), text)


def without_empty_formula(cells: pl.Series) -> pl.Series:
    """Turn formulas of no text into null; what others hold is text, whatever it looks like."""
    return _changed(cells, _CELL.str.contains(r'^\s*="\s*"\s*$'), pl.lit(None, pl.String))


def _changed(cells: pl.Series, which: pl.Expr, text: pl.Expr) -> pl.Series:
    frame = cells.alias("cell").to_frame()
    found = frame.select(found=which.fill_null(value=False))["found"]
    if not found.any():
        return cells
    frame = frame.with_columns(found=found)
    return frame.select(pl.when("found").then(text).otherwise(_CELL)).to_series().alias(cells.name)
