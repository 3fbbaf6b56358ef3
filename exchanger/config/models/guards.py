"""What a run may do before it waits for a person, and what a connection may spend."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from exchanger.config.models.base import Strict

_AMOUNT = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?([kKmMbB]?)")
AMOUNT = r"^[0-9_]+(\.[0-9]+)?[kKmMbB]?$"
"""What a large number looks like as text, for editors."""
_ZEROS = {"": 0, "k": 3, "m": 6, "b": 9}


def parse_amount(given: object) -> object:
    """
    Turn ``500k``, ``5M`` or ``1.5B`` into a whole number; what is a number stays as it is.

    Raises:
        ValueError: The text has another form.
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return given
    text = given.strip().replace("_", "") if isinstance(given, str) else ""
    found = _AMOUNT.fullmatch(text)
    zeros = _ZEROS[found[3].lower()] if found else 0
    part = (found[2] or "").rstrip("0") if found else ""
    if found is None or len(part) > zeros:
        message = "write a whole number, such as 2000000, 500k or 5M"
        raise ValueError(message)
    return int(found[1] + part.ljust(zeros, "0"))


_EITHER = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": AMOUNT, "examples": ["500k", "5M"]},
    ]
}
LargeNumber = Annotated[int, Field(ge=0), BeforeValidator(parse_amount), WithJsonSchema(_EITHER)]
"""A large number, written in digits or as ``500k``, ``5M``, ``1.5B``."""
Percent = Annotated[float, Field(ge=0, le=100)]
"""A share of something, from 0 to 100."""


class Guards(Strict):
    """
    What a run of files may do before it waits for a person, and nothing of it is sent.

    Each guard is off until it is named, but for that of deletions and, of snapshots, those of
    leavers and of empty files. They watch imports and backfills; that of deletions, and budgets,
    also what is given again.
    """

    max_changed_percent: Percent | None = Field(
        default=None,
        description=(
            "of the profiles of a run that are known, how many may lose a value that they have,"
            " to another one or to none"
        ),
    )
    max_cleared_percent: Percent | None = Field(
        default=None,
        description="of these profiles, how many may lose a value and have none afterwards",
    )
    max_rejected_percent: Percent | None = Field(
        default=None, description="of the rows of a run, how many may be rejected"
    )
    max_fewer_rows_percent: Percent | None = Field(
        default=None,
        description=(
            "how many rows fewer a file may have than the file before, which is the one that the"
            " job applied last, or the one before it in the same run"
        ),
    )
    max_more_empty_percent: Percent | None = Field(
        default=None,
        description=(
            "by how much the share of rows without a value may grow, in any field, against the run"
            " that applied the file before: 5 % to 25 % are 20"
        ),
    )
    max_data_points: LargeNumber | None = Field(
        default=None, description="how many data points a run may cost"
    )
    max_deletes: int = Field(
        default=0,
        ge=0,
        description=(
            "profiles that a run of `object: deletions` may delete, or people who are missing in a"
            " snapshot with `on_removed: delete`"
        ),
    )
    max_leavers_percent: Percent | None = Field(
        default=None,
        description=(
            "of the people whom a job of snapshots had, how many may be missing in its newest file;"
            " 20 if left out"
        ),
    )
    empty_file: Literal["hold", "ignore"] = Field(
        default="ignore",
        description="what happens to a file that has no rows; of snapshots `hold` if left out",
    )


class DataPoints(Strict):
    """How many data points the runs of a connection may cost."""

    day: LargeNumber | None = Field(default=None, description="in a day")
    month: LargeNumber | None = Field(default=None, description="in a calendar month, likewise")


class Budget(Strict):
    """
    What all runs of a connection may cost; a run that would go beyond it waits for a person.

    A run counts for the day and the month in which it began.
    """

    data_points: DataPoints = Field(default=DataPoints(), description="the most that they may cost")
    counts: Literal["data_points", "requests"] = Field(
        default="data_points",
        description=(
            "what the contract counts; of `requests`, `plan` says how many a run takes, beside its"
            " data points"
        ),
    )
    price: float | None = Field(
        default=None,
        ge=0,
        description="of one of what the contract counts; `plan` then shows what a run costs",
    )
    currency: str = Field(default="USD", description="of the price, as it is shown")
    timezone: str = Field(default="UTC", description="of the days and months")
