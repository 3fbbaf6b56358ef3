"""Texts that stand where an identifier is missing or was lost: they name many, or nobody."""

from __future__ import annotations

import polars as pl

_WORDS = (
    r"null|nil|none|nan|(?-i:NaT)|na|n[./]a\.?|n/d|undefined"
    r"|not[ _](?:set|provided|available|applicable)"
    r"|true|false"  # As a boolean names nobody in typed files.
)
_PLACEHOLDER = "|".join(
    [
        rf"^[(<\[{{\"']*(?:{_WORDS})[)>\]}}\"']*$",
        r"^\((?:blank|empty)\)$",  # Pivot tables and BI tools.
        r"^[\p{P}\p{Sm}\p{Sc}\p{Sk}\s]+$",  # -, --, ..., [], {}, "": no letter and no digit.
        r"^\\n$",  # MySQL and Postgres write \N.
        r"^#(?:n/a|na|nv|n/d|nd|n/b|n/a n/a|getting_data)$",
        r"^(?-i:#[¡¿]?[\p{Lu}/0]+[!?])$",  # #REF!, #DIV/0!, #WERT!, and as Excel says it elsewhere.
        r"^-?nan(?:\(ind\))?$|^-?1\.#(?:ind|qnan|inf)0*$",
        r"^\[object \w+\]$",
        r"^\{\{.*\}\}$|^\$\{.*\}$",  # A template that nobody filled in.
        r"^0{8}-0{4}-0{4}-0{4}-0{12}$",
    ]
)
_FOOTER = (
    r"^(?:(?:grand|sub)[ -]?)?totals?:?$"
    # As pivot tables say it elsewhere, and people who add up a column.
    r"|^(?:gesamt(?:ergebnis|summe)?|(?:zwischen)?summe|total g[eé]n[eé]ral|total geral):?$"
    r"|^(?:totale(?: complessivo| generale)?|(?:eind|sub)totaal|suma total):?$"
    # What interfaces and reports end with: Record count: 1,234; *** End of report ***.
    r"|^(?:(?:total|number of|record|row|line) )?(?:rows?|records?|lines?|entries|count|totals?)"
    r" ?[:=] ?[0-9][0-9., ]*$"
    r"|^\W*(?:eof|end of (?:file|report|data|list|export|extract))\W*$"
    # psql, SQL Server and MySQL say so below what they print.
    r"|^\(?[0-9][0-9., ]* (?:row|record|line)s?(?:\(s\))?(?: [a-z ]+)?(?: \([0-9.]+ sec\))?\)?\.?$"
)
_ROUNDED = (
    r"^[+-]?[0-9]+(?:[.,][0-9]+)?E\+[0-9]+$"  # 4.9E+12 and 5E+12, as spreadsheets show them.
    r"|^[+-]?[0-9][.,][0-9]+E-?[0-9]+$"  # 4.91725E12, as Java does; 12E3 may be an article.
)
_GROUPED = r"^-?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.0+)?$"
"""A number as spreadsheets show it. With points, or spaces, it may be a number that people have."""

_STAND_INS = [
    *("NULL", "null", "(null)", "<null>", "\\N", "nan", "NaN", "NaT", "undefined"),
    *("#N/A", "#NV", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "[object Object]"),
]
"""What programs write for want of a value, as they spell it, and what nobody means as text."""
_SAMPLE = 1_000


def find_stand_ins(texts: pl.Series) -> pl.Series | None:
    """Find texts that programs write for want of a value; None if the first ones are none."""
    if not texts.head(_SAMPLE).is_in(_STAND_INS).any():
        return None  # Where a program writes so it mostly does so early; looking is not for free.
    return texts.is_in(_STAND_INS)


def is_placeholder(text: pl.Expr) -> pl.Expr:
    """Test whether text stands for a missing value: null, NaN, #N/A, undefined, a dash."""
    return text.str.contains(f"(?i){_PLACEHOLDER}")


def is_footer(text: pl.Expr) -> pl.Expr:
    """Test whether text is what stands below a table: Grand Total, (2 rows affected)."""
    return text.str.contains(f"(?i){_FOOTER}")


def is_rounded(text: pl.Expr) -> pl.Expr:
    """Test whether text is a number of which a spreadsheet kept the first digits: 4.9E+12."""
    return text.str.contains(f"(?i){_ROUNDED}")


def is_grouped(text: pl.Expr) -> pl.Expr:
    """Test whether text is a number with commas between its thousands: 1,234,567."""
    return text.str.contains(_GROUPED)
